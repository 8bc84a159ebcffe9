package goproxy

import "time"

// The values of Upstream.Balance.
const (
	leastConn  = "leastconn"
	byRequests = "byrequests"
)

// wish is what the choice of an endpoint takes into account.
type wish struct {
	tried      []*attempt
	route      string // preferred member, "" for any
	only       bool   // no other member than that one
	repeatable bool   // the request may probe an ejected endpoint
	anyway     bool   // a tried or ejected endpoint is better than none
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
	var room [3][8]*endpoint // an ELB answer has at most 8 addresses
	healthy, ejected, tried := room[0][:0], room[1][:0], room[2][:0]
	for _, e := range u.set.Load().endpoints {
		switch {
		case e.disabled.Load() || (route != "" && e.member.route != route):
		case wasTried(w.tried, e):
			tried = append(tried, e)
		case e.probe(now, w.repeatable):
			return e
		case e.ejectedUntil.Load() == 0:
			healthy = append(healthy, e)
		default:
			ejected = append(ejected, e)
		}
	}
	switch {
	case len(healthy) > 0:
		return u.choose(healthy)
	case !w.anyway:
		return nil
	case len(ejected) > 0:
		return u.choose(ejected)
	default:
		return u.choose(tried)
	}
}

func wasTried(tried []*attempt, e *endpoint) bool {
	for _, a := range tried {
		if a.endpoint == e {
			return true
		}
	}
	return false
}

func (u *upstream) choose(endpoints []*endpoint) *endpoint {
	switch {
	case len(endpoints) == 0:
		return nil
	case len(endpoints) == 1:
		return endpoints[0]
	case u.cfg.Balance == byRequests:
		return u.turn(endpoints)
	default:
		return u.lessBusy(endpoints)
	}
}

// lessBusy is "the power of two choices", weighted: two endpoints are drawn in
// proportion to their weight and the one with fewer requests for its weight
// wins. Nearly as even as asking all, and without the herd that follows when
// everyone picks the one idle endpoint.
func (u *upstream) lessBusy(endpoints []*endpoint) *endpoint {
	a := u.draw(endpoints, nil)
	b := u.draw(endpoints, a)
	if b.outstanding.Load()*a.weight.Load() < a.outstanding.Load()*b.weight.Load() {
		return b
	}
	return a
}

// draw returns one of the endpoints but not, each in proportion to its weight.
func (u *upstream) draw(endpoints []*endpoint, not *endpoint) *endpoint {
	var total int64
	for _, e := range endpoints {
		if e != not {
			total += e.weight.Load()
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
		if ticket -= e.weight.Load(); ticket < 0 {
			break
		}
	}
	return last // also where a weight shrank since it was summed
}

// turn is smooth weighted round robin: each endpoint gains its weight, the
// richest serves and pays the sum.
func (u *upstream) turn(endpoints []*endpoint) *endpoint {
	u.rngMu.Lock()
	defer u.rngMu.Unlock()
	var best *endpoint
	var total int64
	for _, e := range endpoints {
		w := e.weight.Load()
		total += w
		e.credit += w
		if best == nil || e.credit > best.credit {
			best = e
		}
	}
	best.credit -= total
	return best
}
