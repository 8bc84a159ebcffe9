package fault

import (
	"context"
	"slices"
	"time"

	"github.com/proxychaos/proxychaos/fakealb"
	"github.com/proxychaos/proxychaos/fakealb/cloud"
	"github.com/proxychaos/proxychaos/harness/world"
)

// sharing are the nodes of the load balancers that picked nodes belong to: they have the
// same targets.
func sharing(s world.State, picked world.Pick) []world.NodeState {
	balancers := map[string]bool{}
	for _, n := range picked.Of(s) {
		balancers[LoadBalancer(n.Balancer, n.Upstream)] = true
	}
	return slices.DeleteFunc(slices.Clone(s.Nodes), func(n world.NodeState) bool { return !balancers[LoadBalancer(n.Balancer, n.Upstream)] })
}

// putBalancers changes the load balancer of each of the nodes, once.
func putBalancers(ctx context.Context, w *Live, nodes []world.NodeState, change func(*fakealb.LoadBalancer)) (time.Time, error) {
	done := map[string]bool{}
	var last time.Time
	for _, n := range nodes {
		lb := fakealb.LoadBalancer{Name: LoadBalancer(n.Balancer, n.Upstream), Cloud: cloud.Name(w.Topology.Cloud)}
		if done[lb.Name] {
			continue
		}
		done[lb.Name] = true
		change(&lb)
		applied, err := w.ALB.PutLoadBalancer(ctx, lb)
		if err != nil {
			return time.Time{}, err
		}
		last = applied.InForceAt
	}
	return last, nil
}
