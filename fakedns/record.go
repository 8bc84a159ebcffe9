package fakedns

import (
	"net/netip"
	"sync/atomic"
	"time"

	"github.com/miekg/dns"
)

// record is a Query as it is kept: small, because a run holds a million of them.
// What many of them share (names, local addresses) is pointed to, and the addresses
// of the answer stand in the log's pages.
type record struct {
	received  int64 // Unix nanoseconds
	answered  int64 // Unix nanoseconds, 0 if not; read and written atomically
	revision  uint64
	name      string
	resolver  *netip.AddrPort
	faults    []string
	client    [16]byte
	ttl       uint32 // seconds
	answersAt uint32 // where the answers begin: see queryLog.keep
	port      uint16 // of the client
	qtype     uint16
	rcode     int16 // -1: no answer was meant to be sent
	answers   uint16
	flags     recordFlags
}

// recordFlags are what else a record says.
type recordFlags uint8

const (
	overTCP recordFlags = 1 << iota
	clientIs4
	answersAre6
	isTruncated
	isStale
)

const noAnswer = -1

func (r *record) has(f recordFlags) bool { return r.flags&f != 0 }

func (r *record) set(f recordFlags, on bool) {
	if on {
		r.flags |= f
	}
}

// startRecord notes what is known of a query before it is read.
func startRecord(q *question, revision uint64, resolver *netip.AddrPort) record {
	r := record{
		received: q.received.UnixNano(), revision: revision, resolver: resolver,
		client: q.client.Addr().As16(), port: q.client.Port(),
	}
	r.set(clientIs4, q.client.Addr().Is4())
	r.set(overTCP, q.transport == TCP)
	return r
}

func (r *record) clientAddr() netip.Addr {
	a := netip.AddrFrom16(r.client)
	if r.has(clientIs4) {
		return a.Unmap()
	}
	return a
}

// query is the record as the API gives it; pages are those of its log.
func (r *record) query(seq uint64, pages []*page) Query {
	q := Query{
		Seq: seq, ReceivedAt: time.Unix(0, r.received), Client: netip.AddrPortFrom(r.clientAddr(), r.port),
		Resolver: *r.resolver, Transport: UDP, Name: r.name, TTL: time.Duration(r.ttl) * time.Second,
		Truncated: r.has(isTruncated), Stale: r.has(isStale), Faults: r.faults, Revision: r.revision,
	}
	if r.has(overTCP) {
		q.Transport = TCP
	}
	if r.qtype != 0 {
		q.Type = dns.Type(r.qtype).String()
	}
	if at := atomic.LoadInt64(&r.answered); at != 0 {
		q.AnsweredAt = time.Unix(0, at)
	}
	if r.rcode != noAnswer {
		q.RCode = dns.RcodeToString[int(r.rcode)]
	}
	if r.answers == 0 {
		return q
	}
	size := answerSize(r.has(answersAre6))
	packed := pages[r.answersAt/pageSlots][r.answersAt%pageSlots*slotSize:][:int(r.answers)*size]
	for ; len(packed) > 0; packed = packed[size:] {
		a, _ := netip.AddrFromSlice(packed[:size])
		q.Answers = append(q.Answers, a)
	}
	return q
}

// answerSize is how many bytes an address takes in a page.
func answerSize(six bool) int {
	const four, sixteen = 4, 16
	if six {
		return sixteen
	}
	return four
}
