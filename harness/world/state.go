package world

import (
	"net/netip"
	"slices"
	"strings"
)

// Effect is one fact about the world from an instant on: a node is named or not, a node serves
// or not, the resolvers answer or not, the proxy was restarted or told to reload, one of several
// proxies is a target or not, runs or not. It is about a node if Node is set, about the resolvers
// if Resolves is, and about a proxy if Restarted, Reloaded or Proxy is.
type Effect struct {
	Node netip.Addr `json:"node,omitzero"`
	// Named says whether the answers for the node's name have the node.
	Named *bool `json:"named,omitempty"`
	// Serves says whether the node does its work.
	Serves *bool `json:"serves,omitempty"`
	// Partly says that a node which does not serve serves some all the same: the
	// connections that it has, or some of the requests.
	Partly bool `json:"partly,omitempty"`
	// Resolves says whether every resolver answers as it should.
	Resolves *bool `json:"resolves,omitempty"`
	// Restarted says that the proxy was restarted: what it knew and held is gone.
	Restarted bool `json:"restarted,omitempty"`
	// Reloaded says that the proxy was told to reload its configuration.
	Reloaded bool `json:"reloaded,omitempty"`
	// Proxy is the number, from 1, of the proxy that Registered or Runs is about.
	Proxy int `json:"proxy,omitempty"`
	// Registered says whether the load balancer in front has it among its targets.
	Registered *bool `json:"registered,omitempty"`
	// Runs says whether it runs. One that is told to end may first finish its requests.
	Runs *bool `json:"runs,omitempty"`
	// How is in which way it does not serve or resolve: Silence, refuse, tls-expired,
	// servfail, ... Empty if it does.
	How string `json:"how,omitempty"`
}

// Silence is how a node does not serve whose packets are dropped, also those that it sends.
const Silence = "silence"

// RefusesTLS says whether the node ends handshakes in a way of its own instead of serving.
func (e Effect) RefusesTLS() bool { return strings.HasPrefix(e.How, "tls-") }

// Worse says whether the effect takes something away that a request may need: a node
// that serves, an answer. A name that has another node takes nothing away.
func (e Effect) Worse() bool {
	return e.Serves != nil && !*e.Serves || e.Resolves != nil && !*e.Resolves
}

// State is what is true at one instant.
type State struct {
	Nodes []NodeState
	// Resolves says whether the resolvers answer as they should, else How they do not.
	Resolves bool
	How      string
}

// NodeState is what is true of one node at one instant.
type NodeState struct {
	Node
	// Named says whether its name has it now, Left whether the name had it and has it no more.
	Named, Left bool
	// Spare says whether the DNS name of its balancer did not have it at the start.
	Spare bool
	// Serves says whether it serves, else How it does not.
	Serves bool
	How    string
	// InUse says whether the proxy sent requests to it just before this instant.
	InUse bool
}

// Start is the state of a topology before any effect: each name leads to its first
// balancer, which has its Nodes; clients know every node in front; every node serves.
func (t Topology) Start() State {
	s := State{Resolves: true}
	for _, n := range t.Nodes {
		if n.Upstream == InFront {
			s.Nodes = append(s.Nodes, NodeState{Node: n, Named: true, Serves: true})
			continue
		}
		b, _ := t.Balancer(n.Balancer)
		spare := n.Number > b.Nodes
		s.Nodes = append(s.Nodes, NodeState{Node: n, Named: n.Balancer == t.Balancers[0].Name && !spare, Spare: spare, Serves: true})
	}
	return s
}

// With returns the state after the effects.
func (s State) With(effects ...Effect) State {
	s.Nodes = slices.Clone(s.Nodes)
	for _, e := range effects {
		if e.Resolves != nil {
			s.Resolves, s.How = *e.Resolves, e.How
		}
		for i := range s.Nodes {
			if n := &s.Nodes[i]; n.Addr == e.Node {
				n.with(e)
			}
		}
	}
	return s
}

// Using returns the state with the nodes that are in use.
func (s State) Using(used func(netip.Addr) bool) State {
	s.Nodes = slices.Clone(s.Nodes)
	for i := range s.Nodes {
		s.Nodes[i].InUse = used(s.Nodes[i].Addr)
	}
	return s
}

func (n *NodeState) with(e Effect) {
	if e.Named != nil {
		n.Left = n.Named && !*e.Named || n.Left && !*e.Named
		n.Named = *e.Named
	}
	if e.Serves != nil {
		n.Serves, n.How = *e.Serves, e.How
	}
}

// Node finds the state of one node.
func (s State) Node(addr netip.Addr) (NodeState, bool) {
	i := slices.IndexFunc(s.Nodes, func(n NodeState) bool { return n.Addr == addr })
	if i < 0 {
		return NodeState{}, false
	}
	return s.Nodes[i], true
}

// Truth points to b, for the fields of an Effect.
func Truth(b bool) *bool { return &b }
