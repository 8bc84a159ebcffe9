package fakedns

import (
	"hash/fnv"
	"math/rand/v2"
	"net/netip"
	"slices"
	"sync/atomic"
	"time"

	"github.com/miekg/dns"
)

// entry is a Name in a table, with what it takes to choose its answers.
type entry struct {
	Name
	counters *counters
	cached   *atomic.Int64 // when the countdown began, Unix nanoseconds; 0: not yet

	// A change on its way: before is seen until from, either until settled.
	before        *entry // nil: the name was not set
	from, settled time.Time
}

// counters number the answers of a name, so that orders differ from one to the
// next. They outlive a change of the name: a rotation goes on.
type counters struct{ a, aaaa, draws atomic.Uint64 }

func newEntry(n Name, previous *entry, now time.Time) *entry {
	e := &entry{Name: n, counters: &counters{}, cached: &atomic.Int64{}}
	if previous != nil {
		e.counters = previous.counters
	}
	if n.Propagation == 0 && n.Interleave == 0 {
		return e
	}
	if previous != nil {
		// What is seen now stays seen; a change that was itself on its way is overtaken.
		if seen := previous.settledAt(now); seen != nil {
			kept := *seen
			kept.before = nil // or every change would keep all those before it
			e.before = &kept
		}
	}
	e.from = now.Add(n.Propagation)
	e.settled = e.from.Add(n.Interleave)
	return e
}

// settledAt is what a client surely sees at that time, without drawing.
func (e *entry) settledAt(now time.Time) *entry {
	if !now.Before(e.from) {
		return e
	}
	return e.before
}

// visible is what one question sees: e, what it replaces, or nil if that was nothing.
func (e *entry) visible(now time.Time, seed uint64) *entry {
	if !now.Before(e.from) && now.Before(e.settled) {
		if e.draw(seed, e.counters.draws.Add(1)).Uint64()&1 == 0 {
			return e.before
		}
		return e
	}
	return e.settledAt(now)
}

// draw returns the random source for the n-th choice about this name.
func (e *entry) draw(seed, n uint64) *rand.Rand {
	h := fnv.New64a()
	h.Write([]byte(e.Name.Name))
	return rand.New(rand.NewPCG(seed^h.Sum64(), n))
}

func (e *entry) header(owner string, rrtype uint16, now time.Time) dns.RR_Header {
	return dns.RR_Header{Name: owner, Rrtype: rrtype, Class: dns.ClassINET, Ttl: e.ttl(now)}
}

// ttl is the TTL of an answer at that time, in seconds.
func (e *entry) ttl(now time.Time) uint32 {
	if e.TTLMode != TTLCountdown {
		return uint32(e.TTL / time.Second)
	}
	for {
		began := e.cached.Load()
		age := now.Sub(time.Unix(0, began))
		if began != 0 && age < e.TTL {
			return uint32((e.TTL - max(age, 0).Truncate(time.Second)) / time.Second)
		}
		e.cached.CompareAndSwap(began, now.UnixNano())
		if e.TTL == 0 {
			return 0
		}
	}
}

// answer returns the records of the type asked for.
func (e *entry) answer(owner string, q *question, seed uint64) []dns.RR {
	four, six := e.view(q)
	switch q.qtype {
	case dns.TypeA:
		chosen := e.choose(four, &e.counters.a, seed, dns.TypeA)
		return records(chosen, func(a netip.Addr) dns.RR {
			return &dns.A{Hdr: e.header(owner, dns.TypeA, q.received), A: a.AsSlice()}
		})
	case dns.TypeAAAA:
		chosen := e.choose(six, &e.counters.aaaa, seed, dns.TypeAAAA)
		return records(chosen, func(a netip.Addr) dns.RR {
			return &dns.AAAA{Hdr: e.header(owner, dns.TypeAAAA, q.received), AAAA: a.AsSlice()}
		})
	case dns.TypePTR:
		if e.PTR != "" {
			return []dns.RR{&dns.PTR{Hdr: e.header(owner, dns.TypePTR, q.received), Ptr: dns.Fqdn(e.PTR)}}
		}
	}
	return nil
}

func records(addrs []netip.Addr, record func(netip.Addr) dns.RR) []dns.RR {
	rrs := make([]dns.RR, len(addrs))
	for i, a := range addrs {
		rrs[i] = record(a)
	}
	return rrs
}

// view returns the addresses that this client gets.
func (e *entry) view(q *question) (four, six []netip.Addr) {
	for _, v := range e.Views {
		if q.among(v.Clients, v.Resolvers) {
			return v.A, v.AAAA
		}
	}
	return e.A, e.AAAA
}

// choose returns the addresses of the next answer; count numbers the answers.
func (e *entry) choose(addrs []netip.Addr, count *atomic.Uint64, seed uint64, qtype uint16) []netip.Addr {
	if len(addrs) < 2 {
		return addrs
	}
	n := count.Add(1) - 1
	switch e.Order {
	case OrderFixed:
	case OrderRotate:
		start := int(n % uint64(len(addrs)))
		addrs = slices.Concat(addrs[start:], addrs[:start])
	case OrderShuffle:
		addrs = slices.Clone(addrs)
		e.draw(seed, n<<16|uint64(qtype)).Shuffle(len(addrs), func(i, j int) { addrs[i], addrs[j] = addrs[j], addrs[i] })
	}
	return addrs[:min(len(addrs), e.MaxAnswers)]
}
