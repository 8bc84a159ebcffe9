package targets

import "time"

// ramp begins or ends the slow start of a target whose state has just changed
// (3.4.3 D): it begins when the target became healthy while another one is that is
// past its own, but not for those that an empty group began with. mu is held.
func (p *Pool) ramp(t *target) {
	t.rampFrom, t.credit = time.Time{}, 0
	if t.now.state != Healthy {
		return
	}
	first := t.first
	t.first = false
	if first || p.group.Attributes.SlowStartSeconds == 0 {
		return
	}
	for _, o := range p.targets {
		if o != t && o.now.state == Healthy && p.share(o) == 1 {
			t.rampFrom = time.Now()
			return
		}
	}
}

// share is what a target gets in proportion to the others: growing linearly from
// 0 to 1 over the slow start.
func (p *Pool) share(t *target) float64 {
	if t.rampFrom.IsZero() {
		return 1
	}
	full := seconds(p.group.Attributes.SlowStartSeconds)
	if age := p.age(t.rampFrom); age < full {
		return float64(age) / float64(full)
	}
	t.rampFrom = time.Time{}
	return 1
}

// ramping is a round robin by shares: each target is credited its share, and the
// one with the most credit pays for all.
func (p *Pool) ramping(among []*target) *target {
	best, sum := among[0], 0.0
	for _, t := range among {
		share := p.share(t)
		t.credit += share
		sum += share
		if t.credit > best.credit {
			best = t
		}
	}
	best.credit -= sum
	return best
}
