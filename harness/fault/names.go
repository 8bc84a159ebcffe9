package fault

import (
	"context"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/proxychaos/proxychaos/fakedns"
	"github.com/proxychaos/proxychaos/harness/world"
)

// dnsName is the DNS name of an upstream's load balancer, in the form of aws-facts 1.12.
func dnsName(balancer string, upstream int) string {
	return fmt.Sprintf("internal-%s-%d.ap-northeast-1.elb.amazonaws.com", balancer, upstream*1111111111)
}

// LoadBalancer is what fakealb calls an upstream's load balancer.
func LoadBalancer(balancer string, upstream int) string {
	return fmt.Sprintf("%s-%d", balancer, upstream)
}

// LiteralName leads to the load balancer of literal addresses. The proxy does not know it:
// with it is proved what became of that load balancer's name. It is in the domain of the
// load balancers: the wildcard does not answer for what has a name below it.
const LiteralName = "literal-addresses.ap-northeast-1.elb.amazonaws.com"

// leadTo are the names that lead to a balancer: each name that a config asks for to one
// of its own, and LiteralName.
func leadTo(balancer string) []fakedns.Name {
	var aliases []string
	for upstream := range world.Names {
		aliases = append(aliases, dnsName(balancer, upstream+1))
	}
	return []fakedns.Name{
		{Name: fakedns.Wildcard, Aliases: aliases},
		{Name: LiteralName, Alias: dnsName(balancer, world.Literal)},
	}
}

// Names is what the resolvers answer before any fault: each name that a config
// asks for leads to a load balancer of its own.
func Names(t world.Topology, ttl time.Duration) []fakedns.Name {
	names := leadTo(t.Balancers[0].Name)
	for _, b := range t.Balancers {
		for upstream := range world.Upstreams {
			var nodes []world.Node
			for _, n := range t.Nodes {
				if n.Upstream == upstream+1 && n.Balancer == b.Name && n.Number <= b.Nodes {
					nodes = append(nodes, n)
				}
			}
			names = append(names, balancerName(b.Name, upstream+1, nodes, ttl))
		}
	}
	for _, n := range t.Nodes {
		if n.Upstream == world.InFront {
			continue // the proxy does not ask for it, and clients go to its address
		}
		names = append(names, fakedns.Name{Name: hostName(n), A: []netip.Addr{n.Addr}, TTL: ttl})
	}
	return names
}

// servicePort is the port of SRV records. A node takes any.
const servicePort = 8080

// hostName is the name of a node alone, to which SRV records lead.
func hostName(n world.Node) string {
	return fmt.Sprintf("node-%d.%s", n.Number, dnsName(n.Balancer, n.Upstream))
}

// balancerName is the name of a load balancer with these nodes: their addresses and, for
// who asks for a service (nginx's service=, HAProxy's server-template, Caddy's dynamic
// srv), an SRV record for each.
func balancerName(balancer string, upstream int, nodes []world.Node, ttl time.Duration) fakedns.Name {
	name := fakedns.Name{Name: dnsName(balancer, upstream), TTL: ttl}
	for _, n := range nodes {
		name.A = append(name.A, n.Addr)
		name.SRV = append(name.SRV, fakedns.SRV{Priority: 1, Weight: 1, Port: servicePort, Target: hostName(n)})
	}
	return name
}

// proveNames asks every resolver for the name of each upstream in use: the answer must
// hold nodes that are in it after the fault, and no other.
func proveNames(ctx context.Context, w *Live, effects []world.Effect) []Proof {
	after := w.State.With(effects...)
	var proofs []Proof
	for _, upstream := range slices.Sorted(maps.Keys(w.Upstreams)) {
		var want []netip.Addr
		for _, n := range after.Nodes {
			if n.Upstream == upstream && n.Named {
				want = append(want, n.Addr)
			}
		}
		for _, resolver := range w.Resolvers {
			name := w.Upstreams[upstream]
			got, err := w.Probe.Lookup(ctx, resolver, name, ipv4)
			if err != nil {
				proofs = append(proofs, prove(false, fmt.Sprintf("asked %s for %s: %v", resolver, name, err)))
				continue
			}
			proofs = append(proofs, prove(onlyOf(got, want), fmt.Sprintf("asked %s for %s: answered %v, want of %v", resolver, name, got, want)))
		}
	}
	return proofs
}

// onlyOf says whether got is not empty and holds nothing but addresses of want.
func onlyOf(got, want []netip.Addr) bool {
	return len(got) > 0 && !slices.ContainsFunc(got, func(a netip.Addr) bool { return !slices.Contains(want, a) })
}

// effectsOf is one effect on each of the nodes.
func effectsOf(nodes []world.NodeState, e world.Effect) []world.Effect {
	var effects []world.Effect
	for _, n := range nodes {
		e.Node = n.Addr
		effects = append(effects, e)
	}
	return effects
}

func addrs(nodes []world.NodeState) []netip.Addr {
	var list []netip.Addr
	for _, n := range nodes {
		list = append(list, n.Addr)
	}
	return list
}

// subject is a pick as the subject of a sentence, in the plural.
func subject(p world.Pick) string {
	switch p {
	case world.Fronts:
		return "nodes in front"
	case world.Left:
		return "old nodes"
	case world.Half:
		return "half of the nodes"
	case world.Named:
		return "all nodes"
	case world.Spare:
		return "spare nodes"
	case world.Struck:
		return "the nodes that failed"
	}
	return "nodes " + strings.Join(strings.Fields(string(p)), " and ")
}
