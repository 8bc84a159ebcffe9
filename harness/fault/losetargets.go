package fault

import (
	"context"
	"net/netip"
	"time"

	"github.com/proxychaos/proxychaos/fakealb"
	"github.com/proxychaos/proxychaos/harness/world"
)

// LoseTargets takes all targets away from the load balancers of nodes, which then
// answer by themselves, an ALB with 503 (aws-facts 2.4.1). Its name says of no cloud.
type LoseTargets struct {
	Nodes world.Pick `json:"nodes"`
}

// Name implements Fault.
func (l LoseTargets) Name() string {
	if l.Nodes == world.Left {
		return "old load balancer loses its targets"
	}
	return "the load balancer of " + subject(l.Nodes) + " loses its targets"
}

// Check implements Checker.
func (l LoseTargets) Check() error { return l.Nodes.Check() }

// Picks implements Picker.
func (l LoseTargets) Picks() world.Pick { return l.Nodes }

// Effects implements Fault.
func (l LoseTargets) Effects(s world.State) []world.Effect {
	return effectsOf(sharing(s, l.Nodes), world.Effect{Serves: world.Truth(false), How: "no-targets"})
}

// Apply implements Fault.
func (l LoseTargets) Apply(ctx context.Context, w *Live) (time.Time, error) {
	return putBalancers(ctx, w, l.Nodes.Of(w.State), func(lb *fakealb.LoadBalancer) { lb.Targets = 0 })
}

// Prove implements Fault.
func (l LoseTargets) Prove(ctx context.Context, w *Live) []Proof {
	return proveEach(w.used(l.Nodes.Of(w.State)), func(node world.NodeState) Proof {
		answer, detail := asked(ctx, w, netip.AddrPortFrom(node.Addr, w.Port), answerTimeout)
		return prove(w.withoutTargets(answer), detail)
	})
}
