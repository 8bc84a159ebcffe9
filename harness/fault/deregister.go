package fault

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/proxychaos/proxychaos/fakealb/targets"
	"github.com/proxychaos/proxychaos/harness/world"
)

// Deregister takes one of several proxies out of the load balancer in front, which sends it
// nothing new from then on. The proxy may finish its requests: it drains (aws-facts 3.4.1).
type Deregister struct {
	// Proxy is its number, from 1.
	Proxy int `json:"proxy"`
}

// Name implements Fault.
func (d Deregister) Name() string {
	return fmt.Sprintf("proxy %d is taken out of the load balancer in front", d.Proxy)
}

// Check implements Checker.
func (d Deregister) Check() error { return checkProxy(d.Proxy) }

// checkProxy refuses what cannot be the number of a proxy.
func checkProxy(number int) error {
	if number < 1 {
		return fmt.Errorf("got the proxy %d, want its number, from 1", number)
	}
	return nil
}

// Effects implements Fault.
func (d Deregister) Effects(world.State) []world.Effect {
	return []world.Effect{{Proxy: d.Proxy, Registered: world.Truth(false)}}
}

// Apply implements Fault.
func (d Deregister) Apply(ctx context.Context, w *Live) (time.Time, error) {
	return putTargets(ctx, w, func(group *targets.Group) {
		group.Targets = slices.DeleteFunc(group.Targets, func(t targets.Target) bool { return t.Addr == w.proxy(d.Proxy) })
	})
}

// proxy is where the load balancer in front calls the proxy of this number; the zero value if
// there is none.
func (w *Live) proxy(number int) netip.AddrPort {
	if number > len(w.Proxies) {
		return netip.AddrPort{}
	}
	return w.Proxies[number-1]
}

// putTargets changes the targets of the load balancer in front.
func putTargets(ctx context.Context, w *Live, change func(*targets.Group)) (time.Time, error) {
	lb, err := front(ctx, w)
	if err != nil {
		return time.Time{}, err
	}
	change(lb.TargetGroup)
	applied, err := w.ALB.PutLoadBalancer(ctx, lb)
	return applied.InForceAt, err
}

// Prove implements Fault: each node in front says so.
func (d Deregister) Prove(ctx context.Context, w *Live) []Proof {
	return proveEach(world.Fronts.Of(w.State), func(node world.NodeState) Proof {
		state, err := w.targetState(ctx, node.Addr, d.Proxy)
		if err != nil {
			return prove(false, fmt.Sprintf("asking %s for its targets: %v", node.Addr, err))
		}
		return prove(state == targets.Draining, fmt.Sprintf("proxy %d is %s at %s, want %s", d.Proxy, state, node.Addr, targets.Draining))
	})
}

// absent is the state of a target that a node does not have.
const absent targets.State = "absent"

// targetState is what a node in front makes of a proxy.
func (w *Live) targetState(ctx context.Context, node netip.Addr, number int) (targets.State, error) {
	health, err := w.ALB.Targets(ctx, node)
	for _, h := range health {
		if h.Target == w.proxy(number).String() {
			return h.State, err
		}
	}
	return absent, err
}
