package world

import (
	"fmt"
	"net/netip"
)

// Front is a load balancer that clients call: an Application Load Balancer, unless it says
// otherwise. Its targets are proxies.
type Front struct {
	// Nodes is how many it has: one for each zone, 1 or 2. Connections of clients go to
	// them in turn, and each keeps connections of its own to the proxies.
	Nodes int `json:"nodes"`
	// Proxies is how many proxies with the same configuration are its targets, 1 to 4, each
	// with an address of its own; 0 means 1.
	Proxies int `json:"proxies,omitempty"`
	// Network has it be a Network Load Balancer: it passes connections on, and sees no requests.
	Network bool `json:"network,omitempty"`
	// Checks are its health checks, which every node makes by itself. The zero value stands
	// for the defaults.
	Checks Checks `json:"checks,omitzero"`
}

// Checks are the settings of health checks, which are not scaled, in the ranges that an ALB
// takes (aws-facts 3.2).
type Checks struct {
	Interval  int `json:"interval"`  // in seconds, 5 to 300
	Timeout   int `json:"timeout"`   // in seconds, 2 to 120, at most Interval
	Healthy   int `json:"healthy"`   // so many in a row that pass make a target healthy, 2 to 10
	Unhealthy int `json:"unhealthy"` // so many in a row that fail make it unhealthy, 2 to 10
}

// FrontName is what the load balancer in front is called. No other is called so.
const FrontName = "front"

const (
	maxInFront = 2
	// maxProxies is bounded by what a machine of two cores runs beside a load.
	maxProxies = 4
)

func (f Front) check() error {
	switch {
	case f.Nodes < 1 || f.Nodes > maxInFront:
		return fmt.Errorf("got %d nodes of the load balancer in front, want 1 to %d", f.Nodes, maxInFront)
	case f.Proxies < 0 || f.Proxies > maxProxies:
		return fmt.Errorf("got %d proxies behind the load balancer in front, want 1 to %d", f.Proxies, maxProxies)
	case f.Network && f.Checks != (Checks{}):
		return fmt.Errorf("got health checks of a Network Load Balancer in front, want none: its own are used")
	}
	return f.Checks.check()
}

func (c Checks) check() error {
	if c == (Checks{}) {
		return nil
	}
	for _, of := range []struct {
		name            string
		is, least, most int
	}{{"interval", c.Interval, 5, 300}, {"timeout", c.Timeout, 2, min(120, c.Interval)}, {"healthy", c.Healthy, 2, 10}, {"unhealthy", c.Unhealthy, 2, 10}} {
		if of.is < of.least || of.is > of.most {
			return fmt.Errorf("health checks of the load balancer in front: got %s %d, want %d to %d", of.name, of.is, of.least, of.most)
		}
	}
	return nil
}

// Proxies is how many proxies there are.
func (w World) Proxies() int {
	if w.Front == nil {
		return 1
	}
	return max(1, w.Front.Proxies)
}

// FrontNodes are the addresses that clients call; none if they call the proxy itself.
func (t Topology) FrontNodes() []netip.Addr {
	var nodes []netip.Addr
	for _, n := range t.Nodes {
		if n.Upstream == InFront {
			nodes = append(nodes, n.Addr)
		}
	}
	return nodes
}
