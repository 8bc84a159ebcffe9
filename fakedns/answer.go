package fakedns

import (
	"net/netip"
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

// ednsSize is the UDP payload size that answers with EDNS0 announce: what fits into
// any path without fragments (DNS flag day 2020).
const ednsSize = 1232

// question is one query as faults and the log see it.
type question struct {
	name      string // canonical
	qtype     uint16
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
}

// negative makes the reply NXDOMAIN or, with RcodeSuccess, NODATA.
func (r *reply) negative(rcode int) {
	r.failure(rcode)
	r.addSOA(r.msg.Question[0].Name)
}

// failure empties the reply and sets its code.
func (r *reply) failure(rcode int) {
	r.msg.Rcode = rcode
	r.msg.Answer, r.msg.Ns = nil, nil
}

// addSOA adds the zone's SOA, which says how long the absence may be kept.
func (r *reply) addSOA(owner string) {
	zone := "."
	if _, parent, ok := strings.Cut(owner, "."); ok && parent != "" {
		zone = parent
	}
	r.msg.Ns = []dns.RR{&dns.SOA{
		Hdr: dns.RR_Header{
			Name: zone, Rrtype: dns.TypeSOA, Class: dns.ClassINET, Ttl: uint32(r.negativeTTL.Seconds()),
		},
		Ns: soaPrimary, Mbox: soaMailbox, Serial: soaSerial,
		Refresh: soaRefresh, Retry: soaRetry, Expire: soaExpire, Minttl: soaMinimum,
	}}
}

// answer builds the reply to a well-formed query from one state, and says whether
// anything in it has already been replaced.
func (st *state) answer(req *dns.Msg, q *question, cfg *Config) (r *reply, faults []string, stale bool) {
	r = &reply{msg: new(dns.Msg), negativeTTL: cfg.NegativeTTL}
	r.msg.SetReply(req)
	// Asked to recurse it answers as the VPC resolver, otherwise as Route 53 itself.
	r.msg.RecursionAvailable = req.RecursionDesired
	r.msg.Authoritative = !req.RecursionDesired

	table := st.table
	var active []*activeFault
	for _, f := range st.faults {
		if !f.takesPart(q) {
			continue
		}
		active = append(active, f)
		faults = append(faults, f.ID)
		if a, ok := f.behaviour.(archive); ok {
			table = a.table()
		}
	}
	stale = r.lookUp(&lookup{table: table, q: q, seed: cfg.Seed}, req.Question[0]) || table != st.table
	for _, f := range active {
		f.behaviour.apply(r)
	}
	if opt := req.IsEdns0(); opt != nil {
		r.addEDNS(opt)
	}
	return r, faults, stale
}

// lookUp fills in what the table says.
func (r *reply) lookUp(l *lookup, asked dns.Question) (stale bool) {
	if asked.Qclass != dns.ClassINET {
		r.failure(dns.RcodeRefused)
		return false
	}
	l.run(asked.Name)
	r.msg.Answer, r.msg.Rcode = l.records, l.rcode
	if l.negative {
		last := asked.Name
		if n := len(l.records); n > 0 {
			last = l.records[n-1].(*dns.CNAME).Target
		}
		r.addSOA(last)
	}
	return l.stale
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

// describe notes in the log's record what a finished message says.
func (rec *record) describe(m *dns.Msg) {
	rec.rcode = int16(m.Rcode)
	rec.truncated = m.Truncated
	addrs := make([]netip.Addr, 0, len(m.Answer))
	for _, rr := range m.Answer {
		switch rr := rr.(type) {
		case *dns.A:
			a, _ := netip.AddrFromSlice(rr.A.To4())
			addrs = append(addrs, a)
		case *dns.AAAA:
			a, _ := netip.AddrFromSlice(rr.AAAA)
			addrs = append(addrs, a)
		}
	}
	rec.setAddresses(addrs)
	records := m.Answer
	if len(m.Ns) > 0 {
		records = m.Ns
	}
	for i, rr := range records {
		if ttl := rr.Header().Ttl; i == 0 || ttl < rec.ttl {
			rec.ttl = ttl
		}
	}
}
