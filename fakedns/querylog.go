package fakedns

import (
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/miekg/dns"
)

// record is a Query as it is kept: small, because a run holds a million of them.
type record struct {
	received  int64 // Unix nanoseconds
	answered  int64 // Unix nanoseconds, 0 if not; read and written atomically
	client    netip.AddrPort
	resolver  netip.AddrPort
	name      string
	addrs     string // the addresses, 4 or 16 bytes each as addrLen says
	faults    []string
	revision  uint64
	ttl       uint32 // seconds
	qtype     uint16
	rcode     int16 // -1: no answer was meant to be sent
	addrLen   uint8
	transport uint8 // index into transports
	truncated bool
	stale     bool
}

var transports = [...]Transport{UDP, TCP}

const noAnswer = -1

// setAddresses packs addresses of one family.
func (r *record) setAddresses(addrs []netip.Addr) {
	if len(addrs) == 0 {
		return
	}
	r.addrLen = uint8(addrs[0].BitLen() / 8)
	packed := make([]byte, 0, len(addrs)*int(r.addrLen))
	for _, a := range addrs {
		packed = append(packed, a.AsSlice()...)
	}
	r.addrs = string(packed)
}

func (r *record) query(seq uint64) Query {
	q := Query{
		Seq: seq, ReceivedAt: time.Unix(0, r.received), Client: r.client, Resolver: r.resolver,
		Transport: transports[r.transport], Name: r.name, TTL: time.Duration(r.ttl) * time.Second,
		Truncated: r.truncated, Stale: r.stale, Faults: r.faults, Revision: r.revision,
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
	for s := r.addrs; s != ""; s = s[r.addrLen:] {
		a, _ := netip.AddrFromSlice([]byte(s[:r.addrLen]))
		q.Answers = append(q.Answers, a)
	}
	return q
}

const chunkSize = 1024

type chunk [chunkSize]record

// queryLog keeps every query in memory, in chunks so that it never moves.
type queryLog struct {
	mu     sync.Mutex
	chunks []*chunk
	first  uint64        // Seq of the first record kept
	next   uint64        // Seq of the next record
	grown  chan struct{} // closed when there is more; nil while nobody waits
}

func newQueryLog() *queryLog { return &queryLog{first: 1, next: 1} }

// append keeps r and returns it in its place, where its answered time may be stored.
func (l *queryLog) append(r record) *record {
	l.mu.Lock()
	defer l.mu.Unlock()
	at := (l.next - l.first) % chunkSize
	if at == 0 {
		l.chunks = append(l.chunks, new(chunk))
	}
	kept := &l.chunks[len(l.chunks)-1][at]
	*kept = r
	l.next++
	l.wakeLocked()
	return kept
}

// wake has those who wait look again, for what stands outside the log.
func (l *queryLog) wake() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.wakeLocked()
}

func (l *queryLog) wakeLocked() {
	if l.grown != nil {
		close(l.grown)
		l.grown = nil
	}
}

func (l *queryLog) clear() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.chunks, l.first = nil, l.next
}

// logView is the log at one moment.
type logView struct {
	chunks      []*chunk
	first, next uint64
}

func (l *queryLog) view() logView {
	l.mu.Lock()
	defer l.mu.Unlock()
	return logView{l.chunks, l.first, l.next}
}

// viewAndWait returns the log now and a channel that is closed when there is more.
func (l *queryLog) viewAndWait() (logView, <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.grown == nil {
		l.grown = make(chan struct{})
	}
	return logView{l.chunks, l.first, l.next}, l.grown
}

// last is the highest Seq given so far; 0 if none.
func (v logView) last() uint64 { return v.next - 1 }

// each calls yield with every match in rising order until it returns false.
func (v logView) each(m *matcher, yield func(Query) bool) {
	for seq := max(v.first, m.after+1); seq < v.next; seq++ {
		at := seq - v.first
		r := &v.chunks[at/chunkSize][at%chunkSize]
		if m.matches(r) && !yield(r.query(seq)) {
			return
		}
	}
}
