package run

import (
	"io"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/proxychaos/proxychaos/fakealb"
	"github.com/proxychaos/proxychaos/fakedns"
	"github.com/proxychaos/proxychaos/harness/fault"
	"github.com/proxychaos/proxychaos/harness/judge"
	"github.com/proxychaos/proxychaos/harness/kind"
	"github.com/proxychaos/proxychaos/harness/pod"
	"github.com/proxychaos/proxychaos/harness/testbed"
)

// What one cell has done to a testbed is gone for the next: names, faults, nodes, addresses,
// connections, and what the kernel remembers of them.
func TestACellLeavesNothingToTheNext(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	lab := containers(t, options(t))
	ctx := t.Context()
	spec := testbed.Spec{Kit: lab.shared.Kit, Labels: lab.shared.Labels, Scaled: true, Seed: 1, Start: os.Getpid() + int(lab.next.Add(1))}
	tb, err := testbed.Start(ctx, lab.docker, spec)
	t.Cleanup(func() { g.Expect(tb.Close()).To(Succeed()) })
	g.Expect(err).NotTo(HaveOccurred())
	node := tb.Node(0)
	stand := func() fault.Result {
		_, err := tb.ALB.PutLoadBalancer(ctx, fakealb.LoadBalancer{Name: "backend", Targets: 1})
		g.Expect(err).NotTo(HaveOccurred())
		_, err = tb.ALB.PutNode(ctx, fakealb.Node{Addr: node, LoadBalancer: "backend"})
		g.Expect(err).NotTo(HaveOccurred())
		got, err := tb.Pod.ProbeConnect(ctx, pod.ConnectRequest{Addr: netip.AddrPortFrom(node, 80), Timeout: pod.Duration(500 * time.Millisecond)})
		g.Expect(err).NotTo(HaveOccurred())
		return got.Result
	}
	g.Expect(stand()).To(Equal(fault.Connected))
	_, err = tb.DNS.PutNames(ctx, fakedns.Name{Name: "backend.example.com", TTL: time.Second, A: []netip.Addr{node}})
	g.Expect(err).NotTo(HaveOccurred())
	_, err = tb.DNS.PutFault(ctx, fakedns.Fault{ID: "outage", Kind: fakedns.KindServFail})
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(tb.Pod.SetLiterals(ctx, pod.LiteralsRequest{Network: tb.Subnet, Nodes: []netip.Addr{node}})).To(Succeed())
	_, err = tb.Pod.OpenCanary(ctx, "held", pod.CanaryRequest{Addr: netip.AddrPortFrom(node, 80)})
	g.Expect(err).NotTo(HaveOccurred())
	_, err = tb.ALB.SetFault(ctx, fakealb.FaultSilence, node)
	g.Expect(err).NotTo(HaveOccurred())

	spec.Seed = 2
	g.Expect(tb.Renew(ctx, spec)).To(Succeed())
	g.Expect(tb.DNS.Names(ctx)).To(BeEmpty())
	g.Expect(tb.DNS.Faults(ctx)).To(BeEmpty())
	g.Expect(tb.ALB.Nodes(ctx)).To(BeEmpty())
	g.Expect(tb.ALB.Packets(ctx)).To(BeEmpty())
	g.Expect(tb.Pod.Literals(ctx)).To(BeEmpty())
	g.Expect(stand()).To(Equal(fault.Connected), "the node is not silent any more")
	g.Expect(tb.Pod.SetLiterals(ctx, pod.LiteralsRequest{Network: tb.Subnet, Nodes: []netip.Addr{node}})).To(Succeed())

	g.Expect(tb.Renew(ctx, testbed.Spec{Kit: spec.Kit, Labels: spec.Labels})).To(MatchError(ContainSubstring("another clock")))
}

// The second cell of a lab is given the testbed of the first, and comes to what it would
// in one of its own, whatever the first has left behind: dead nodes, a translated address.
func TestCellsShareATestbed(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	lab := containers(t, options(t))
	literal := file(t, "literal.conf", "server { listen 80; location / { proxy_pass http://192.168.1.101:8081; } }")
	follows := file(t, "follows.conf", `resolver 169.254.169.253 valid=1s;
server {
    listen 80;
    set $backend backend.example.com;
    location / { proxy_pass http://$backend; }
}
`)
	got := lab.Run(t.Context(), []Cell{{rotate(), own(kind.Nginx, literal, 0)}, {rotate(), own(kind.Nginx, follows, time.Second)}})
	for i, want := range []string{judge.Fail, judge.Pass} {
		g.Expect(got[i].Err).NotTo(HaveOccurred())
		g.Expect(got[i].Verdict.Result).To(Equal(want), "%s", strings.Join(got[i].Verdict.Reasons, "; "))
	}
	g.Expect(got[1].Manifest.World.Nodes[0].Addr).To(Equal(got[0].Manifest.World.Nodes[0].Addr))
}

// If one testbed could not be renewed, none is kept for another try.
func TestATestbedThatCannotBeRenewed(t *testing.T) {
	g := NewWithT(t)
	lab := &Lab{opt: Options{Log: io.Discard}}
	g.Expect(lab.leave(&testbed.Testbed{Seat: &testbed.Seat{}})).To(Succeed())
	tb, err := lab.renewed(t.Context(), testbed.Spec{Scaled: true}) // it was for another clock
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(tb).To(BeNil())
	g.Expect(lab.leave(&testbed.Testbed{Seat: &testbed.Seat{}})).To(Succeed())
	g.Expect(lab.spares.take()).To(BeNil())
}
