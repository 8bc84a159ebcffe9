package embedded

import (
	"net"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/proxychaos/proxychaos/fakealb"
	"github.com/proxychaos/proxychaos/fakedns"
	"github.com/proxychaos/proxychaos/harness/fault"
)

// freePort is a port that nothing has at this moment; the addresses that the
// beds use with it are their own.
func freePort(t *testing.T) uint16 {
	t.Helper()
	listener, err := net.Listen("tcp4", "127.0.0.1:0") //nolint:noctx // immediate
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	return netip.MustParseAddrPort(listener.Addr().String()).Port()
}

// bed is a started bed with its old nodes up.
func bed(t *testing.T, n int, port uint16) *Bed {
	t.Helper()
	b, err := Start(t.Context(), n, 1, []uint16{port})
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.ALB.PutLoadBalancer(t.Context(), fakealb.LoadBalancer{Name: "first", Targets: 1}); err != nil {
		t.Fatal(err)
	}
	for n := range 2 {
		a := b.Node(n)
		if _, err := b.ALB.PutNode(t.Context(), fakealb.Node{Addr: a, LoadBalancer: "first"}); err != nil {
			t.Fatal(err)
		}
	}
	return b
}

// Beds of this process, and of others, that begin at the same number do not
// meet.
func TestBedsDoNotMeet(t *testing.T) {
	g := NewWithT(t)
	port := freePort(t)
	a, b := bed(t, 255, port), bed(t, 255, port)
	seen := map[netip.Addr]bool{}
	for _, addr := range []netip.Addr{a.Node(0), a.Node(1), a.Node(2), b.Node(0), b.Node(1), b.Node(2)} {
		g.Expect(seen[addr]).To(BeFalse(), addr.String())
		g.Expect(netip.MustParsePrefix("127.77.0.0/16").Contains(addr)).To(BeTrue())
		seen[addr] = true
	}
	g.Expect(seen).To(HaveLen(6))
}

// A program that listens on every address is in the way of every bed: one
// clear line.
func TestPortThatIsTaken(t *testing.T) {
	g := NewWithT(t)
	everywhere, err := net.Listen("tcp4", "0.0.0.0:0") //nolint:noctx,gosec // on every address is what is tested
	g.Expect(err).NotTo(HaveOccurred())
	defer func() { _ = everywhere.Close() }()
	port := netip.MustParseAddrPort(everywhere.Addr().String()).Port()
	b, err := Start(t.Context(), 1, 1, []uint16{port})
	g.Expect(err).To(MatchError(And(ContainSubstring("need port"), ContainSubstring("listen on it on every address"), Not(ContainSubstring("\n")))))
	g.Expect(b.Close()).To(Succeed(), "also after a start that failed")
}

func TestCloseFreesEverything(t *testing.T) {
	g := NewWithT(t)
	port := freePort(t)
	b := bed(t, 7, port)
	node := netip.AddrPortFrom(b.Node(0), port)
	_, err := b.Probe().Get(t.Context(), node, time.Second)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(b.Probe().Hold(t.Context(), node)).To(Succeed())
	g.Expect(b.Close()).To(Succeed())
	listener, err := net.Listen("tcp4", node.String()) //nolint:noctx // immediate
	g.Expect(err).NotTo(HaveOccurred(), "the node's address is free again")
	g.Expect(listener.Close()).To(Succeed())
}

// The prober tells apart what a proxy would see, which is what the proofs of
// the faults rest on.
func TestProber(t *testing.T) {
	for _, tc := range []struct {
		kind         fakealb.FaultKind
		fresh, asked fault.Result
	}{
		{fakealb.FaultSilence, fault.TimedOut, fault.Silent},
		{fakealb.FaultRefuse, fault.Refused, fault.Reset},
		{"", fault.Connected, fault.Answered},
	} {
		t.Run("fault "+string(tc.kind), func(t *testing.T) {
			t.Parallel()
			g := NewWithT(t)
			port := freePort(t)
			b := bed(t, 20, port)
			node := netip.AddrPortFrom(b.Node(0), port)
			p := b.Probe()
			g.Expect(p.Hold(t.Context(), node)).To(Succeed())
			if tc.kind != "" {
				_, err := b.ALB.SetFault(t.Context(), tc.kind, b.Node(0), b.Node(1))
				g.Expect(err).NotTo(HaveOccurred())
			}
			seen, err := p.Connect(t.Context(), node, 300*time.Millisecond)
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(seen).To(Equal(tc.fresh))
			asked, err := p.Ask(t.Context(), node, 300*time.Millisecond)
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(asked).To(Equal(tc.asked))
		})
	}
}

// What the harness does itself is told from what the proxy does.
func TestProbesAreKnown(t *testing.T) {
	g := NewWithT(t)
	port := freePort(t)
	b := bed(t, 40, port)
	_, err := b.DNS.PutNames(t.Context(), fakedns.Name{Name: "*", A: []netip.Addr{b.Node(0), b.Node(1)}, TTL: time.Second})
	g.Expect(err).NotTo(HaveOccurred())
	p := b.Probe()
	found, err := p.Lookup(t.Context(), b.Resolver, "backend.example.com", "A")
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(found).To(ConsistOf(b.Node(0), b.Node(1)))
	found, err = p.Lookup(t.Context(), b.Resolver, "backend.example.com", "AAAA")
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(found).To(BeEmpty())
	_, err = b.DNS.PutFault(t.Context(), fakedns.Fault{ID: "six", Kind: fakedns.KindServFail, Scope: fakedns.Scope{Type: "AAAA"}})
	g.Expect(err).NotTo(HaveOccurred())
	_, err = p.Lookup(t.Context(), b.Resolver, "backend.example.com", "AAAA")
	g.Expect(err).To(MatchError(ContainSubstring("SERVFAIL")))
	answer, err := p.Get(t.Context(), netip.AddrPortFrom(b.Node(0), port), time.Second)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(answer.Status).To(Equal(200))
	g.Expect(answer.Server).NotTo(BeEmpty())

	queries, err := b.DNS.Queries(t.Context(), fakedns.Filter{})
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(queries).To(HaveLen(3))
	for _, q := range queries {
		g.Expect(p.IsOwn(q.Client)).To(BeTrue())
	}
	conns, err := b.ALB.Connections(t.Context())
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(conns).To(HaveLen(1))
	g.Expect(p.IsOwn(conns[0].Peer)).To(BeTrue())
	g.Expect(p.IsOwn(netip.MustParseAddrPort("127.0.0.1:1"))).To(BeFalse())

	_, err = p.Ask(t.Context(), netip.AddrPortFrom(b.Node(1), port), time.Second)
	g.Expect(err).To(MatchError(ContainSubstring("no connection")))
	answer, err = p.Get(t.Context(), netip.AddrPortFrom(b.Node(2), port), time.Second)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(answer.Result).To(Equal(fault.Refused), "it is not up")
	g.Expect(p.Hold(t.Context(), netip.AddrPortFrom(b.Node(2), port))).To(MatchError("got refused, want a connection"))
}

// A config that goproxy rejects: its own words, with file and line.
func TestProxyThatIsRejected(t *testing.T) {
	g := NewWithT(t)
	b := bed(t, 60, freePort(t))
	_, err := b.StartProxy(t.Context(), "proxy.yaml", []byte("listen: \":8080\"\nupstreems: {}\n"))
	g.Expect(err).To(MatchError(And(HavePrefix("proxy.yaml:2:"), ContainSubstring("upstreems"))))
}

func TestLogKeepsLines(t *testing.T) {
	g := NewWithT(t)
	var l logBuffer
	before := time.Now()
	_, err := l.Write([]byte("one\ntwo\n"))
	g.Expect(err).NotTo(HaveOccurred())
	lines := l.copy()
	g.Expect(lines).To(HaveLen(2))
	g.Expect(strings.Join([]string{lines[0].Text, lines[1].Text}, " ")).To(Equal("one two"))
	g.Expect(lines[0].At).To(BeTemporally(">=", before))
}

// A proxy that was restarted, or took its configuration again, is at the same address, with
// the same configuration.
func TestRestart(t *testing.T) {
	g := NewWithT(t)
	port := freePort(t)
	b := bed(t, 9, port)
	_, err := b.DNS.PutNames(t.Context(), fakedns.Name{Name: "backend.example.com", TTL: time.Second, A: []netip.Addr{b.Node(0)}})
	g.Expect(err).NotTo(HaveOccurred())
	config := strings.NewReplacer("PORT", strconv.Itoa(int(port))).Replace("listen: \":8080\"\nroutes:\n  - upstream: backend\nupstreams:\n  backend:\n    url: http://backend.example.com:PORT\n")
	proxy, err := b.StartProxy(t.Context(), "proxy.yaml", []byte(config))
	g.Expect(err).NotTo(HaveOccurred())
	serves := func() int {
		answer, err := b.Probe().Get(t.Context(), proxy, 5*time.Second)
		g.Expect(err).NotTo(HaveOccurred())
		return answer.Status
	}
	g.Expect(serves()).To(Equal(200))
	g.Expect(b.ReloadProxy()).To(Succeed())
	g.Expect(serves()).To(Equal(200))
	before := time.Now()
	at, err := b.RestartProxy(t.Context())
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(at).To(BeTemporally(">=", before))
	g.Expect(serves()).To(Equal(200))
}
