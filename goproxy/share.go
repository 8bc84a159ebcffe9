package goproxy

import (
	"math"
	"time"
)

// shareUnit is the weight of one load factor. It keeps the quotient exact for a
// member with up to 10 addresses.
const shareUnit = 2520

// share is the endpoint's weight at the moment: less than its own during the
// slow start, and never 0.
func (e *endpoint) share(now time.Time) int64 {
	weight := e.weight.Load()
	ramp := int64(e.member.up.cfg.SlowStart)
	if ramp <= 0 {
		return weight
	}
	since := now.UnixNano() - e.warmSince.Load()
	if since >= ramp {
		return weight
	}
	return max(1, int64(float64(weight)*float64(since)/float64(ramp)))
}

// warm begins the slow start. For bytraffic the endpoint begins level with the
// others: it would else get every request until it has caught up.
func (e *endpoint) warm(now time.Time) {
	e.warmSince.Store(now.UnixNano())
	set := e.member.up.set.Load()
	least := int64(-1)
	for _, other := range set.endpoints {
		if t := other.traffic.Load(); other != e && other.usable() && (least < 0 || t < least) {
			least = t
		}
	}
	if e.traffic.Load() < least {
		e.traffic.Store(least)
	}
}

// carried counts bytes of requests and responses. The count ends at the most that
// there is room for.
func (e *endpoint) carried(bytes int64) {
	if e.member.up.cfg.Balance != byTraffic {
		return
	}
	share := e.share(time.Now())
	more := int64(math.MaxInt64)
	if bytes <= math.MaxInt64/shareUnit {
		more = bytes * shareUnit / share
	}
	for {
		was := e.traffic.Load()
		if e.traffic.CompareAndSwap(was, was+min(more, math.MaxInt64-was)) {
			return
		}
	}
}

// usable reports whether the endpoint takes requests as a matter of course.
func (e *endpoint) usable() bool {
	return !e.disabled.Load() && !e.member.refuses("") && !e.health.sick.Load() && e.ejectedUntil.Load() == 0
}
