package fakedns

import (
	"net/netip"
	"slices"

	"github.com/miekg/dns"
)

// SRV is one SRV record (RFC 2782): a host, and the port at which it has a service.
// Whoever reads it takes the hosts of the lowest Priority, more often those of more
// Weight.
type SRV struct {
	Priority uint16 `json:"priority,omitempty"`
	Weight   uint16 `json:"weight,omitempty"`
	// Port is from 1 to 65535; with the Target "." it may be 0.
	Port uint16 `json:"port,omitempty"`
	// Target is the name of the host. Its addresses, if it has any, come with the
	// answer. "." says that there is no such service.
	Target string `json:"target"`
}

// maxSRV keeps the largest answer within one DNS message: a record is at most 273
// bytes, since the name in it is never shortened.
const maxSRV = 200

// normalizeSRV checks the SRV records of a name.
func normalizeSRV(in []SRV) ([]SRV, *Error) {
	if len(in) > maxSRV {
		return nil, invalid("srv", "got %d records, want at most %d", len(in), maxSRV)
	}
	var out []SRV
	for i, s := range in {
		if _, err := netip.ParseAddr(s.Target); err == nil {
			return nil, invalid(indexed("srv", i)+".target", "got the address %s, want the name of a host that has it", s.Target)
		}
		var err *Error
		if s.Target, err = hostname(indexed("srv", i)+".target", s.Target); err != nil {
			return nil, err
		}
		if s.Port == 0 && s.Target != "." {
			return nil, invalid(indexed("srv", i)+".port", "missing or 0, want 1 to 65535")
		}
		out = append(out, s)
	}
	return out, nil
}

// host is one that the SRV records of an answer name, with its addresses.
type host struct {
	name string
	ttl  uint32
	addressSet
}

// hosts are the hosts of SRV records that have addresses here. A host whose name is a
// CNAME has none: RFC 2782 does not allow it, and BIND adds nothing for it either.
func (l *lookup) hosts(records []SRV) []host {
	var hosts []host
	known := map[string]bool{}
	for _, s := range records {
		if known[s.Target] {
			continue
		}
		known[s.Target] = true
		e := l.find(s.Target)
		if e == nil || e.CNAME != "" {
			continue
		}
		v := e.view(l.q)
		h := host{name: dns.Fqdn(s.Target), addressSet: addressSet{
			four: choose(e, nil, v.four, &e.counters.a, l.cfg.Seed, dns.TypeA),
			six:  choose(e, nil, v.six, &e.counters.aaaa, l.cfg.Seed, dns.TypeAAAA),
		}}
		if len(h.four)+len(h.six) > 0 {
			h.ttl = l.clamped(e)
			hosts = append(hosts, h)
		}
	}
	return hosts
}

// additional are the sets of records that tell a client the addresses of the hosts, in
// the order in which BIND gives them: all A before all AAAA.
func additional(hosts []host) [][]dns.RR {
	var sets [][]dns.RR
	for _, family := range []func(host) []netip.Addr{
		func(h host) []netip.Addr { return h.four },
		func(h host) []netip.Addr { return h.six },
	} {
		for _, h := range hosts {
			if records := addressRecords(h.name, family(h), h.ttl); len(records) > 0 {
				sets = append(sets, records)
			}
		}
	}
	return sets
}

// addAdditional puts in as many of the additional sets as fit into size. A client is
// not sent to TCP for those that do not (RFC 2181, 9). The OPT record comes behind them:
// HAProxy 2.6 does not see addresses that come after it.
func (r *reply) addAdditional(size int) {
	r.msg.Compress = true
	opt := r.msg.Extra
	var fit []dns.RR
	for _, set := range r.additional {
		longer := slices.Concat(fit, set)
		if r.msg.Extra = slices.Concat(longer, opt); r.msg.Len() > size {
			break
		}
		fit = longer
	}
	r.msg.Extra = slices.Concat(fit, opt)
}

// newSRV is the record as it stands in an answer.
func newSRV(owner string, s SRV, ttl uint32) *dns.SRV {
	return &dns.SRV{
		Hdr:      header(owner, dns.TypeSRV, ttl),
		Priority: s.Priority, Weight: s.Weight, Port: s.Port, Target: dns.Fqdn(s.Target),
	}
}
