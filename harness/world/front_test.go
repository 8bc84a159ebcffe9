package world_test

import (
	"encoding/json"
	"net/netip"
	"testing"

	. "github.com/onsi/gomega"

	"github.com/proxychaos/proxychaos/harness/world"
)

// fronted is an ALB behind the proxy and one in front of it.
var fronted = world.World{Front: &world.Front{Nodes: 2}, Balancers: []world.Balancer{{Name: "backend", Nodes: 2, Spare: 1, Targets: 2}}}

// Nodes in front are nodes: they have an address and a state. They are of no upstream of
// the proxy, so that what happens to its names never means them.
func TestNodesInFront(t *testing.T) {
	g := NewWithT(t)
	g.Expect(fronted.Check()).To(Succeed())
	topology := fronted.Place(address)
	g.Expect(topology.FrontNodes()).To(Equal([]netip.Addr{address(0), address(1)}))
	g.Expect(topology.Nodes).To(HaveLen(2 + 3*world.Literal))
	g.Expect(topology.Nodes[2]).To(Equal(world.Node{Addr: address(2), Upstream: 1, Balancer: "backend", Number: 1}))
	g.Expect(two.Place(address).FrontNodes()).To(BeEmpty())

	start := topology.Start()
	g.Expect(world.Fronts.Check()).To(Succeed())
	g.Expect(world.Fronts.Of(start)).To(HaveExactElements(
		world.NodeState{Node: topology.Nodes[0], Named: true, Serves: true},
		world.NodeState{Node: topology.Nodes[1], Named: true, Serves: true}))
	g.Expect(world.Fronts.Of(two.Place(address).Start())).To(BeEmpty())
	dead := start.With(world.Effect{Node: address(0), Serves: world.Truth(false), How: "silence"})
	for _, p := range []world.Pick{world.Named, world.Half, world.Left, world.Spare, world.Struck, world.Numbers(1, 2)} {
		for _, n := range p.Of(dead) {
			g.Expect(n.Upstream).NotTo(Equal(world.InFront), "%s picks %+v", p, n)
		}
	}
	led := topology.Lead(func(a netip.Addr) bool { return a == address(1) || a == address(3) })
	g.Expect(led.Nodes[:4]).To(HaveExactElements(HaveField("Number", 1), HaveField("Number", 2), HaveField("Number", 2), HaveField("Number", 1)))
}

func TestWorldsWithAWrongFront(t *testing.T) {
	for name, change := range map[string]func(*world.World){
		"no node":          func(w *world.World) { w.Front = &world.Front{} },
		"too many":         func(w *world.World) { w.Front = &world.Front{Nodes: 3} },
		"too many proxies": func(w *world.World) { w.Front = &world.Front{Nodes: 2, Proxies: 5} },
		"checks too often": func(w *world.World) {
			w.Front = &world.Front{Nodes: 2, Checks: world.Checks{Interval: 4, Timeout: 2, Healthy: 2, Unhealthy: 2}}
		},
		"a timeout over the interval": func(w *world.World) {
			w.Front = &world.Front{Nodes: 2, Checks: world.Checks{Interval: 5, Timeout: 6, Healthy: 2, Unhealthy: 2}}
		},
		"half of the checks": func(w *world.World) { w.Front = &world.Front{Nodes: 2, Checks: world.Checks{Interval: 5, Timeout: 2}} },
		"checks of a network load balancer": func(w *world.World) {
			w.Front = &world.Front{Nodes: 2, Network: true, Checks: world.Checks{Interval: 5, Timeout: 2, Healthy: 2, Unhealthy: 2}}
		},
		"its name": func(w *world.World) { w.Balancers = []world.Balancer{{Name: world.FrontName, Nodes: 1}} },
	} {
		w := fronted
		change(&w)
		NewWithT(t).Expect(w.Check()).To(MatchError(ContainSubstring("want")), name)
	}
}

func TestProxiesBehindAFront(t *testing.T) {
	g := NewWithT(t)
	g.Expect(two.Proxies()).To(Equal(1))
	g.Expect(fronted.Proxies()).To(Equal(1))
	w := fronted
	w.Front = &world.Front{Nodes: 2, Proxies: 2, Checks: world.Checks{Interval: 5, Timeout: 5, Healthy: 2, Unhealthy: 10}}
	g.Expect(w.Check()).To(Succeed())
	g.Expect(w.Proxies()).To(Equal(2))
}

// Every node of the largest world has an address in the lower half of a /24.
func TestTheLargestWorldHasRoom(t *testing.T) {
	g := NewWithT(t)
	most := world.World{Front: &world.Front{Nodes: 2}, Balancers: []world.Balancer{{Name: "backend", Nodes: 21}}}
	g.Expect(most.Check()).To(Succeed())
	nodes := most.Place(address).Nodes
	g.Expect(nodes[len(nodes)-1].Addr.As4()[3]).To(BeNumerically("<", 128))
}

// A world without a load balancer in front is written as it was before there were any.
func TestAWorldWithoutAFrontSaysNothingOfIt(t *testing.T) {
	g := NewWithT(t)
	text, err := json.Marshal(two)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(string(text)).NotTo(ContainSubstring("front"))
}
