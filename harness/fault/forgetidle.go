package fault

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/proxychaos/proxychaos/fakealb"
	"github.com/proxychaos/proxychaos/harness/world"
)

// ForgetIdle has the Network Load Balancer in front forget connections over which nothing came
// for so long, in place of its default of 350 s, and tell neither side (aws-facts 4.2). It is for
// connections that are opened from then on.
type ForgetIdle struct {
	Seconds int `json:"seconds"`
}

// The least and the longest idle timeout that an NLB takes (aws-facts 4.2).
const (
	leastIdle = 60
	mostIdle  = 6000
)

// Name implements Fault.
func (f ForgetIdle) Name() string {
	return fmt.Sprintf("the NLB in front forgets connections that lie idle for %d s", f.Seconds)
}

// Check implements Checker.
func (f ForgetIdle) Check() error {
	if f.Seconds < leastIdle || f.Seconds > mostIdle {
		return fmt.Errorf("got %d s, want %d to %d", f.Seconds, leastIdle, mostIdle)
	}
	return nil
}

// Picks implements Picker.
func (ForgetIdle) Picks() world.Pick { return world.Fronts }

// Effects implements Fault: connections in use are served.
func (ForgetIdle) Effects(s world.State) []world.Effect {
	return effectsOf(world.Fronts.Of(s), world.Effect{Serves: world.Truth(false), Partly: true, How: "forget-idle"})
}

// front is the load balancer in front.
func front(ctx context.Context, w *Live) (fakealb.LoadBalancer, error) {
	all, err := w.ALB.LoadBalancers(ctx)
	if err != nil {
		return fakealb.LoadBalancer{}, err
	}
	name := LoadBalancer(world.FrontName, world.InFront)
	i := slices.IndexFunc(all, func(lb fakealb.LoadBalancer) bool { return lb.Name == name })
	if i < 0 {
		return fakealb.LoadBalancer{}, fmt.Errorf("there is no load balancer %q in front of the proxy", name)
	}
	return all[i], nil
}

// Apply implements Fault.
func (f ForgetIdle) Apply(ctx context.Context, w *Live) (time.Time, error) {
	lb, err := front(ctx, w)
	if err != nil {
		return time.Time{}, err
	}
	if lb.Type != fakealb.TypeNetwork {
		return time.Time{}, fmt.Errorf("the load balancer in front is of type %s, want %s", lb.Type, fakealb.TypeNetwork)
	}
	for i := range lb.Listeners {
		lb.Listeners[i].Attributes.TCPIdleTimeoutSeconds = f.Seconds
	}
	applied, err := w.ALB.PutLoadBalancer(ctx, lb)
	return applied.InForceAt, err
}

// Prove implements Fault: the load balancer itself says so. To see it would take as long as it
// takes.
func (f ForgetIdle) Prove(ctx context.Context, w *Live) []Proof {
	lb, err := front(ctx, w)
	if err != nil {
		return []Proof{prove(false, err.Error())}
	}
	if len(lb.Listeners) == 0 {
		return []Proof{prove(false, fmt.Sprintf("%s has no listener with an idle timeout", lb.Name))}
	}
	var proofs []Proof
	for _, l := range lb.Listeners {
		has := l.Attributes.TCPIdleTimeoutSeconds
		proofs = append(proofs, prove(has == f.Seconds, fmt.Sprintf("port %d of %s has an idle timeout of %d s, want %d s", l.Port, lb.Name, has, f.Seconds)))
	}
	return proofs
}
