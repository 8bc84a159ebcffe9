package run

import (
	"context"
	"fmt"
	"net/netip"
	"strings"

	"github.com/proxychaos/proxychaos/fakealb"
	"github.com/proxychaos/proxychaos/fakealb/targets"
	"github.com/proxychaos/proxychaos/harness/fault"
	"github.com/proxychaos/proxychaos/harness/load"
	"github.com/proxychaos/proxychaos/harness/recording"
	"github.com/proxychaos/proxychaos/harness/wayin"
	"github.com/proxychaos/proxychaos/harness/world"
)

// The ports of the load balancer in front.
const (
	plainPort  = 80
	securePort = 443
)

// frontLimit is how long a request through the load balancer in front may take.
const frontLimit = recording.Seconds(2)

// putFront makes the load balancer in front, whose target is the proxy by the way that leads
// to a node, and returns the way of its clients. In a world without one that is the same.
func (c *cell) putFront(ctx context.Context) (recording.Way, error) {
	nodes := c.live.Topology.FrontNodes()
	if len(nodes) == 0 {
		return c.way, nil
	}
	group, err := c.targetGroup()
	if err != nil {
		return c.way, err
	}
	lb := fault.LoadBalancer(world.FrontName, world.InFront)
	if _, err := c.to.alb.PutLoadBalancer(ctx, fakealb.LoadBalancer{Name: lb, TargetGroup: group}); err != nil {
		return c.way, err
	}
	for _, addr := range nodes {
		if _, err := c.to.alb.PutNode(ctx, fakealb.Node{Addr: addr, LoadBalancer: lb}); err != nil {
			return c.way, err
		}
	}
	way := c.way
	way.Front, way.Target = nodes, c.frontURL(nodes[0])
	came, err := c.to.load.Try(ctx, load.Trials{Ways: []recording.Way{way}, Timeout: frontLimit, Within: frontLimit})
	if err == nil && !came[0].Reached {
		err = fmt.Errorf("the load balancer in front does not get to a node by the way that leads there without it, %s: %s %d %s %s",
			c.way.Target, came[0].Came, came[0].Code, came[0].Title, came[0].Error)
	}
	return way, err
}

// targetGroup has the proxy as its one target. Its health is asked for at the first path.
func (c *cell) targetGroup() (*targets.Group, error) {
	scheme, address, _ := strings.Cut(c.way.Target, "://")
	proxy, err := netip.ParseAddrPort(address)
	if err != nil {
		return nil, fmt.Errorf("the proxy is at %q, want an address and a port: %w", c.way.Target, err)
	}
	path, _, _ := strings.Cut(c.way.Paths[0], "#")
	protocol := strings.ToUpper(scheme)
	return &targets.Group{
		Protocol: protocol, Targets: targets.At(proxy),
		Health: targets.HealthCheck{Protocol: protocol, Path: path},
	}, nil
}

// frontURL is what clients call: over HTTPS if the way is one of clients who use that.
func (c *cell) frontURL(node netip.Addr) string {
	switch {
	case !wayin.FromHTTPS(c.way):
		return "http://" + netip.AddrPortFrom(node, c.to.port).String()
	case c.to.port == plainPort:
		return "https://" + netip.AddrPortFrom(node, securePort).String()
	}
	return "https://" + netip.AddrPortFrom(node, c.to.port).String() // a node tells TLS by its first byte
}
