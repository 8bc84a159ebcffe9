package fault

import (
	"net/netip"
	"testing"

	. "github.com/onsi/gomega"

	"github.com/proxychaos/proxychaos/fakealb"
	"github.com/proxychaos/proxychaos/fakealb/targets"
	"github.com/proxychaos/proxychaos/harness/world"
)

// The load balancer in front has the idle timeout from then on, and the targets that it had. One
// of requests has no such thing.
func TestTheLoadBalancerInFrontForgetsIdleConnections(t *testing.T) {
	g := NewWithT(t)
	server, err := fakealb.New(fakealb.Config{Network: fakealb.NetworkUserspace, Ports: []uint16{18080}})
	g.Expect(err).NotTo(HaveOccurred())
	run(t, server.Run)
	w := live(world.World{Front: &world.Front{Nodes: 2, Network: true}, Balancers: replaced.Balancers}, nil)
	w.ALB = fakealb.NewClient(server.ControlURL(), nil)
	f := ForgetIdle{Seconds: 60}
	g.Expect(f.Effects(w.State)).To(HaveLen(2), "one for each node in front")
	_, err = f.Apply(t.Context(), w)
	g.Expect(err).To(MatchError(ContainSubstring("no load balancer")))
	g.Expect(f.Prove(t.Context(), w)).To(ConsistOf(HaveField("OK", false)))

	name, group := LoadBalancer(world.FrontName, world.InFront), &targets.Group{Protocol: targets.ProtocolTCP, Targets: targets.At(netip.MustParseAddrPort("127.0.0.1:80"))}
	_, err = w.ALB.PutLoadBalancer(t.Context(), fakealb.LoadBalancer{
		Name: name, Type: fakealb.TypeNetwork, TargetGroup: group, Listeners: []fakealb.Listener{{Port: 18080, Protocol: fakealb.ProtocolTCP}},
	})
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(f.Prove(t.Context(), w)).To(ConsistOf(HaveField("OK", false)), "it is 350 s")
	at, err := f.Apply(t.Context(), w)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(at).NotTo(BeZero())
	g.Expect(f.Prove(t.Context(), w)).To(ConsistOf(HaveField("OK", true)))
	lb, err := front(t.Context(), w)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(lb.TargetGroup.Targets).To(Equal(group.Targets))
	_, err = w.ALB.DeleteLoadBalancer(t.Context(), name)
	g.Expect(err).NotTo(HaveOccurred())

	_, err = w.ALB.PutLoadBalancer(t.Context(), fakealb.LoadBalancer{Name: name, Targets: 1})
	g.Expect(err).NotTo(HaveOccurred())
	_, err = f.Apply(t.Context(), w)
	g.Expect(err).To(MatchError(ContainSubstring("of type application, want network")))
}
