package fault

import (
	"net/netip"
	"testing"

	. "github.com/onsi/gomega"

	"github.com/proxychaos/proxychaos/fakealb"
	"github.com/proxychaos/proxychaos/fakealb/targets"
	"github.com/proxychaos/proxychaos/harness/world"
)

// frontOn is a load balancer in front, whose one node has two proxies as its targets. Nothing
// listens there.
func frontOn(t *testing.T, node netip.Addr) *Live {
	t.Helper()
	g := NewWithT(t)
	w := albOn(t)
	w.Topology = world.World{Front: &world.Front{Nodes: 1, Proxies: 2}, Balancers: replaced.Balancers}.Place(func(int) netip.Addr { return node })
	w.State = w.Topology.Start()
	w.Proxies = []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:1"), netip.MustParseAddrPort("127.0.0.1:2")}
	name := LoadBalancer(world.FrontName, world.InFront)
	_, err := w.ALB.PutLoadBalancer(t.Context(), fakealb.LoadBalancer{Name: name, TargetGroup: &targets.Group{Targets: targets.At(w.Proxies...)}})
	g.Expect(err).NotTo(HaveOccurred())
	_, err = w.ALB.PutNode(t.Context(), fakealb.Node{Addr: node, LoadBalancer: name})
	g.Expect(err).NotTo(HaveOccurred())
	return w
}

// A proxy that is taken out drains at every node in front, and the other does not.
func TestAProxyIsTakenOut(t *testing.T) {
	g := NewWithT(t)
	w := frontOn(t, netip.MustParseAddr("127.81.10.21"))
	second := Deregister{Proxy: 2}
	g.Expect(second.Prove(t.Context(), w)).To(ConsistOf(HaveField("OK", false)), "it is not out")
	after(t, w, second)
	g.Expect(second.Prove(t.Context(), w)).To(ConsistOf(HaveField("OK", true)))
	g.Expect(Deregister{Proxy: 1}.Prove(t.Context(), w)).To(ConsistOf(HaveField("OK", false)))
	g.Expect(Deregister{Proxy: 3}.Prove(t.Context(), w)).To(ConsistOf(HaveField("OK", false)), "there is none")
	lb, err := front(t.Context(), w)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(lb.TargetGroup.Targets).To(Equal(targets.At(w.Proxies[0])))
	back := Register{Proxy: 2}
	_, err = back.Apply(t.Context(), w)
	g.Expect(err).NotTo(HaveOccurred())
	lb, err = front(t.Context(), w)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(lb.TargetGroup.Targets).To(Equal(targets.At(w.Proxies...)))
	g.Expect(second.Prove(t.Context(), w)).To(ConsistOf(HaveField("OK", false)), "it drains no more")
	g.Expect(second.Effects(w.State)).To(ConsistOf(world.Effect{Proxy: 2, Registered: world.Truth(false)}))
}
