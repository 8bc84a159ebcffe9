package goproxy

import "time"

// The values of Upstream.Balance.
const (
	leastConn  = "leastconn"
	byRequests = "byrequests"
	byTraffic  = "bytraffic"
	byBusyness = "bybusyness"
	byHash     = "hash"
)

var balances = []string{leastConn, byRequests, byTraffic, byBusyness, byHash}

// wish is what the choice of an endpoint takes into account.
type wish struct {
	tried   []*attempt
	route   string // preferred member, "" for any
	only    bool   // no other member than that one
	hash    uint64 // of the hash key, 0 for none
	mayCopy bool   // the request may probe an ejected endpoint: a copy saves it if that is silent
	anyway  bool   // a tried or ejected endpoint is better than none
}

// pick chooses an endpoint. It prefers, in this order, one that is healthy and
// not tried yet; and with anyway one that is ejected (fail-open, as in ALB),
// then one that was tried. Nil means there is none.
func (u *upstream) pick(w wish) *endpoint {
	if w.route != "" {
		own := w
		own.anyway = w.anyway && w.only
		if e := u.pickFrom(own, w.route); e != nil || w.only {
			return e
		}
	}
	return u.pickFrom(w, "")
}

func (u *upstream) pickFrom(w wish, route string) *endpoint {
	now := time.Now()
	endpoints := u.set.Load().endpoints
	// A session that a spare began is kept there.
	spares := route != "" || !u.hasSpares || u.needsSpares(endpoints)
	everyone := route == "" && u.panics(endpoints, spares)
	// Nothing saves a request from a silent address if no copy may be sent. A session
	// or a key does not move for a suspicion.
	trusting := w.mayCopy || route != "" || w.hash != 0
	var room [3][8]*endpoint // an ELB answer has at most 8 addresses
	healthy, ejected, tried := room[0][:0], room[1][:0], room[2][:0]
	for _, e := range endpoints {
		switch {
		case e.disabled.Load() || e.member.refuses(route) || (route != "" && e.member.route != route):
		case e.member.backup && !spares:
		case wasTried(w.tried, e):
			tried = append(tried, e)
		case everyone:
			healthy = append(healthy, e)
		case e.health.sick.Load():
			ejected = append(ejected, e)
		case e.probe(now, w.mayCopy):
			return e
		case e.ejectedUntil.Load() == 0 && (trusting || !e.suspected(now)):
			healthy = append(healthy, e)
		default:
			ejected = append(ejected, e)
		}
	}
	switch {
	case len(healthy) > 0:
		return u.choose(healthy, w.hash, now)
	case !w.anyway:
		return nil
	case len(ejected) > 0:
		return u.choose(ejected, w.hash, now)
	default:
		return u.choose(tried, w.hash, now)
	}
}

// needsSpares reports whether no endpoint but spares takes requests. One that
// this request has tried still counts: a spare is for a member that is away,
// not for a request that is slow.
func (u *upstream) needsSpares(endpoints []*endpoint) bool {
	for _, e := range endpoints {
		if !e.member.backup && e.usable() {
			return false
		}
	}
	return true
}

// panics reports whether so few endpoints are healthy that all have to be used:
// those that are left would not bear the load of the rest.
func (u *upstream) panics(endpoints []*endpoint, spares bool) bool {
	if u.cfg.PanicPercent == 0 {
		return false
	}
	all, well := 0, 0
	for _, e := range endpoints {
		if e.disabled.Load() || e.member.refuses("") || (e.member.backup && !spares) {
			continue
		}
		all++
		if e.usable() {
			well++
		}
	}
	now := well*100 < all*u.cfg.PanicPercent
	if u.panicking.Load() != now && u.panicking.CompareAndSwap(!now, now) {
		u.log.Warn("panic: too few addresses are healthy, so all are used", "begins", now, "healthy", well, "addresses", all)
	}
	return now
}

func wasTried(tried []*attempt, e *endpoint) bool {
	for _, a := range tried {
		if a.endpoint == e {
			return true
		}
	}
	return false
}

func (u *upstream) choose(endpoints []*endpoint, hash uint64, now time.Time) *endpoint {
	if len(endpoints) < 2 {
		for _, e := range endpoints {
			return e
		}
		return nil
	}
	switch u.cfg.Balance {
	case byRequests:
		return u.turn(endpoints, now)
	case byBusyness:
		return u.turn(leastBy(endpoints, now, func(e *endpoint) int64 { return e.outstanding.Load() }), now)
	case byTraffic:
		return leastTraffic(endpoints)
	case byHash:
		if hash != 0 {
			return nearestTo(hash, endpoints)
		}
	}
	return u.lessBusy(endpoints, now)
}
