package fakedns

import (
	"hash/fnv"
	"maps"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/miekg/dns"
)

// table is the set of names at one moment. It is never changed: a change makes a new one.
type table struct {
	entries map[string]*entry
	// above holds the ancestors of every name: they exist without records (RFC 8020),
	// so that they are NODATA and not NXDOMAIN.
	above map[string]struct{}
}

// entry is a Name with what is needed to order its answers.
type entry struct {
	Name
	asked *askedCounters
}

// askedCounters outlive a change of the name, so that a rotation goes on.
type askedCounters struct{ a, aaaa atomic.Uint64 }

func newTable(names map[string]Name, before *table) (*table, *Error) {
	t := &table{entries: make(map[string]*entry, len(names)), above: map[string]struct{}{}}
	for key, n := range names {
		e := &entry{Name: n, asked: &askedCounters{}}
		if before != nil && before.entries[key] != nil {
			e.asked = before.entries[key].asked
		}
		t.entries[key] = e
		for _, rest, ok := strings.Cut(key, "."); ok && rest != ""; _, rest, ok = strings.Cut(rest, ".") {
			t.above[rest] = struct{}{}
		}
	}
	for _, key := range slices.Sorted(maps.Keys(t.entries)) {
		if err := t.checkChain(t.entries[key]); err != nil {
			return nil, err
		}
	}
	return t, nil
}

// checkChain refuses aliases and CNAMEs that lead back to themselves.
func (t *table) checkChain(start *entry) *Error {
	seen := map[*entry]bool{}
	for e := start; e != nil && e.target() != ""; e = t.find(e.target()) {
		if seen[e] {
			return invalid("names", "%q leads back to %q through alias or cname, want a chain that ends", start.Name.Name, e.Name.Name)
		}
		seen[e] = true
	}
	return nil
}

// find returns the entry that answers for a canonical name, or nil.
func (t *table) find(name string) *entry {
	if e := t.entries[name]; e != nil {
		return e
	}
	return t.entries[Wildcard]
}

func (t *table) names() map[string]Name {
	names := make(map[string]Name, len(t.entries))
	for key, e := range t.entries {
		names[key] = e.Name
	}
	return names
}

// resolution is what the table says to one question.
type resolution struct {
	records []dns.RR
	rcode   int
	// negative: no record of the type asked for stands at the end of the chain.
	negative bool
}

// resolve answers a question, following aliases silently and CNAMEs visibly.
// owner is the name as it was asked, whose spelling the answer keeps.
func (t *table) resolve(owner string, qtype uint16, seed uint64) resolution {
	var res resolution
	name := canonical(owner)
	for {
		e := t.find(name)
		if e == nil {
			if _, exists := t.above[name]; !exists {
				res.rcode = dns.RcodeNameError
			}
			res.negative = true
			return res
		}
		for e.Alias != "" {
			if e = t.find(e.Alias); e == nil {
				res.negative = true
				return res
			}
		}
		if e.CNAME == "" {
			records := e.records(owner, qtype, seed)
			res.records = append(res.records, records...)
			res.negative = len(records) == 0
			return res
		}
		target := dns.Fqdn(e.CNAME)
		res.records = append(res.records, &dns.CNAME{Hdr: e.header(owner, dns.TypeCNAME), Target: target})
		if qtype == dns.TypeCNAME {
			return res
		}
		owner, name = target, e.CNAME
	}
}

func (e *entry) header(owner string, rrtype uint16) dns.RR_Header {
	return dns.RR_Header{Name: owner, Rrtype: rrtype, Class: dns.ClassINET, Ttl: uint32(e.TTL.Seconds())}
}

func (e *entry) records(owner string, qtype uint16, seed uint64) []dns.RR {
	var addrs []netip.Addr
	var n uint64
	switch qtype {
	case dns.TypeA:
		addrs, n = e.A, e.asked.a.Add(1)-1
	case dns.TypeAAAA:
		addrs, n = e.AAAA, e.asked.aaaa.Add(1)-1
	}
	chosen := e.choose(addrs, qtype, n, seed)
	records := make([]dns.RR, len(chosen))
	for i, a := range chosen {
		if qtype == dns.TypeA {
			records[i] = &dns.A{Hdr: e.header(owner, qtype), A: a.AsSlice()}
		} else {
			records[i] = &dns.AAAA{Hdr: e.header(owner, qtype), AAAA: a.AsSlice()}
		}
	}
	return records
}

// choose returns the addresses of the n-th answer.
func (e *entry) choose(addrs []netip.Addr, qtype uint16, n, seed uint64) []netip.Addr {
	if len(addrs) < 2 {
		return addrs
	}
	switch e.Order {
	case OrderFixed:
	case OrderRotate:
		start := int(n % uint64(len(addrs)))
		addrs = slices.Concat(addrs[start:], addrs[:start])
	case OrderShuffle:
		h := fnv.New64a()
		h.Write([]byte(e.Name.Name))
		draw := rand.New(rand.NewPCG(seed^h.Sum64(), n<<16|uint64(qtype)))
		addrs = slices.Clone(addrs)
		draw.Shuffle(len(addrs), func(i, j int) { addrs[i], addrs[j] = addrs[j], addrs[i] })
	}
	return addrs[:min(len(addrs), e.MaxAnswers)]
}
