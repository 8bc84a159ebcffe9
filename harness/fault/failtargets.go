package fault

import (
	"context"
	"fmt"
	"time"

	"github.com/proxychaos/proxychaos/fakealb"
	"github.com/proxychaos/proxychaos/fakealb/targets"
	"github.com/proxychaos/proxychaos/harness/world"
)

// FailTargets makes some of the targets behind nodes fail their health checks. If
// all do, the load balancer fails open: it goes on with all of them (aws-facts 3.3).
type FailTargets struct {
	Nodes world.Pick `json:"nodes"`
	// Unhealthy of Of targets fail from then on; 0 if all that failed pass again.
	Unhealthy int `json:"unhealthy"`
	Of        int `json:"of"`
}

// Name implements Fault.
func (f FailTargets) Name() string {
	if f.Unhealthy == 0 {
		return "the targets of " + subject(f.Nodes) + " pass their health checks"
	}
	return fmt.Sprintf("%d of %d targets of %s fail their health checks", f.Unhealthy, f.Of, subject(f.Nodes))
}

// Check implements Checker.
func (f FailTargets) Check() error {
	if f.Of < 1 || f.Unhealthy < 0 || f.Unhealthy > f.Of {
		return fmt.Errorf("got %d unhealthy of %d targets, want at least one target, and no more unhealthy than there are", f.Unhealthy, f.Of)
	}
	if f.Nodes == world.Fronts {
		return fmt.Errorf("got the nodes in front, whose target is the proxy: want nodes behind the proxy, because only fakealb's own targets can be made to fail")
	}
	return f.Nodes.Check()
}

// Picks implements Picker.
func (f FailTargets) Picks() world.Pick { return f.Nodes }

// Effects implements Fault: the nodes serve on, with the healthy targets or, if
// there is none, with all.
func (f FailTargets) Effects(s world.State) []world.Effect {
	how := "unhealthy-targets"
	if f.Unhealthy == f.Of {
		how = "fail-open"
	}
	return effectsOf(sharing(s, f.Nodes), world.Effect{Serves: world.Truth(true), How: how})
}

// Apply implements Fault.
func (f FailTargets) Apply(ctx context.Context, w *Live) (time.Time, error) {
	// The shortest times that an ALB takes.
	group := &targets.Group{Health: targets.HealthCheck{IntervalSeconds: 5, TimeoutSeconds: 2, HealthyThreshold: 2, UnhealthyThreshold: 2}}
	for i := range f.Of {
		group.Targets = append(group.Targets, targets.Target{BuiltIn: &targets.BuiltIn{Kind: targets.KindEcho, Unhealthy: i < f.Unhealthy}})
	}
	return putBalancers(ctx, w, f.Nodes.Of(w.State), func(lb *fakealb.LoadBalancer) { lb.TargetGroup = group })
}

// healthLimit is how long the health checks may take to see the change: two of
// them, at the shortest interval that an ALB takes (5 s, aws-facts 3.2).
const healthLimit = 15 * time.Second

// Prove implements Fault: the nodes themselves consider so many targets unhealthy.
func (f FailTargets) Prove(ctx context.Context, w *Live) []Proof {
	return proveEach(w.used(f.Nodes.Of(w.State)), func(node world.NodeState) Proof {
		deadline := time.Now().Add(healthLimit)
		for {
			health, err := w.ALB.Targets(ctx, node.Addr)
			if err != nil {
				return prove(false, fmt.Sprintf("asking %s for its targets: %v", node.Addr, err))
			}
			unhealthy := 0
			for _, h := range health {
				if h.State == targets.Unhealthy {
					unhealthy++
				}
			}
			if unhealthy == f.Unhealthy || time.Now().After(deadline) {
				return prove(unhealthy == f.Unhealthy, fmt.Sprintf("%s holds %d of %d targets for unhealthy, want %d", node.Addr, unhealthy, len(health), f.Unhealthy))
			}
			select {
			case <-ctx.Done():
				return prove(false, ctx.Err().Error())
			case <-time.After(20 * time.Millisecond):
			}
		}
	})
}
