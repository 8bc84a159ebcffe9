package fakedns

import (
	"hash/fnv"
	"math/rand/v2"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// entry is a Name in a table, with what it takes to choose its answers.
type entry struct {
	Name
	owner    string // the name with zones that this one comes with; "" if it was set
	gone     bool   // deleted: answers nothing once that is settled
	counters *counters
	cached   *atomic.Int64 // when the countdown began, Unix nanoseconds; 0: not yet

	own          addressSet
	views        []addressSet // of Name.Views
	allUnhealthy bool

	// A change on its way: before is seen until from, either until settled.
	before        *entry    // nil: the name was not set
	from, settled time.Time // zero: at once
}

// addressSet is what one client may be given.
type addressSet struct{ four, six []netip.Addr }

// counters number the answers of a name, so that orders differ from one to the
// next. They outlive a change of the name: a rotation goes on.
type counters struct {
	a, aaaa, srv, draws atomic.Uint64

	mu    sync.Mutex
	asked map[string]int // the names that Name.Aliases were given to, by their turn
}

// turn numbers the distinct names that a wildcard is asked for, from 0; most is the
// number of all from that one on.
func (c *counters) turn(name string, most int) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	turn, known := c.asked[name]
	switch {
	case known:
		return min(turn, most)
	case len(c.asked) >= most:
		return most
	case c.asked == nil:
		c.asked = map[string]int{}
	}
	turn = len(c.asked)
	c.asked[name] = turn
	return turn
}

// alias is the name whose records are answered for this one; "" if it has its own.
func (e *entry) alias(name string) string {
	if len(e.Aliases) == 0 {
		return e.Alias
	}
	return e.Aliases[e.counters.turn(name, len(e.Aliases)-1)]
}

func newEntry(n Name, previous *entry, now time.Time) *entry {
	e := &entry{Name: n, counters: &counters{}, cached: &atomic.Int64{}}
	e.fill()
	if previous != nil {
		e.counters = previous.counters
	}
	if n.Propagation == 0 && n.Interleave == 0 {
		return e
	}
	if previous != nil {
		// What is answered now is answered until this change comes; one that was on its way is overtaken.
		if seen := previous.settledAt(now); seen != nil {
			kept := *seen
			kept.before = nil // or every change would keep all those before it
			e.before = &kept
		}
	}
	if n.Propagation > 0 {
		e.from = now.Add(n.Propagation)
	}
	e.settled = now.Add(n.Propagation + n.Interleave)
	return e
}

// fill works out which addresses may be given.
func (e *entry) fill() {
	all := e.addresses()
	e.own = addressSet{e.usable(all.four), e.usable(all.six)}
	for _, v := range e.Views {
		e.views = append(e.views, addressSet{e.usable(v.A), e.usable(v.AAAA)})
	}
	unhealthy := func(a netip.Addr) bool { return slices.Contains(e.Unhealthy, a) }
	every := slices.Concat(all.four, all.six)
	e.allUnhealthy = len(every) > 0 && !slices.ContainsFunc(every, func(a netip.Addr) bool { return !unhealthy(a) })
}

// settledAt is what a client surely sees at that time, without drawing.
func (e *entry) settledAt(now time.Time) *entry {
	if now.Before(e.from) {
		return e.before
	}
	if e.gone {
		return nil
	}
	return e
}

// visible is what one question sees, e or what it replaces, and whether it is the
// latter; nil if that is nothing.
func (e *entry) visible(now time.Time, seed uint64) (seen *entry, replaced bool) {
	if !now.Before(e.settled) {
		return e.settledAt(now), false
	}
	if now.Before(e.from) {
		return e.before, true
	}
	draw := e.draw(seed, e.counters.draws.Add(1))
	if draw.Uint64()&1 == 0 {
		return e.before, true
	}
	return e.settledAt(now), false
}

// draw returns the random source for the n-th choice about this name.
func (e *entry) draw(seed, n uint64) rand.PCG {
	h := fnv.New64a()
	h.Write([]byte(e.Name.Name))
	return *rand.NewPCG(seed^h.Sum64(), n)
}

// ttl is the TTL of an answer at that time, in seconds.
func (e *entry) ttl(now time.Time) uint32 {
	if e.TTLMode != TTLCountdown {
		return seconds32(e.TTL)
	}
	for {
		began := e.cached.Load()
		age := now.Sub(time.Unix(0, began))
		if began != 0 && age < e.TTL {
			return seconds32(e.TTL - max(age, 0).Truncate(time.Second))
		}
		e.cached.CompareAndSwap(began, now.UnixNano())
		if e.TTL == 0 {
			return 0
		}
	}
}

// view returns the addresses that this client may be given.
func (e *entry) view(q *question) *addressSet {
	for i := range e.Views {
		if v := &e.Views[i]; q.among(v.Clients, v.Resolvers) {
			return &e.views[i]
		}
	}
	return &e.own
}

// choose appends to dst which of an entry's records of one type are in its next answer,
// in their order; count numbers these answers.
func choose[T any](e *entry, dst, from []T, count *atomic.Uint64, seed uint64, qtype uint16) []T {
	most := min(len(from), e.MaxAnswers)
	if len(from) < 2 {
		return append(dst, from...)
	}
	n := count.Add(1) - 1
	switch e.Order {
	case OrderFixed:
	case OrderRotate:
		start := int(n % uint64(len(from)))
		dst = append(append(dst, from[start:]...), from[:start]...)
		return dst[:most]
	case OrderShuffle:
		dst = append(dst, from...)
		draw := e.draw(seed, n<<16|uint64(qtype))
		// Fisher and Yates, as far as it is seen. The modulo is uneven by less than 2^-50.
		for i := range most {
			j := i + int(draw.Uint64()%uint64(len(dst)-i))
			dst[i], dst[j] = dst[j], dst[i]
		}
		return dst[:most]
	}
	return append(dst, from[:most]...)
}
