package targets

import (
	"context"
	"errors"
	"net/netip"
	"sync"
	"time"
)

// Flow is the target of one connection through a Network Load Balancer.
type Flow struct {
	Target string // its ID
	Addr   netip.AddrPort
	// FailedOpen says that too few targets were healthy, so that this one got it
	// regardless of its health.
	FailedOpen bool
	// Lost ends when the flow is to be reset, with ErrUnhealthy or ErrDeregistered as
	// its cause.
	Lost context.Context
	// Failed tells that the target could not be reached (passive checks: 4.4 D).
	Failed func()
	// Done is to be called at the end of the flow.
	Done func()
}

// Why a flow is lost.
var (
	// ErrUnhealthy ends the flows of a target that failed its health checks (4.5 D).
	ErrUnhealthy = errors.New("the target became unhealthy")
	// ErrDeregistered ends what is still under way with a target at the end of its
	// deregistration delay: 502 to requests (2.4.1 D), RST to flows (4.9 D).
	ErrDeregistered = errors.New("the deregistration delay of the target ended")
)

// flows are what a target knows of the flows pinned to it. mu of the pool is held.
type flows struct {
	lost context.Context // of the present flows; nil while there were none
	lose context.CancelCauseFunc
	// yielded ends the state unhealthy.draining.
	yielded *time.Timer
}

// PickFlow returns the target that a flow of this hash is pinned to (4.1 D), and
// false if none is registered that the node may use.
func (p *Pool) PickFlow(hash uint64) (Flow, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.routable) == 0 {
		return Flow{}, false
	}
	t := p.routable[hash%uint64(len(p.routable))]
	t.outstanding++
	if t.flows.lost == nil || t.flows.lost.Err() != nil {
		// A child of gone, so that deregistration ends it too.
		t.flows.lost, t.flows.lose = context.WithCancelCause(t.gone)
	}
	return Flow{
		Target: t.id, Addr: t.addr, FailedOpen: p.failedOpen, Lost: t.flows.lost,
		Failed: func() { p.passive(t) },
		Done: sync.OnceFunc(func() {
			p.mu.Lock()
			defer p.mu.Unlock()
			t.outstanding--
		}),
	}, true
}

// passive takes a connection that failed for a health check that did (4.4 D).
func (p *Pool) passive(t *target) {
	p.mu.Lock()
	g := p.group
	p.mu.Unlock()
	p.took(t, g, result{code: -1, reason: reasonFailed, description: descriptions[reasonFailed]})
}

// endFlows resets the flows of unhealthy targets, unless the group fails open
// (4.5 D). mu is held.
func (p *Pool) endFlows() {
	if !p.group.Network() || p.failedOpen || !*p.group.Attributes.UnhealthyTermination {
		return
	}
	for _, t := range p.targets {
		if t.now.state == Unhealthy {
			t.flows.end()
		}
	}
}

func (f flows) end() {
	if f.lose != nil {
		f.lose(ErrUnhealthy)
	}
}

// yield lets a target that became unhealthy be unhealthy.draining first, if the
// group has an interval for that. mu is held.
func (p *Pool) yield(t *target) {
	if t.flows.yielded != nil {
		t.flows.yielded.Stop()
		t.flows.yielded = nil
	}
	interval := p.group.Attributes.UnhealthyDrainingSeconds
	if t.now.state != Unhealthy || interval == 0 {
		return
	}
	t.now.state = UnhealthyDraining
	t.flows.yielded = time.AfterFunc(p.scaled(seconds(interval)), func() {
		p.mu.Lock()
		ended := t.now.state == UnhealthyDraining
		if ended {
			t.now.state = Unhealthy
			if !p.failedOpen {
				t.flows.end()
			}
		}
		p.mu.Unlock()
		if ended {
			p.changed()
		}
	})
}
