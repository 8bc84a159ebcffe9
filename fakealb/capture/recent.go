//go:build linux

package capture

import (
	"net/netip"
	"time"
)

// memory is how long a flow is remembered at least. Linux retries a SYN for 127 s
// with its default of 6 retries.
const memory = 3 * time.Minute

type flow struct{ src, dst netip.AddrPort }

// progress is the highest number seen of a flow, in TCP's wrapping arithmetic.
type progress struct {
	isn, end        uint32
	hasISN, hasData bool
}

// recent remembers flows for one to two times memory, then forgets them.
type recent struct {
	now, before map[flow]progress
	since       time.Time
}

func newRecent() recent { return recent{now: map[flow]progress{}} }

func (r *recent) get(f flow, at time.Time) progress {
	if at.Sub(r.since) > memory {
		r.before, r.now, r.since = r.now, map[flow]progress{}, at
	}
	if p, ok := r.now[f]; ok {
		return p
	}
	return r.before[f]
}

// syn reports whether this SYN was seen before.
func (r *recent) syn(f flow, isn uint32, at time.Time) bool {
	p := r.get(f, at)
	again := p.hasISN && p.isn == isn
	if !again {
		p = progress{isn: isn, hasISN: true}
	}
	r.now[f] = p
	return again
}

// data reports whether payload that ends before end was seen up to there before.
func (r *recent) data(f flow, end uint32, at time.Time) bool {
	p := r.get(f, at)
	again := p.hasData && int32(end-p.end) <= 0
	if !again {
		p.end, p.hasData = end, true
	}
	r.now[f] = p
	return again
}
