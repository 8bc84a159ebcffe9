package world

import (
	"fmt"
	"net/netip"
)

// Front is an Application Load Balancer that clients call. Its target is the proxy.
type Front struct {
	// Nodes is how many it has: one for each zone, 1 or 2. Connections of clients go to
	// them in turn, and each keeps connections of its own to the proxy.
	Nodes int `json:"nodes"`
}

// FrontName is what the load balancer in front is called. No other is called so.
const FrontName = "front"

const maxInFront = 2

func (f Front) check() error {
	if f.Nodes < 1 || f.Nodes > maxInFront {
		return fmt.Errorf("got %d nodes of the load balancer in front, want 1 to %d", f.Nodes, maxInFront)
	}
	return nil
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
