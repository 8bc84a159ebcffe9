package fault

import (
	"context"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/miekg/dns"
	. "github.com/onsi/gomega"

	"github.com/proxychaos/proxychaos/fakealb"
	"github.com/proxychaos/proxychaos/fakedns"
	"github.com/proxychaos/proxychaos/harness/recording"
)

// client looks at fakes that run in this process, as a prober does.
type client struct{ prober }

func (*client) Lookup(ctx context.Context, resolver netip.AddrPort, name string) ([]netip.Addr, error) {
	c := dns.Client{Timeout: 100 * time.Millisecond}
	reply, _, err := c.ExchangeContext(ctx, new(dns.Msg).SetQuestion(dns.Fqdn(name), dns.TypeA), resolver.String())
	if err != nil {
		return nil, err
	}
	var found []netip.Addr
	for _, rr := range reply.Answer {
		if a, ok := rr.(*dns.A); ok {
			found = append(found, netip.AddrFrom4([4]byte(a.A.To4())))
		}
	}
	return found, nil
}

func (*client) Handshake(ctx context.Context, to netip.AddrPort, name string, ca []byte, timeout time.Duration) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", to.String())
	if err != nil {
		return "", err
	}
	defer func() { _ = conn.Close() }()
	return ShakeHands(ctx, conn, name, ca)
}

// run serves a fake until the test ends.
func run(t *testing.T, serve func(context.Context) error) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- serve(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

// Every way in which fakedns can fail is seen to do so, and to be over.
func TestDNSFailsAndAnswersAgain(t *testing.T) {
	loopback := netip.MustParseAddrPort("127.0.0.1:0")
	server, err := fakedns.New(fakedns.Config{Listen: []netip.AddrPort{loopback}, Control: loopback, Seed: 1})
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	run(t, server.Run)
	w := world(nil)
	w.Stays, w.Probe, w.Resolvers = true, &client{}, server.Addrs()[:1]
	w.DNS = fakedns.NewClient(server.ControlURL(), nil)
	_, err = w.DNS.PutNames(t.Context(), Names(w)...)
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	for _, f := range []FailDNS{
		{Kind: fakedns.KindNoData},
		{Kind: fakedns.KindNXDomain},
		{Kind: fakedns.KindServFail},
		{Kind: fakedns.KindRefused},
		{Kind: fakedns.KindSilence},
		{Kind: fakedns.KindTruncate},
		{Kind: fakedns.KindWrongID},
		{Kind: fakedns.KindWrongQuestion},
		{Kind: fakedns.KindGarbage},
		{Kind: fakedns.KindDelay, Delay: time.Second},
		{Kind: fakedns.KindThrottle, PerSecond: 2},
	} {
		t.Run(string(f.Kind), func(t *testing.T) {
			g := NewWithT(t)
			g.Expect(f.Prove(t.Context(), w)).To(HaveEach(HaveField("OK", false)), "nothing is proved of a fault that is not there")
			at, err := f.Apply(t.Context(), w)
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(at).NotTo(BeZero())
			proofs := f.Prove(t.Context(), w)
			g.Expect(proofs).To(HaveLen(1))
			g.Expect(proofs[0].OK).To(BeTrue(), proofs[0].Detail)
			g.Expect(proofs[0].Kind).To(Equal(recording.ProofDNSFails))
			_, err = HealDNS{}.Apply(t.Context(), w)
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(HealDNS{}.Prove(t.Context(), w)).To(HaveEach(And(HaveField("OK", true), HaveField("Kind", recording.ProofDNSBack))))
		})
	}
}

// Every TLS refusal is seen as what it is by a client that verifies.
func TestNodesRefuseTLS(t *testing.T) {
	g := NewWithT(t)
	listener, err := net.Listen("tcp4", "127.0.0.1:0") //nolint:noctx // immediate
	g.Expect(err).NotTo(HaveOccurred())
	port := netip.MustParseAddrPort(listener.Addr().String()).Port()
	g.Expect(listener.Close()).To(Succeed())
	node := netip.MustParseAddr("127.81.3.21")
	server, err := fakealb.New(fakealb.Config{
		Network: fakealb.NetworkUserspace, Ports: []uint16{port},
		LoadBalancers: []fakealb.LoadBalancer{{Name: "first", Targets: 1}},
		Nodes:         []fakealb.Node{{Addr: node, LoadBalancer: "first"}},
	})
	g.Expect(err).NotTo(HaveOccurred())
	run(t, server.Run)
	w := world(nil)
	w.Probe, w.Old, w.Port = &client{}, []netip.Addr{node}, port
	w.ALB = fakealb.NewClient(server.ControlURL(), nil)
	done, err := w.Probe.Handshake(t.Context(), netip.AddrPortFrom(node, port), proofName, server.CA(), time.Second)
	g.Expect(done, err).To(Equal(HandshakeDone))
	for kind := range handshakeSeen {
		f := RefuseTLS{Kind: kind}
		at, err := f.Apply(t.Context(), w)
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(at).NotTo(BeZero())
		for other := range handshakeSeen {
			proofs := RefuseTLS{Kind: other}.Prove(t.Context(), w)
			g.Expect(proofs).To(HaveLen(1))
			g.Expect(proofs[0].OK).To(Equal(handshakeSeen[other] == handshakeSeen[kind]), "%s in force, asked for %s: %s", kind, other, proofs[0].Detail)
		}
	}
	back := BringBack{}
	w.Probe = &client{prober{status: 200, server: "fakealb"}}
	_, err = back.Apply(t.Context(), w)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(back.Prove(t.Context(), w)).To(HaveEach(And(HaveField("OK", true), HaveField("Kind", recording.ProofNodesBack))))
	done, err = w.Probe.Handshake(t.Context(), netip.AddrPortFrom(node, port), proofName, server.CA(), time.Second)
	g.Expect(done, err).To(Equal(HandshakeDone), "brought back")
}

func TestANodeThatIsNotBack(t *testing.T) {
	g := NewWithT(t)
	g.Expect(BringBack{}.Prove(t.Context(), world(&prober{status: 503}))).To(HaveEach(HaveField("OK", false)))
}
