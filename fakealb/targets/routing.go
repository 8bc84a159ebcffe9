package targets

import (
	"slices"
	"time"
)

// scope are the registered targets that this node may use: of all zones, or of its
// own with cross-zone off (3.4.9 D), without those of a zone that traffic is
// shifted away from (1.16 D). mu is held.
func (p *Pool) scope() []*target {
	var out []*target
	for _, t := range p.targets {
		mine := p.group.crossZone() || t.zone == "" || t.zone == p.node.Zone
		if mine && !p.shifted(t) {
			out = append(out, t)
		}
	}
	return out
}

// shifted reports whether a zonal shift takes the target out: with cross-zone on
// only, as else the shift of the node's addresses does it (1.16 D).
func (p *Pool) shifted(t *target) bool {
	return t.zone != "" && t.zone == p.node.ShiftedZone && p.group.crossZone()
}

// refresh finds out where new requests may go: to the healthy targets, or, if
// these are too few, to all of them (fail-open: 3.3.1, 3.3.2 D). mu is held.
func (p *Pool) refresh() {
	scope, healthy := p.scope(), p.healthy()
	a := p.group.Attributes
	p.failedOpen = len(scope) > 0 && failed(len(healthy), len(scope), a.UnhealthyRoutingCount, a.UnhealthyRoutingPercentage)
	p.routable = healthy
	if p.failedOpen {
		p.routable = scope
	}
	p.endFlows()
}

// healthy are the targets of the scope that are. mu is held.
func (p *Pool) healthy() []*target {
	return slices.DeleteFunc(p.scope(), func(t *target) bool { return t.now.state != Healthy })
}

// choice is a target for a request, with what the pool was at that moment.
type choice struct {
	*target
	group      Group
	http       transport
	idle       time.Duration // scaled
	whole      time.Duration // likewise: of a whole response; 0 for any time
	failedOpen bool
	others     int // targets that could have been chosen instead
}

// pick chooses the target of the next request and counts it as outstanding: the
// preferred one if requests may go there, else one of the algorithm's choice
// (3.4.4 D), none of those excluded. It is not ok if there is none (3.3.4 D).
func (p *Pool) pick(preferred string, excluded []*target) (c choice, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	among := p.routable
	if len(excluded) > 0 {
		among = slices.DeleteFunc(slices.Clone(among), func(t *target) bool { return slices.Contains(excluded, t) })
	}
	if len(among) == 0 {
		return c, false
	}
	p.advance(time.Now())
	i := -1
	if preferred != "" {
		i = slices.IndexFunc(among, func(t *target) bool { return t.id == preferred })
	}
	t := (*target)(nil)
	if i >= 0 {
		t = among[i]
	} else {
		t = p.choose(among)
	}
	t.outstanding++
	return choice{t, p.group, t.http, p.scaled(p.node.Idle), p.scaled(p.node.Whole), p.failedOpen, len(among) - 1}, true
}

// Status is the health of a group as one node sees it, for DNS and for metrics.
type Status struct {
	Registered int // targets that the node may use
	Healthy    int
	// DNS and Routing are whether the thresholds of DNS failover and of routing are
	// met (1.15, 3.3.2 D). While no target has had a check yet, that of DNS is (G): a
	// node that begins would else leave DNS for a moment.
	DNS, Routing bool
}

// Status returns the health of the group.
func (p *Pool) Status() Status {
	p.mu.Lock()
	defer p.mu.Unlock()
	a := p.group.Attributes
	s := Status{Registered: len(p.scope()), Healthy: len(p.healthy())}
	s.DNS = !failed(s.Healthy, s.Registered, a.DNSFailoverCount, a.DNSFailoverPercentage) || p.unknown()
	s.Routing = !failed(s.Healthy, s.Registered, a.UnhealthyRoutingCount, a.UnhealthyRoutingPercentage)
	return s
}

// unknown reports whether there are targets and none had a check yet. mu is held.
func (p *Pool) unknown() bool {
	scope := p.scope()
	return len(scope) > 0 && !slices.ContainsFunc(scope, func(t *target) bool { return t.now.state != Initial })
}
