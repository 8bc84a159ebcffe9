package fault

import (
	"context"
	"fmt"
	"maps"
	"net/netip"
	"slices"
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

// LiteralNames lead to the load balancers of literal addresses. The proxy does not know
// them: with them is proved what became of these load balancers' names. They are in the
// domain of the load balancers: the wildcard does not answer for what has a name below it.
var LiteralNames = map[int]string{
	world.Literal:     "literal-addresses.ap-northeast-1.elb.amazonaws.com",
	world.LiteralIPv6: "literal-ipv6-addresses.ap-northeast-1.elb.amazonaws.com",
}

// leadTo are the names that lead to a balancer: each name that a config asks for to one
// of its own, and LiteralNames.
func leadTo(t world.Topology, balancer string) []fakedns.Name {
	var aliases []string
	for upstream := range world.Names {
		aliases = append(aliases, dnsName(balancer, upstream+1))
	}
	names := []fakedns.Name{{Name: fakedns.Wildcard, Aliases: aliases}}
	for _, upstream := range slices.Sorted(maps.Keys(LiteralNames)) {
		if hasNodes(t, upstream) {
			names = append(names, fakedns.Name{Name: LiteralNames[upstream], Alias: dnsName(balancer, upstream)})
		}
	}
	return names
}

// hasNodes says whether a topology has nodes of an upstream: without IPv6 there are none of
// world.LiteralIPv6.
func hasNodes(t world.Topology, upstream int) bool {
	return slices.ContainsFunc(t.Nodes, func(n world.Node) bool { return n.Upstream == upstream })
}

// Names is what the resolvers answer before any fault: each name that a config
// asks for leads to a load balancer of its own.
func Names(t world.Topology, ttl time.Duration) []fakedns.Name {
	names := leadTo(t, t.Balancers[0].Name)
	for _, b := range t.Balancers {
		for upstream := range world.Upstreams {
			if !hasNodes(t, upstream+1) {
				continue
			}
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
		name := fakedns.Name{Name: hostName(n), TTL: ttl}
		addAddress(&name, n.Addr)
		names = append(names, name)
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
		addAddress(&name, n.Addr)
		name.SRV = append(name.SRV, fakedns.SRV{Priority: 1, Weight: 1, Port: servicePort, Target: hostName(n)})
	}
	return name
}

// addAddress gives a name an address more, in an A or AAAA record.
func addAddress(name *fakedns.Name, addr netip.Addr) {
	if addr.Is4() {
		name.A = append(name.A, addr)
	} else {
		name.AAAA = append(name.AAAA, addr)
	}
}

// The types of question that a Prober asks.
const (
	ipv4 = "A"
	ipv6 = "AAAA"
)

// recordType is that of the records in which an address is.
func recordType(addr netip.Addr) string {
	if addr.Is4() {
		return ipv4
	}
	return ipv6
}

// proveNames asks every resolver for the name of each upstream in use: the answer must
// hold nodes that are in it after the fault, and no other. It asks for the types of address
// that the nodes have.
func proveNames(ctx context.Context, w *Live, effects []world.Effect) []Proof {
	after := w.State.With(effects...)
	var proofs []Proof
	for _, upstream := range slices.Sorted(maps.Keys(w.Upstreams)) {
		want := map[string][]netip.Addr{}
		for _, n := range after.Nodes {
			if n.Upstream != upstream {
				continue
			}
			qtype := recordType(n.Addr)
			has := want[qtype]
			if n.Named {
				has = append(has, n.Addr)
			}
			want[qtype] = has
		}
		for _, resolver := range w.Resolvers {
			for _, qtype := range slices.Sorted(maps.Keys(want)) {
				proofs = append(proofs, proveName(ctx, w, resolver, w.Upstreams[upstream], qtype, want[qtype]))
			}
		}
	}
	return proofs
}

// proveName asks one resolver for records of one type of a name.
func proveName(ctx context.Context, w *Live, resolver netip.AddrPort, name, qtype string, want []netip.Addr) Proof {
	got, err := w.Probe.Lookup(ctx, resolver, name, qtype)
	if err != nil {
		return prove(false, fmt.Sprintf("asked %s for %s of %s: %v", resolver, qtype, name, err))
	}
	right := onlyOf(got, want) || len(want) == 0 && len(got) == 0
	return prove(right, fmt.Sprintf("asked %s for %s of %s: answered %v, want of %v", resolver, qtype, name, got, want))
}

// named are the nodes that an upstream's name has.
func named(s world.State, upstream int) []netip.Addr {
	var list []netip.Addr
	for _, n := range s.Nodes {
		if n.Upstream == upstream && n.Named {
			list = append(list, n.Addr)
		}
	}
	return list
}

// onlyOf says whether got is not empty and holds nothing but addresses of want.
func onlyOf(got, want []netip.Addr) bool {
	return len(got) > 0 && !slices.ContainsFunc(got, func(a netip.Addr) bool { return !slices.Contains(want, a) })
}
