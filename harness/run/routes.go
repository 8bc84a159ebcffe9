package run

import (
	"context"
	"fmt"
	"net/netip"
	"slices"

	"github.com/proxychaos/proxychaos/fakealb"
	"github.com/proxychaos/proxychaos/harness/fault"
	"github.com/proxychaos/proxychaos/harness/world"
)

// giveRoutes has the application servers behind literal addresses keep sessions, if the
// world says so. It comes after the warm-up: the proxy has tried its addresses by then.
func (c *cell) giveRoutes(ctx context.Context) error {
	if !c.Scenario.World.Balancers[0].JVMRoutes {
		return nil
	}
	literals, err := c.bed.literals(ctx)
	if err != nil {
		return err
	}
	for node, route := range routes(literals) {
		n, _ := c.live.Topology.Node(node)
		if _, err := c.to.alb.PutNode(ctx, fakealb.Node{Addr: node, LoadBalancer: fault.LoadBalancer(n.Balancer, n.Upstream), JVMRoute: route}); err != nil {
			return err
		}
	}
	return nil
}

// routes gives the nodes behind literal addresses their routes, in the order of the
// addresses. A node that is behind several has that of the first.
func routes(literals []world.LiteralAddr) map[netip.Addr]string {
	ordered := slices.SortedFunc(slices.Values(literals), func(a, b world.LiteralAddr) int { return a.Addr.Compare(b.Addr) })
	routes := map[netip.Addr]string{}
	for _, l := range ordered {
		if _, has := routes[l.Node]; !has {
			routes[l.Node] = fmt.Sprintf("node%d", len(routes)+1)
		}
	}
	return routes
}
