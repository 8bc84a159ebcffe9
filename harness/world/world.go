// Package world says who calls whom in a scenario, and what is true of it at an
// instant. All of it is values: a world, its nodes, an effect on them, a state.
// It starts nothing and knows no clock.
//
//	clients ──▶ proxy ──▶ a name ──▶ the nodes of a load balancer ──▶ targets
//
// and, in a world with a [Front],
//
//	clients ──▶ the nodes of a load balancer ──▶ proxy, or several ──▶ a name ──▶ ...
package world

import (
	"fmt"
	"net/netip"
	"regexp"
	"slices"
)

// World is who calls whom.
type World struct {
	// Cloud is whose load balancers these are, such as "azure"; empty means AWS.
	Cloud string `json:"cloud,omitempty"`
	// Front is the load balancer that clients call, and whose targets are proxies. If it is
	// nil there is one proxy, and they call it itself.
	Front *Front `json:"front,omitempty"`
	// Balancers are the load balancers behind each name that the proxy asks for.
	// At the start the name leads to the first; the others are there to be switched to.
	Balancers []Balancer `json:"balancers"`
}

// Balancer is one load balancer, as every upstream has one of its own.
type Balancer struct {
	// Name is a word, such as "backend".
	Name string `json:"name"`
	// Nodes is how many its DNS name has at the start. An ALB at rest has one
	// for each zone, two or three zones (aws-facts 1.3).
	Nodes int `json:"nodes"`
	// Spare is how many more serve and are in no answer yet.
	Spare int `json:"spare,omitempty"`
	// SpareIPv6 is how many more of these have an IPv6 address in place of an IPv4 one.
	SpareIPv6 int `json:"spare_ipv6,omitempty"`
	// Targets is the number of built-in targets behind it. With 0 its nodes answer 503.
	Targets int `json:"targets"`
	// JVMRoutes has the application servers that a config names by literal addresses keep
	// sessions as Tomcat does: JSESSIONID=<session>.<route>. The one with the lowest address has
	// the route node1, the next node2, and so on.
	JVMRoutes bool `json:"jvm_routes,omitempty"`
}

// InFront is the Node.Upstream of the nodes of a Front: none, since the proxy does not ask
// for them.
const InFront = 0

// Names is how many names of one config have load balancers of their own. The last of
// them is also that of every name after it.
const Names = 4

// Literal is the upstream of the IPv4 addresses that a config has in place of a name, such
// as 192.168.1.101: they are nodes of one load balancer, whose name the proxy never asks.
// LiteralIPv6 is that of IPv6 addresses, such as 2001:db8::10.
const (
	Literal     = Names + 1
	LiteralIPv6 = Names + 2
)

// IsLiteral says whether an upstream is one of addresses in place of a name.
func IsLiteral(upstream int) bool { return upstream == Literal || upstream == LiteralIPv6 }

// Beside is what the load balancer is called whose one node answers for the applications
// beside the proxy, at 127.0.0.1 and the like. It is in no topology: no fault strikes it. No
// other is called so.
const Beside = "beside"

// Upstreams is how many there are, from 1: those of names, Literal, LiteralIPv6.
const Upstreams = LiteralIPv6

// Node is one node of a load balancer at its address.
type Node struct {
	Addr netip.Addr `json:"addr"`
	// Upstream is the name that it belongs to: 1 is the first that the proxy asks for,
	// Literal and LiteralIPv6 are none of them, InFront is that of a node that the proxy does not call.
	Upstream int `json:"upstream"`
	// Balancer is Balancer.Name, or FrontName.
	Balancer string `json:"balancer"`
	// Number is 1, 2, ... within its balancer: first those of Balancer.Nodes, then the spare
	// ones, those with an IPv6 address last.
	Number int `json:"number"`
}

// Topology is a world with its nodes at their addresses.
type Topology struct {
	World
	Nodes []Node `json:"nodes"`
	// Literals are the addresses that the proxy has connected to without asking DNS.
	Literals []LiteralAddr `json:"literals,omitempty"`
}

// LiteralAddr is an address that a config names, and the node behind it.
type LiteralAddr struct {
	Addr netip.Addr `json:"addr"`
	Node netip.Addr `json:"node"`
}

// LiteralNodes are those behind literal addresses, by Literal or LiteralIPv6, in
// their order: the ones that the name of their load balancer has at the start.
func (t Topology) LiteralNodes(upstream int) []netip.Addr {
	var nodes []netip.Addr
	for _, n := range t.Start().Nodes {
		if n.Upstream == upstream && n.Named {
			nodes = append(nodes, n.Addr)
		}
	}
	return nodes
}

// Check says what is wrong with the world; nil if nothing is.
func (w World) Check() error {
	if len(w.Balancers) == 0 {
		return fmt.Errorf("got a world without a load balancer, want at least one that the names lead to")
	}
	if w.Front != nil {
		if err := w.Front.check(); err != nil {
			return err
		}
	}
	seen, behind := map[string]bool{FrontName: true, Beside: true}, 0
	for _, b := range w.Balancers {
		switch {
		case !word.MatchString(b.Name) || seen[b.Name]:
			return fmt.Errorf("got a load balancer called %q, want a name of its own: a letter, then letters, digits and hyphens, all small, at most 40", b.Name)
		case b.Nodes < 1 || b.Spare < 0 || b.SpareIPv6 < 0 || b.Targets < 0:
			return fmt.Errorf("load balancer %q: got %d nodes, %d spare ones, %d spare ones with IPv6, %d targets: want at least one node, and no negative number", b.Name, b.Nodes, b.Spare, b.SpareIPv6, b.Targets)
		case max(b.Nodes, b.Spare, b.SpareIPv6) > maxPerUpstream || b.Nodes+b.Spare+b.SpareIPv6 > maxPerUpstream-behind:
			return fmt.Errorf("load balancer %q: got %d nodes and %d spare ones after %d of others, want at most %d behind one name", b.Name, b.Nodes, b.Spare+b.SpareIPv6, behind, maxPerUpstream)
		}
		seen[b.Name] = true
		behind += b.Nodes + b.Spare + b.SpareIPv6
	}
	return nil
}

// Titled is what a scenario in this world is called by whoever reports it: with the cloud whose
// load balancers these are, if that is not AWS.
func (w World) Titled(scenario string) string {
	if w.Cloud == "" {
		return scenario
	}
	return scenario + " (" + w.Cloud + ")"
}

// word is what a load balancer is called: it is part of a label of its DNS name.
var word = regexp.MustCompile(`^[a-z][a-z0-9-]{0,39}$`)

// maxPerUpstream keeps all nodes, with those in front, within the lower half of a /24.
const maxPerUpstream = 21

// IPv6 says whether some load balancer has nodes with an IPv6 address.
func (w World) IPv6() bool {
	return slices.ContainsFunc(w.Balancers, func(b Balancer) bool { return b.SpareIPv6 > 0 })
}

// Place gives every node an IPv4 address: address(0), address(1), ... First those in front,
// then those of every upstream. Those with an IPv6 address are not among them.
func (w World) Place(address func(n int) netip.Addr) Topology {
	t := Topology{World: w}
	if w.Front != nil {
		for i := range w.Front.Nodes {
			t.Nodes = append(t.Nodes, Node{Addr: address(i), Upstream: InFront, Balancer: FrontName, Number: i + 1})
		}
	}
	for upstream := range Literal {
		for _, b := range w.Balancers {
			for i := range b.Nodes + b.Spare {
				t.Nodes = append(t.Nodes, Node{Addr: address(len(t.Nodes)), Upstream: upstream + 1, Balancer: b.Name, Number: i + 1})
			}
		}
	}
	return t
}

// WithIPv6 adds the nodes with an IPv6 address: those that the world has behind each name,
// and all of LiteralIPv6.
func (t Topology) WithIPv6(address func(n int) netip.Addr) Topology {
	t.Nodes = slices.Clone(t.Nodes)
	placed := 0
	for upstream := range Upstreams {
		for _, b := range t.Balancers {
			first, last := b.Nodes+b.Spare+1, b.Nodes+b.Spare+b.SpareIPv6
			switch upstream + 1 {
			case Literal:
				continue
			case LiteralIPv6:
				first = 1
			}
			for number := first; number <= last; number++ {
				t.Nodes = append(t.Nodes, Node{Addr: address(placed), Upstream: upstream + 1, Balancer: b.Name, Number: number})
				placed++
			}
		}
	}
	slices.SortStableFunc(t.Nodes, func(a, b Node) int { return a.Upstream - b.Upstream })
	return t
}

// Lead gives the number 1 in each upstream to a node that is in use, if the one that has
// it is not: a proxy that uses one address of several meets no fault of the others.
func (t Topology) Lead(used func(netip.Addr) bool) Topology {
	t.Nodes = slices.Clone(t.Nodes)
	first := t.Balancers[0]
	for upstream := range Upstreams {
		lead, other := -1, -1
		for i, n := range t.Nodes {
			switch {
			case n.Upstream != upstream+1 || n.Balancer != first.Name || n.Number > first.Nodes:
			case n.Number == 1:
				lead = i
			case other < 0 && used(n.Addr):
				other = i
			}
		}
		if lead >= 0 && other >= 0 && !used(t.Nodes[lead].Addr) {
			t.Nodes[lead].Number, t.Nodes[other].Number = t.Nodes[other].Number, 1
		}
	}
	return t
}

// Node finds a node by its address.
func (t Topology) Node(addr netip.Addr) (Node, bool) {
	i := slices.IndexFunc(t.Nodes, func(n Node) bool { return n.Addr == addr })
	if i < 0 {
		return Node{}, false
	}
	return t.Nodes[i], true
}

// Balancer finds a load balancer by its name.
func (w World) Balancer(name string) (Balancer, bool) {
	i := slices.IndexFunc(w.Balancers, func(b Balancer) bool { return b.Name == name })
	if i < 0 {
		return Balancer{}, false
	}
	return w.Balancers[i], true
}
