package fault

import (
	"net/netip"
	"time"

	"github.com/proxychaos/proxychaos/fakealb"
	"github.com/proxychaos/proxychaos/fakedns"
	"github.com/proxychaos/proxychaos/harness/world"
)

// Live is the running world, as far as a fault can reach it.
type Live struct {
	DNS   *fakedns.Client
	ALB   *fakealb.Client
	Probe Prober
	Proxy Proxy
	// Resolvers are the addresses at which DNS is tried from the proxy's place: one of
	// the testbed's, and those that the proxy has asked.
	Resolvers []netip.AddrPort
	TTL       time.Duration
	Topology  world.Topology
	// Proxies are where the load balancer in front calls the proxies, in the order of their
	// numbers; none if there is no such load balancer.
	Proxies []netip.AddrPort
	// State is what was true just before the fault.
	State world.State
	// Upstreams are the upstreams in use, by number, each with a name that leads
	// to it: one that the proxy has asked for.
	Upstreams map[int]string
	Port      uint16 // a port the nodes listen on for plain HTTP
}

// used are the nodes of the upstreams in use, and those in front, to which clients go.
func (w *Live) used(nodes []world.NodeState) []world.NodeState {
	var used []world.NodeState
	for _, n := range nodes {
		if _, ok := w.Upstreams[n.Upstream]; ok || n.Upstream == world.InFront {
			used = append(used, n)
		}
	}
	return used
}

// anyName is a name that leads to an upstream in use.
func (w *Live) anyName() string {
	for upstream := range world.Upstreams {
		if name, ok := w.Upstreams[upstream+1]; ok {
			return name
		}
	}
	return dnsName(w.Topology.Balancers[0].Name, 1)
}
