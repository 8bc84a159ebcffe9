package run

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"time"

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
// to a node; further ones are registered later; and returns the way of its clients. In a world without one that is the same.
func (c *cell) putFront(ctx context.Context) (recording.Way, error) {
	nodes := c.live.Topology.FrontNodes()
	if len(nodes) == 0 {
		return c.way, nil
	}
	var err error
	if c.live.Proxies, err = addresses(c.ways()); err != nil {
		return c.way, err
	}
	if err := c.register(ctx, 1); err != nil {
		return c.way, err
	}
	c.registered = time.Now()
	lb := fault.LoadBalancer(world.FrontName, world.InFront)
	for _, addr := range nodes {
		if _, err := c.to.alb.PutNode(ctx, fakealb.Node{Addr: addr, LoadBalancer: lb}); err != nil {
			return c.way, err
		}
	}
	way := c.way
	way.Front, way.Target = nodes, c.frontURL(nodes[0])
	came, err := c.to.load.Try(ctx, load.Trials{Ways: []recording.Way{way}, Timeout: frontLimit, Within: frontLimit})
	if err == nil && !came[0].Reached {
		err = fmt.Errorf("no request gets through the load balancer in front to a node, although the proxy itself passes them on, %s: %s %d %s %s",
			c.way.Target, came[0].Came, came[0].Code, came[0].Title, came[0].Error)
	}
	return way, err
}

// putOthers makes the further proxies targets too. What is registered at another time is checked
// at another time: the checks of all are spread evenly over the interval.
func (c *cell) putOthers(ctx context.Context) error {
	proxies := len(c.live.Proxies)
	if proxies < 2 {
		return nil
	}
	group, _, err := targets.Group{Health: c.healthCheck()}.Check()
	if err != nil {
		return err
	}
	apart := time.Duration(group.Health.IntervalSeconds) * time.Second / time.Duration(proxies)
	for n := 1; n < proxies; n++ {
		if err := sleepUntil(ctx, c.registered.Add(apart*time.Duration(n))); err != nil {
			return err
		}
		if err := c.register(ctx, n+1); err != nil {
			return err
		}
	}
	return nil
}

// register makes the first of the proxies the targets.
func (c *cell) register(ctx context.Context, first int) error {
	group := c.targetGroup(c.live.Proxies[:first])
	lb := fakealb.LoadBalancer{Name: fault.LoadBalancer(world.FrontName, world.InFront), TargetGroup: group}
	if c.Scenario.World.Front.Network {
		lb.Type = fakealb.TypeNetwork
		lb.Listeners = []fakealb.Listener{{Port: c.to.port, Protocol: fakealb.ProtocolTCP}}
	}
	_, err := c.to.alb.PutLoadBalancer(ctx, lb)
	return err
}

// healthCheck asks for the first path, in the protocol of the way. A Network Load Balancer has
// its own, which opens a connection.
func (c *cell) healthCheck() targets.HealthCheck {
	if c.Scenario.World.Front.Network {
		return targets.HealthCheck{}
	}
	scheme, _, _ := strings.Cut(c.way.Target, "://")
	path, _, _ := strings.Cut(c.way.Paths[0], "#")
	checks := c.Scenario.World.Front.Checks
	return targets.HealthCheck{
		Protocol: strings.ToUpper(scheme), Path: path, IntervalSeconds: checks.Interval, TimeoutSeconds: checks.Timeout,
		HealthyThreshold: checks.Healthy, UnhealthyThreshold: checks.Unhealthy,
	}
}

// targetGroup has these proxies as its targets.
func (c *cell) targetGroup(proxies []netip.AddrPort) *targets.Group {
	health := c.healthCheck()
	group := &targets.Group{Protocol: health.Protocol, Health: health, Targets: targets.At(proxies...)}
	if c.Scenario.World.Front.Network {
		group.Protocol = targets.ProtocolTCP
	}
	return group
}

// addresses are those of the proxies at the ends of ways.
func addresses(ways []recording.Way) ([]netip.AddrPort, error) {
	var proxies []netip.AddrPort
	for _, way := range ways {
		_, address, _ := strings.Cut(way.Target, "://")
		proxy, err := netip.ParseAddrPort(address)
		if err != nil {
			return nil, fmt.Errorf("the proxy is at %q, want an address and a port: %w", way.Target, err)
		}
		proxies = append(proxies, proxy)
	}
	return proxies, nil
}

// frontURL is what clients call: over HTTPS if the way is one of clients who use that. What a
// Network Load Balancer gets it passes on as it is.
func (c *cell) frontURL(node netip.Addr) string {
	scheme, _, _ := strings.Cut(c.way.Target, "://")
	switch {
	case c.Scenario.World.Front.Network:
		return scheme + "://" + netip.AddrPortFrom(node, c.to.port).String()
	case !wayin.FromHTTPS(c.way):
		return "http://" + netip.AddrPortFrom(node, c.to.port).String()
	case c.to.port == plainPort:
		return "https://" + netip.AddrPortFrom(node, securePort).String()
	}
	return "https://" + netip.AddrPortFrom(node, c.to.port).String() // a node tells TLS by its first byte
}
