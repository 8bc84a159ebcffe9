package goproxy

import (
	"hash/fnv"
	"math"
	"time"
)

// lessBusy is "the power of two choices", weighted: two endpoints are drawn in
// proportion to their share and the one with fewer requests for its share
// wins. Nearly as even as asking all, and without the herd that follows when
// everyone picks the one idle endpoint.
func (u *upstream) lessBusy(endpoints []*endpoint, now time.Time) *endpoint {
	a := u.draw(endpoints, nil, now)
	b := u.draw(endpoints, a, now)
	if b.outstanding.Load()*a.share(now) < a.outstanding.Load()*b.share(now) {
		return b
	}
	return a
}

// draw returns one of the endpoints but not, each in proportion to its share.
func (u *upstream) draw(endpoints []*endpoint, not *endpoint, now time.Time) *endpoint {
	var total int64
	for _, e := range endpoints {
		if e != not {
			total += e.share(now)
		}
	}
	u.rngMu.Lock()
	ticket := u.rng.Int64N(total)
	u.rngMu.Unlock()
	var last *endpoint
	for _, e := range endpoints {
		if e == not {
			continue
		}
		last = e
		if ticket -= e.share(now); ticket < 0 {
			break
		}
	}
	return last // also where a weight shrank since it was summed
}

// turn is smooth weighted round robin, Apache's byrequests: each endpoint gains
// its share, the richest serves and pays the sum.
func (u *upstream) turn(endpoints []*endpoint, now time.Time) *endpoint {
	if len(endpoints) == 1 {
		return endpoints[0]
	}
	u.rngMu.Lock()
	defer u.rngMu.Unlock()
	var best *endpoint
	var total int64
	for _, e := range endpoints {
		w := e.share(now)
		total += w
		e.credit += w
		if best == nil || e.credit > best.credit {
			best = e
		}
	}
	best.credit -= total
	return best
}

// leastBy returns the endpoints with the least amount for their share; it
// overwrites endpoints.
func leastBy(endpoints []*endpoint, now time.Time, amount func(*endpoint) int64) []*endpoint {
	least := endpoints[:0]
	var has, share int64
	for _, e := range endpoints {
		n, w := amount(e), e.share(now)
		switch d := n*share - has*w; {
		case len(least) == 0 || d < 0:
			least, has, share = append(least[:0], e), n, w
		case d == 0:
			least = append(least, e)
		}
	}
	return least
}

// leastTraffic returns the endpoint that has carried least.
func leastTraffic(endpoints []*endpoint) *endpoint {
	best := endpoints[0]
	for _, e := range endpoints[1:] {
		if e.traffic.Load() < best.traffic.Load() {
			best = e
		}
	}
	return best
}

// nearestTo is weighted rendezvous hashing: each endpoint draws a number from
// its address and the key, and the lowest for its weight wins. An endpoint that
// comes or goes moves only its own keys, and proxies that know the same
// addresses agree. The slow start does not count: a key belongs to its endpoint
// from the first moment.
func nearestTo(hash uint64, endpoints []*endpoint) *endpoint {
	var best *endpoint
	least := math.Inf(1)
	for _, e := range endpoints {
		drawn := (float64(mix(hash^e.identity)>>11) + 0.5) / (1 << 53) // in (0, 1)
		if cost := -math.Log(drawn) / float64(e.weight.Load()); cost < least {
			best, least = e, cost
		}
	}
	return best
}

// hashOf is never 0, which stands for no key. It must not change: proxies of
// different releases have to agree.
func hashOf(key string) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(key)) // never fails
	return max(1, mix(h.Sum64()))
}

// mix is the finalizer of SplitMix64: FNV alone spreads short keys badly.
func mix(x uint64) uint64 {
	x ^= x >> 30
	x *= 0xbf58476d1ce4e5b9
	x ^= x >> 27
	x *= 0x94d049bb133111eb
	return x ^ x>>31
}

// hashOf is the hash of the request's key, or 0.
func (u *upstream) hashOf(req *request) uint64 {
	if len(u.hashKey) == 0 {
		return 0
	}
	key := u.hashKey.expand(req)
	if key == "" {
		return 0
	}
	return hashOf(key)
}
