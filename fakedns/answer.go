package fakedns

import (
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/miekg/dns"
)

// The SOA that Route 53 makes for every zone (aws-facts 5.8). A resolver keeps a
// negative answer for the lesser of the record's TTL, 900 s, and its last field.
const (
	soaPrimary = "ns-0.awsdns-00.com."
	soaMailbox = "awsdns-hostmaster.amazon.com."
	soaSerial  = 1
	soaRefresh = 7200
	soaRetry   = 900
	soaExpire  = 1209600
	soaMinimum = 86400
)

// DefaultNegativeTTL is how long NXDOMAIN and NODATA may be kept (aws-facts 5.8).
const DefaultNegativeTTL = 900 * time.Second

// DefaultMaxTTL is the highest TTL that the VPC resolver was seen to answer (aws-facts 5.4).
const DefaultMaxTTL = 300 * time.Second

// ednsSize is the UDP payload size that answers with EDNS0 announce: what fits into
// any path without fragments (DNS flag day 2020).
const ednsSize = 1232

// question is one query as faults and the log see it.
type question struct {
	name      string // canonical
	qtype     uint16
	recursive bool // RD is set: it is put to a resolver, not to the zone's own server
	client    netip.AddrPort
	resolver  netip.AddrPort
	transport Transport
	received  time.Time
}

// reply is an answer on its way; faults change it before it is packed.
type reply struct {
	msg         *dns.Msg
	silent      bool              // no answer is sent
	delay       time.Duration     // the answer is sent this much later
	mangle      func(wire []byte) // nil, or spoils the packed answer
	negativeTTL time.Duration
	additional  [][]dns.RR // sets of records for the additional section, if they fit
}

// negative makes the reply NXDOMAIN or, with RcodeSuccess, NODATA.
func (r *reply) negative(rcode int) {
	r.failure(rcode)
	r.addSOA(r.msg.Question[0].Name)
}

// failure empties the reply and sets its code.
func (r *reply) failure(rcode int) {
	r.msg.Rcode = rcode
	r.empty()
}

// empty takes all records out.
func (r *reply) empty() { r.msg.Answer, r.msg.Ns, r.additional = nil, nil, nil }

// addSOA adds the zone's SOA, which says how long the absence may be kept.
func (r *reply) addSOA(owner string) {
	zone := "."
	if _, parent, ok := strings.Cut(owner, "."); ok && parent != "" {
		zone = parent
	}
	r.msg.Ns = []dns.RR{newSOA(zone, seconds32(r.negativeTTL))}
}

func newSOA(zone string, ttl uint32) *dns.SOA {
	return &dns.SOA{
		Hdr: dns.RR_Header{Name: zone, Rrtype: dns.TypeSOA, Class: dns.ClassINET, Ttl: ttl},
		Ns:  soaPrimary, Mbox: soaMailbox, Serial: soaSerial,
		Refresh: soaRefresh, Retry: soaRetry, Expire: soaExpire, Minttl: soaMinimum,
	}
}

// seconds32 is a duration as a TTL.
func seconds32(d time.Duration) uint32 { return uint32(d / time.Second) }

// newReply puts what a lookup found into a message.
func newReply(req *dns.Msg, l *lookup) *reply {
	r := &reply{msg: new(dns.Msg), negativeTTL: l.cfg.NegativeTTL}
	r.msg.SetReply(req)
	// Asked to recurse it answers as the VPC resolver, otherwise as Route 53 itself.
	r.msg.RecursionAvailable = req.RecursionDesired
	r.msg.Authoritative = !req.RecursionDesired
	r.msg.Rcode = l.rcode
	owner := req.Question[0].Name
	for _, link := range l.links {
		r.msg.Answer = append(r.msg.Answer, &dns.CNAME{Hdr: header(owner, dns.TypeCNAME, link.ttl), Target: link.target})
		owner = link.target
	}
	switch {
	case l.negative:
		r.addSOA(owner)
	case l.ptr != "":
		r.msg.Answer = append(r.msg.Answer, &dns.PTR{Hdr: header(owner, dns.TypePTR, l.ttl), Ptr: dns.Fqdn(l.ptr)})
	}
	r.msg.Answer = append(r.msg.Answer, addressRecords(owner, l.addrs, l.ttl)...)
	for _, s := range l.srv {
		r.msg.Answer = append(r.msg.Answer, newSRV(owner, s, l.ttl))
	}
	r.additional = additional(l.srvHosts)
	return r
}

func addressRecords(owner string, addrs []netip.Addr, ttl uint32) []dns.RR {
	var records []dns.RR
	for _, a := range addrs {
		if a.Is4() {
			records = append(records, &dns.A{Hdr: header(owner, dns.TypeA, ttl), A: a.AsSlice()})
		} else {
			records = append(records, &dns.AAAA{Hdr: header(owner, dns.TypeAAAA, ttl), AAAA: a.AsSlice()})
		}
	}
	return records
}

func header(owner string, rrtype uint16, ttl uint32) dns.RR_Header {
	return dns.RR_Header{Name: owner, Rrtype: rrtype, Class: dns.ClassINET, Ttl: ttl}
}

// addEDNS answers a client's OPT record (RFC 6891).
func (r *reply) addEDNS(asked *dns.OPT) {
	opt := &dns.OPT{Hdr: dns.RR_Header{Name: ".", Rrtype: dns.TypeOPT}}
	opt.SetUDPSize(ednsSize)
	opt.SetDo(asked.Do())
	if asked.Version() != 0 {
		r.failure(dns.RcodeBadVers)
	}
	r.msg.Extra = append(r.msg.Extra, opt)
}

// payloadSize is the largest answer the client can take.
func payloadSize(req *dns.Msg, transport Transport) int {
	if transport == TCP {
		return dns.MaxMsgSize
	}
	if opt := req.IsEdns0(); opt != nil {
		return max(int(opt.UDPSize()), dns.MinMsgSize)
	}
	return dns.MinMsgSize
}

// describe notes in the log's record what a finished message says, and returns its
// addresses: those of the answer, or of the hosts beside it, all of one family.
func (rec *record) describe(m *dns.Msg) []netip.Addr {
	rec.rcode = int16(m.Rcode)
	rec.set(isTruncated, m.Truncated)
	addrs := make([]netip.Addr, 0, len(m.Answer)+len(m.Extra))
	for _, rr := range slices.Concat(m.Answer, m.Extra) {
		var addr netip.Addr
		switch rr := rr.(type) {
		case *dns.A:
			addr, _ = netip.AddrFromSlice(rr.A.To4())
		case *dns.AAAA:
			addr, _ = netip.AddrFromSlice(rr.AAAA)
		default:
			continue
		}
		if len(addrs) == 0 || addr.BitLen() == addrs[0].BitLen() { // beside SRV both can stand
			addrs = append(addrs, addr)
		}
	}
	records := m.Answer
	if len(m.Ns) > 0 {
		records = m.Ns
	}
	for i, rr := range records {
		if ttl := rr.Header().Ttl; i == 0 || ttl < rec.ttl {
			rec.ttl = ttl
		}
	}
	return addrs
}
