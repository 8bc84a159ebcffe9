package fault

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/proxychaos/proxychaos/fakealb/targets"
	"github.com/proxychaos/proxychaos/harness/world"
)

// Register puts one of several proxies, which Deregister had taken out, among the targets of the
// load balancer in front again. It gets requests once it has passed a health check.
type Register struct {
	// Proxy is its number, from 1.
	Proxy int `json:"proxy"`
}

// Name implements Fault.
func (r Register) Name() string {
	return fmt.Sprintf("proxy %d is a target of the load balancer in front again", r.Proxy)
}

// Check implements Checker.
func (r Register) Check() error { return checkProxy(r.Proxy) }

// Effects implements Fault.
func (r Register) Effects(world.State) []world.Effect {
	return []world.Effect{{Proxy: r.Proxy, Registered: world.Truth(true)}}
}

// Apply implements Fault.
func (r Register) Apply(ctx context.Context, w *Live) (time.Time, error) {
	return putTargets(ctx, w, func(group *targets.Group) {
		address := w.proxy(r.Proxy)
		if address.IsValid() && !slices.ContainsFunc(group.Targets, func(t targets.Target) bool { return t.Addr == address }) {
			group.Targets = append(group.Targets, targets.At(address)...)
		}
	})
}

// Prove implements Fault: each node in front considers it healthy.
func (r Register) Prove(ctx context.Context, w *Live) []Proof {
	return proveEach(world.Fronts.Of(w.State), func(node world.NodeState) Proof {
		return await(ctx, healthLimit, func() (bool, string, error) {
			state, err := w.targetState(ctx, node.Addr, r.Proxy)
			return state == targets.Healthy, fmt.Sprintf("proxy %d is %s at %s, want %s", r.Proxy, state, node.Addr, targets.Healthy), err
		})[0]
	})
}
