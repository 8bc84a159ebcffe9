package targets

import (
	"slices"
	"time"
)

// lagging is a change that the node has not learned of yet.
type lagging struct {
	group Group
	timer *time.Timer
}

// latest is the group as the control plane has it. mu is held.
func (p *Pool) latest() Group {
	if n := len(p.pending); n > 0 {
		return p.pending[n-1].group
	}
	return p.group
}

// learned forgets the first n pending changes. mu is held.
func (p *Pool) learned(n int) {
	for _, l := range p.pending[:n] {
		l.timer.Stop()
	}
	p.pending = slices.Delete(p.pending, 0, n)
}

// later applies a change when the lag is over (3.4.2 O). mu is held.
func (p *Pool) later(g Group, lag time.Duration) {
	l := &lagging{group: g}
	p.pending = append(p.pending, l)
	l.timer = time.AfterFunc(p.scaled(lag), func() {
		p.mu.Lock()
		if i := slices.Index(p.pending, l); i >= 0 {
			p.learned(i + 1) // changes are learned of in their order
			p.apply(g, p.node)
		}
		p.mu.Unlock()
		p.changed()
	})
}

// changed tells that the health of targets may be another.
func (p *Pool) changed() {
	if p.env.Changed != nil {
		p.env.Changed()
	}
}
