package world_test

import (
	"math"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"

	. "github.com/onsi/gomega"

	"github.com/proxychaos/proxychaos/harness/world"
)

func address(n int) netip.Addr { return netip.AddrFrom4([4]byte{198, 18, 0, byte(21 + n)}) }

// two is an ALB with two nodes and two spare ones, beside another.
var two = world.World{Balancers: []world.Balancer{{Name: "backend", Nodes: 2, Spare: 2, Targets: 2}, {Name: "other", Nodes: 1}}}

func TestPlaceGivesEachUpstreamItsOwn(t *testing.T) {
	g := NewWithT(t)
	topology := two.Place(address)
	g.Expect(topology.Nodes).To(HaveLen(5 * world.Literal))
	seen := map[netip.Addr]bool{}
	for _, n := range topology.Nodes {
		g.Expect(seen[n.Addr]).To(BeFalse(), "%s stands twice", n.Addr)
		seen[n.Addr] = true
		found, _ := topology.Node(n.Addr)
		g.Expect(found).To(Equal(n))
	}
	g.Expect(topology.Nodes[7]).To(Equal(world.Node{Addr: address(7), Upstream: 2, Balancer: "backend", Number: 3}))
	_, known := topology.Node(netip.MustParseAddr("10.0.0.1"))
	g.Expect(known).To(BeFalse())
}

func TestStartAndPicks(t *testing.T) {
	g := NewWithT(t)
	s := two.Place(address).Start()
	of := func(p world.Pick) []string {
		var got []string
		for _, n := range p.Of(s) {
			if n.Upstream == 1 {
				got = append(got, n.Balancer+string(rune('0'+n.Number)))
			}
		}
		return got
	}
	g.Expect(of(world.Named)).To(Equal([]string{"backend1", "backend2"}))
	g.Expect(of(world.Half)).To(Equal([]string{"backend1"}))
	g.Expect(of(world.Spare)).To(Equal([]string{"backend3", "backend4", "other1"}))
	g.Expect(of(world.Left)).To(BeEmpty())
	g.Expect(of(world.Numbers(2, 3))).To(Equal([]string{"backend2", "backend3"}))
	s = s.With(world.Effect{Node: address(0), Named: world.Truth(false)}, world.Effect{Node: address(2), Named: world.Truth(true)},
		world.Effect{Node: address(1), Serves: world.Truth(false), How: "silence"})
	g.Expect(of(world.Named)).To(Equal([]string{"backend2", "backend3"}))
	g.Expect(of(world.Left)).To(Equal([]string{"backend1"}))
	g.Expect(of(world.Struck)).To(Equal([]string{"backend2"}))
	g.Expect(of(world.Spare)).To(Equal([]string{"backend4", "other1"}))
	n, _ := s.Node(address(1))
	g.Expect(n.How).To(Equal("silence"))
	s = s.With(world.Effect{Node: address(0), Named: world.Truth(true)})
	g.Expect(of(world.Left)).To(BeEmpty(), "it came back")
}

// What a fault is about is in use: the first node is one that the proxy uses.
func TestLead(t *testing.T) {
	g := NewWithT(t)
	four := world.World{Balancers: []world.Balancer{{Name: "backend", Nodes: 3, Spare: 1}}}
	topology := four.Place(address)
	numbers := func(t world.Topology) []int {
		var got []int
		for _, n := range t.Nodes[:4] {
			got = append(got, n.Number)
		}
		return got
	}
	using := func(addrs ...netip.Addr) func(netip.Addr) bool {
		return func(a netip.Addr) bool { return slices.Contains(addrs, a) }
	}
	g.Expect(numbers(topology.Lead(using(address(2))))).To(Equal([]int{3, 2, 1, 4}))
	g.Expect(numbers(topology.Lead(using(address(0), address(2))))).To(Equal([]int{1, 2, 3, 4}), "the first is used")
	g.Expect(numbers(topology.Lead(using()))).To(Equal([]int{1, 2, 3, 4}), "none is used")
	g.Expect(numbers(topology.Lead(using(address(3))))).To(Equal([]int{1, 2, 3, 4}), "a spare one is not the first")
	g.Expect(topology.Lead(using(address(5))).Nodes[4:6]).To(HaveExactElements(HaveField("Number", 2), HaveField("Number", 1)), "each upstream by itself")
	g.Expect(numbers(topology)).To(Equal([]int{1, 2, 3, 4}), "it is a value")
	led := world.Half.Of(topology.Lead(using(address(2))).Start())
	g.Expect(led[:2]).To(HaveExactElements(HaveField("Addr", address(2)), HaveField("Addr", address(1))), "half, by number")
}

// Half is chosen among those in use, also when the numbers say otherwise: a proxy may have
// gone on to others since they were given.
func TestHalfIsInUse(t *testing.T) {
	g := NewWithT(t)
	four := world.World{Balancers: []world.Balancer{{Name: "backend", Nodes: 4}}}
	start := four.Place(address).Start()
	half := func(used ...netip.Addr) []netip.Addr {
		var got []netip.Addr
		for _, n := range world.Half.Of(start.Using(func(a netip.Addr) bool { return slices.Contains(used, a) })) {
			if n.Upstream == 1 {
				got = append(got, n.Addr)
			}
		}
		return got
	}
	g.Expect(half()).To(Equal([]netip.Addr{address(0), address(1)}), "none is known to be in use")
	g.Expect(half(address(3))).To(Equal([]netip.Addr{address(3), address(0)}))
	g.Expect(half(address(3), address(2))).To(Equal([]netip.Addr{address(2), address(3)}))
	g.Expect(half(address(3), address(2), address(1))).To(Equal([]netip.Addr{address(1), address(2)}))
	g.Expect(start.Nodes).NotTo(ContainElement(HaveField("InUse", true)), "it is a value")
	g.Expect(start.Using(func(netip.Addr) bool { return true }).With().Nodes).NotTo(ContainElement(HaveField("InUse", false)))
}

func TestWrongPicks(t *testing.T) {
	for _, p := range []world.Pick{"", "first", "0", "1 x", "-1"} {
		NewWithT(t).Expect(p.Check()).To(MatchError(ContainSubstring(`"1 3"`)), "%q", p)
		NewWithT(t).Expect(p.Of(two.Place(address).Start())).To(BeEmpty())
	}
	for _, p := range []world.Pick{world.Named, world.Half, world.Left, world.Spare, world.Struck, "1", world.Numbers(1, 12)} {
		NewWithT(t).Expect(p.Check()).To(Succeed())
	}
}

func TestWrongWorlds(t *testing.T) {
	NewWithT(t).Expect(two.Check()).To(Succeed())
	for name, w := range map[string]world.World{
		"empty":             {},
		"no name":           {Balancers: []world.Balancer{{Nodes: 1}}},
		"twice":             {Balancers: []world.Balancer{{Name: "a", Nodes: 1}, {Name: "a", Nodes: 1}}},
		"no node":           {Balancers: []world.Balancer{{Name: "a", Spare: 1}}},
		"negative":          {Balancers: []world.Balancer{{Name: "a", Nodes: 1, Targets: -1}}},
		"too large":         {Balancers: []world.Balancer{{Name: "a", Nodes: 20}, {Name: "b", Nodes: 5}}},
		"too many with v6":  {Balancers: []world.Balancer{{Name: "a", Nodes: 20, SpareIPv6: 2}}},
		"negative with v6":  {Balancers: []world.Balancer{{Name: "a", Nodes: 1, SpareIPv6: -1}}},
		"overflow":          {Balancers: []world.Balancer{{Name: "a", Nodes: math.MaxInt, Spare: 2}}},
		"one DNS name":      {Balancers: []world.Balancer{{Name: "backend", Nodes: 1}, {Name: "Backend", Nodes: 1}}},
		"no part of a name": {Balancers: []world.Balancer{{Name: "back end", Nodes: 1}}},
		"two labels":        {Balancers: []world.Balancer{{Name: "back.end", Nodes: 1}}},
		"too long a name":   {Balancers: []world.Balancer{{Name: strings.Repeat("a", 44), Nodes: 1}}},
	} {
		NewWithT(t).Expect(w.Check()).To(MatchError(ContainSubstring("want")), name)
	}
}

// Whatever happens, a node is in its name, or has left it, or neither; and what is not
// said of it does not change.
func TestStatesStaySound(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	topology := two.Place(address)
	s := topology.Start()
	for range 5000 {
		node := topology.Nodes[random.IntN(len(topology.Nodes))].Addr
		truth := world.Truth(random.IntN(2) == 0)
		e := world.Effect{Node: node, Named: truth}
		if random.IntN(2) == 0 {
			e = world.Effect{Node: node, Serves: truth, How: "refuse"}
		}
		before, _ := s.Node(node)
		next := s.With(e)
		after, _ := next.Node(node)
		switch {
		case after.Named && after.Left:
			t.Fatalf("%+v is in its name and has left it", after)
		case e.Named != nil && after.Serves != before.Serves, e.Serves != nil && after.Named != before.Named:
			t.Fatalf("%+v made %+v of %+v", e, after, before)
		case before.Named && !after.Named && !after.Left:
			t.Fatalf("%+v has left its name and does not know", after)
		}
		s = next
	}
}

func TestWorse(t *testing.T) {
	g := NewWithT(t)
	no, yes := world.Truth(false), world.Truth(true)
	for _, e := range []world.Effect{{Serves: no}, {Resolves: no}} {
		g.Expect(e.Worse()).To(BeTrue())
	}
	for _, e := range []world.Effect{{Named: no}, {Named: yes}, {Serves: yes}, {Resolves: yes}, {}} {
		g.Expect(e.Worse()).To(BeFalse())
	}
}

// dual is an ALB with two nodes, a spare one, and two more spare ones with IPv6 addresses,
// beside another.
var dual = world.World{Balancers: []world.Balancer{{Name: "backend", Nodes: 2, Spare: 1, SpareIPv6: 2, Targets: 2}, {Name: "other", Nodes: 1}}}

func address6(n int) netip.Addr {
	return netip.AddrFrom16([16]byte{0x20, 0x01, 0, 2, 15: byte(21 + n)})
}

// The nodes with IPv6 are as many more; those with IPv4 are where they were without.
func TestWithIPv6(t *testing.T) {
	g := NewWithT(t)
	g.Expect(dual.Check()).To(Succeed())
	g.Expect(dual.IPv6()).To(BeTrue())
	g.Expect(two.IPv6()).To(BeFalse())
	plain := dual.Place(address)
	topology := plain.WithIPv6(address6)
	g.Expect(plain.LiteralNodes(world.LiteralIPv6)).To(BeEmpty())
	g.Expect(topology.LiteralNodes(world.Literal)).To(Equal(plain.LiteralNodes(world.Literal)))
	g.Expect(topology.LiteralNodes(world.LiteralIPv6)).To(HaveLen(2))
	seen, numbers := map[netip.Addr]bool{}, map[int][]int{}
	for i, n := range topology.Nodes {
		g.Expect(seen[n.Addr]).To(BeFalse(), "%s stands twice", n.Addr)
		seen[n.Addr] = true
		g.Expect(i == 0 || topology.Nodes[i-1].Upstream <= n.Upstream).To(BeTrue(), "one upstream after the other")
		if four, known := plain.Node(n.Addr); known {
			g.Expect(n).To(Equal(four))
		} else {
			g.Expect(n.Addr.Is6()).To(BeTrue())
		}
		if n.Balancer == "backend" {
			numbers[n.Upstream] = append(numbers[n.Upstream], n.Number)
		}
	}
	g.Expect(numbers[1]).To(Equal([]int{1, 2, 3, 4, 5}))
	g.Expect(numbers[world.Literal]).To(Equal([]int{1, 2, 3}), "IPv4 addresses lead to nodes with IPv4 addresses")
	g.Expect(numbers[world.LiteralIPv6]).To(Equal([]int{1, 2, 3, 4, 5}))
	g.Expect(topology.Nodes).To(HaveLen(len(plain.Nodes) + 2*world.Names + 6))

	start := topology.Start()
	for _, n := range world.Named.Of(start) {
		g.Expect(n.Addr.Is6()).To(Equal(n.Upstream == world.LiteralIPv6), "no name has an IPv6 address at the start: %+v", n)
	}
	g.Expect(two.Place(address).WithIPv6(address6).LiteralNodes(world.LiteralIPv6)).To(HaveLen(2), "also if only a config needs IPv6")
}
