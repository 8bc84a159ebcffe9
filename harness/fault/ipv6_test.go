package fault

import (
	"net/netip"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/proxychaos/proxychaos/fakedns"
	"github.com/proxychaos/proxychaos/harness/world"
)

func address6(n int) netip.Addr {
	return netip.AddrFrom16([16]byte{0x20, 0x01, 0, 2, 15: byte(21 + n)})
}

// A name gets AAAA records beside its A records, as an ALB that becomes dual-stack, and
// loses them again. Each type is proved by itself.
func TestIPv6Appears(t *testing.T) {
	g := NewWithT(t)
	loopback := netip.MustParseAddrPort("127.0.0.1:0")
	server, err := fakedns.New(fakedns.Config{Listen: []netip.AddrPort{loopback}, Control: loopback, Seed: 1})
	g.Expect(err).NotTo(HaveOccurred())
	run(t, server.Run)
	w := live(world.World{Balancers: []world.Balancer{{Name: "backend", Nodes: 2, SpareIPv6: 2, Targets: 2}}}, nil)
	w.Topology = w.Topology.WithIPv6(address6)
	w.Probe, w.Resolvers, w.DNS, w.State = &client{}, server.Addrs()[:1], fakedns.NewClient(server.ControlURL(), nil), w.Topology.Start()
	_, err = w.DNS.PutNames(t.Context(), Names(w.Topology, time.Second)...)
	g.Expect(err).NotTo(HaveOccurred())
	asks := func(name, qtype string) []netip.Addr {
		got, err := w.Probe.Lookup(t.Context(), w.Resolvers[0], name, qtype)
		g.Expect(err).NotTo(HaveOccurred(), "%s of %s", qtype, name)
		return got
	}
	six := []netip.Addr{w.Topology.Nodes[2].Addr, w.Topology.Nodes[3].Addr}
	g.Expect(six).To(HaveEach(HaveField("Is6()", true)))
	g.Expect(asks("api.example.com", ipv4)).To(ConsistOf(a21, a22))
	g.Expect(asks("api.example.com", ipv6)).To(BeEmpty())
	g.Expect(asks(LiteralNames[world.Literal], ipv6)).To(BeEmpty())
	g.Expect(asks(LiteralNames[world.LiteralIPv6], ipv4)).To(BeEmpty())
	g.Expect(asks(LiteralNames[world.LiteralIPv6], ipv6)).To(HaveLen(2))

	w.Upstreams = map[int]string{1: "api.example.com", world.LiteralIPv6: LiteralNames[world.LiteralIPv6]}
	right, types := HaveField("OK", true), 3 // A and AAAA of the name, AAAA of the literal addresses
	appear, leave := ChangeDNS{To: world.Numbers(1, 2, 3, 4)}, ChangeDNS{To: world.Numbers(1, 2)}
	for _, f := range []ChangeDNS{appear, leave} {
		g.Expect(f.Prove(t.Context(), w)).To(ContainElement(HaveField("OK", false)), "before it is applied")
		effects := f.Effects(w.State)
		_, err = f.Apply(t.Context(), w)
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(f.Prove(t.Context(), w)).To(And(HaveLen(types), HaveEach(right)))
		w.State = w.State.With(effects...)
		g.Expect(asks("api.example.com", ipv4)).To(ConsistOf(a21, a22))
		if f == appear {
			g.Expect(asks("api.example.com", ipv6)).To(ConsistOf(six))
		} else {
			g.Expect(asks("api.example.com", ipv6)).To(BeEmpty())
		}
	}
}
