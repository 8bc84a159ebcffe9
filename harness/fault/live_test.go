package fault

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/miekg/dns"
	. "github.com/onsi/gomega"

	"github.com/proxychaos/proxychaos/fakealb"
	"github.com/proxychaos/proxychaos/fakedns"
	"github.com/proxychaos/proxychaos/harness/world"
)

// client looks at fakes that run in this process, as a prober does.
type client struct{ prober }

// patience is how much longer it waits than it is told to: the fakes share the
// processors with all that runs on the machine.
const patience = 10

func (*client) Lookup(ctx context.Context, resolver netip.AddrPort, name, qtype string) ([]netip.Addr, error) {
	c := dns.Client{Timeout: time.Second}
	reply, _, err := c.ExchangeContext(ctx, new(dns.Msg).SetQuestion(dns.Fqdn(name), dns.StringToType[qtype]), resolver.String())
	if err != nil {
		return nil, err
	}
	if reply.Rcode != dns.RcodeSuccess {
		return nil, errors.New(dns.RcodeToString[reply.Rcode])
	}
	return Addresses(reply.Answer), nil
}

func (*client) Handshake(ctx context.Context, to netip.AddrPort, name string, ca []byte, timeout time.Duration) (Handshake, error) {
	ctx, cancel := context.WithTimeout(ctx, patience*timeout)
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
	w := live(replaced, nil)
	w.Probe, w.Resolvers = &client{}, server.Addrs()[:1]
	w.DNS = fakedns.NewClient(server.ControlURL(), nil)
	_, err = w.DNS.PutNames(t.Context(), Names(w.Topology, w.TTL)...)
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
		{Kind: fakedns.KindDelay, Delay: fakealb.Duration(time.Second)},
		{Kind: fakedns.KindThrottle, PerSecond: 2},
		{Kind: fakedns.KindServFail, Type: "AAAA"},
		{Kind: fakedns.KindRefused, Type: "AAAA"},
		{Kind: fakedns.KindSilence, Type: "AAAA"},
		{Kind: fakedns.KindNXDomain, Type: "A"},
	} {
		t.Run(f.Name(), func(t *testing.T) {
			g := NewWithT(t)
			g.Expect(f.Prove(t.Context(), w)).To(HaveEach(HaveField("OK", false)), "nothing is proved of a fault that is not there")
			at, err := f.Apply(t.Context(), w)
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(at).NotTo(BeZero())
			proofs := f.Prove(t.Context(), w)
			g.Expect(proofs).To(HaveEach(HaveField("OK", true)))
			if f.Type == "" {
				g.Expect(proofs).To(HaveLen(1))
			} else {
				g.Expect(proofs).To(HaveLen(2), "the other type is answered")
				g.Expect(HealDNS{}.Prove(t.Context(), w)).To(ContainElement(HaveField("OK", false)), "nothing is healed yet")
			}
			_, err = HealDNS{}.Apply(t.Context(), w)
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(HealDNS{}.Prove(t.Context(), w)).To(HaveEach(HaveField("OK", true)))
		})
	}
}

// While DNS fails nobody can be asked whether a name has moved, but fakedns; once it answers
// again, that the names have what they had meanwhile become is part of the proof.
func TestANameMovesWhileDNSFails(t *testing.T) {
	g := NewWithT(t)
	loopback := netip.MustParseAddrPort("127.0.0.1:0")
	server, err := fakedns.New(fakedns.Config{Listen: []netip.AddrPort{loopback}, Control: loopback, Seed: 1})
	g.Expect(err).NotTo(HaveOccurred())
	run(t, server.Run)
	w := live(replaced, nil)
	w.Probe, w.Resolvers = &client{}, server.Addrs()[:1]
	w.DNS = fakedns.NewClient(server.ControlURL(), nil)
	_, err = w.DNS.PutNames(t.Context(), Names(w.Topology, w.TTL)...)
	g.Expect(err).NotTo(HaveOccurred())
	w = after(t, w, FailDNS{Kind: fakedns.KindServFail})
	move := ChangeDNS{To: world.Spare}
	g.Expect(move.Prove(t.Context(), w)).To(ConsistOf(HaveField("OK", false)), "it has not moved")
	moved := after(t, w, move)
	g.Expect(move.Prove(t.Context(), w)).To(ConsistOf(HaveField("OK", true)))
	g.Expect(HealDNS{}.Prove(t.Context(), moved)).To(HaveEach(HaveField("OK", false)))
	after(t, w, HealDNS{})
	g.Expect(HealDNS{}.Prove(t.Context(), moved)).To(HaveEach(HaveField("OK", true)))
	g.Expect(HealDNS{}.Prove(t.Context(), w)).To(ContainElement(HaveField("OK", false)), "the name has other nodes than this state says")
}

// So it is with an alias that moves to another load balancer.
func TestAnAliasMovesWhileDNSFails(t *testing.T) {
	g := NewWithT(t)
	loopback := netip.MustParseAddrPort("127.0.0.1:0")
	server, err := fakedns.New(fakedns.Config{Listen: []netip.AddrPort{loopback}, Control: loopback, Seed: 1})
	g.Expect(err).NotTo(HaveOccurred())
	run(t, server.Run)
	two := world.World{Balancers: []world.Balancer{{Name: "backend", Nodes: 1}, {Name: "other", Nodes: 1}}}
	w := live(two, nil)
	w.Probe, w.Resolvers = &client{}, server.Addrs()[:1]
	w.DNS = fakedns.NewClient(server.ControlURL(), nil)
	_, err = w.DNS.PutNames(t.Context(), Names(w.Topology, w.TTL)...)
	g.Expect(err).NotTo(HaveOccurred())
	w = after(t, w, FailDNS{Kind: fakedns.KindServFail})
	move := SwitchAlias{To: "other"}
	g.Expect(move.Prove(t.Context(), w)).To(HaveEach(HaveField("OK", false)), "it has not moved")
	moved := after(t, w, move)
	g.Expect(move.Prove(t.Context(), w)).To(HaveEach(HaveField("OK", true)))
	after(t, w, HealDNS{})
	g.Expect(HealDNS{}.Prove(t.Context(), moved)).To(HaveEach(HaveField("OK", true)))
}

// A node that refuses goes silent: no connection can be held to it before, and a new one tells.
func TestANodeThatRefusesGoesSilent(t *testing.T) {
	g := NewWithT(t)
	w := albOn(t, netip.MustParseAddr("127.92.6.1"))
	p := &prober{connect: map[netip.Addr]Result{w.Topology.Nodes[0].Addr: TimedOut}, ask: Silent}
	w.Probe = p
	w = after(t, w, StrikeNodes{Kind: fakealb.FaultRefuse, Nodes: world.Named})
	silent := StrikeNodes{Kind: fakealb.FaultSilence, Nodes: world.Named}
	g.Expect(silent.Prepare(t.Context(), w)).To(Succeed())
	g.Expect(p.held).To(BeEmpty())
	g.Expect(silent.Prove(t.Context(), w)).To(HaveEach(HaveField("OK", false)), "it is not silent yet")
	after(t, w, silent)
	g.Expect(silent.Prove(t.Context(), w)).To(HaveEach(HaveField("OK", true)))
	p.connect[w.Topology.Nodes[0].Addr] = Refused
	g.Expect(silent.Prove(t.Context(), w)).To(HaveEach(HaveField("OK", false)), "it refuses")
}

// Get asks with a client of its own, as the probers do, and reads the whole answer.
func (*client) Get(ctx context.Context, to netip.AddrPort, timeout time.Duration) (Answer, error) {
	ctx, cancel := context.WithTimeout(ctx, patience*timeout)
	defer cancel()
	began := time.Now()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+to.String()+"/", http.NoBody)
	if err != nil {
		return Answer{}, err
	}
	transport := &http.Transport{DisableKeepAlives: true}
	defer transport.CloseIdleConnections()
	resp, err := transport.RoundTrip(req)
	if err == nil {
		defer func() { _ = resp.Body.Close() }()
		_, err = io.Copy(io.Discard, resp.Body)
	}
	switch {
	case err == nil:
		return Answer{Result: Answered, Status: resp.StatusCode, Server: resp.Header.Get("Server"), Took: time.Since(began)}, nil
	case errors.Is(err, syscall.ECONNRESET):
		return Answer{Result: Reset}, nil
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return Answer{Result: Closed}, nil
	default:
		return Answer{Result: TimedOut}, nil
	}
}

// albOn serves the nodes of a world of one balancer on loopback addresses of their own.
func albOn(t *testing.T, nodes ...netip.Addr) *Live {
	t.Helper()
	listener, err := net.Listen("tcp4", "127.0.0.1:0") //nolint:noctx // immediate
	if err != nil {
		t.Fatal(err)
	}
	port := netip.MustParseAddrPort(listener.Addr().String()).Port()
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	config := fakealb.Config{Network: fakealb.NetworkUserspace, Ports: []uint16{port}}
	topology := world.Topology{World: world.World{Balancers: []world.Balancer{{Name: "backend", Nodes: len(nodes), Targets: 1}}}}
	config.LoadBalancers = []fakealb.LoadBalancer{{Name: LoadBalancer("backend", 1), Targets: 1}}
	for i, node := range nodes {
		config.Nodes = append(config.Nodes, fakealb.Node{Addr: node, LoadBalancer: LoadBalancer("backend", 1)})
		topology.Nodes = append(topology.Nodes, world.Node{Addr: node, Upstream: 1, Balancer: "backend", Number: i + 1})
	}
	server, err := fakealb.New(config)
	if err != nil {
		t.Fatal(err)
	}
	run(t, server.Run)
	return &Live{
		ALB: fakealb.NewClient(server.ControlURL(), nil), Probe: &client{}, Port: port,
		Topology: topology, State: topology.Start(), Upstreams: map[int]string{1: "api.example.com"},
	}
}

// after puts a fault in force and gives the world after it.
func after(t *testing.T, w *Live, f Fault) *Live {
	t.Helper()
	at, err := f.Apply(t.Context(), w)
	if err != nil || at.IsZero() {
		t.Fatalf("%s: in force at %v: %v", f.Name(), at, err)
	}
	next := *w
	next.State = w.State.With(f.Effects(w.State)...)
	return &next
}

// Every TLS refusal is seen as what it is by a client that verifies.
func TestNodesRefuseTLS(t *testing.T) {
	g := NewWithT(t)
	node := netip.MustParseAddr("127.81.3.21")
	w := albOn(t, node)
	ca, err := w.ALB.CA(t.Context())
	g.Expect(err).NotTo(HaveOccurred())
	to := netip.AddrPortFrom(node, w.Port)
	done, err := w.Probe.Handshake(t.Context(), to, certified, ca, time.Second)
	g.Expect(done, err).To(Equal(HandshakeDone))
	seen := map[fakealb.FaultKind]Handshake{
		fakealb.FaultTLSAlert: HandshakeAlert, fakealb.FaultTLSHang: HandshakeTimeout, fakealb.FaultTLSReset: HandshakeReset,
		fakealb.FaultTLSWrongName: HandshakeWrongName, fakealb.FaultTLSExpired: HandshakeExpired,
		fakealb.FaultTLSSelfSigned: HandshakeUntrusted, fakealb.FaultTLSWrongChain: HandshakeUntrusted,
		fakealb.FaultTLSRootExpired: HandshakeExpired,
	}
	for kind := range seen {
		f := StrikeNodes{Kind: kind, Nodes: world.Named}
		g.Expect(f.OverTLS()).To(BeTrue())
		after(t, w, f)
		var asked sync.WaitGroup // at the same time: each waits long for a handshake that hangs
		for other := range seen {
			asked.Go(func() {
				proofs := StrikeNodes{Kind: other, Nodes: world.Named}.Prove(t.Context(), w)
				if len(proofs) != 1 || proofs[0].OK != (seen[other] == seen[kind]) {
					t.Errorf("%s in force, asked for %s: got %+v", kind, other, proofs)
				}
			})
		}
		asked.Wait()
	}
	back := BringBack{Nodes: world.Named}
	after(t, w, back)
	g.Expect(back.Prove(t.Context(), w)).To(HaveEach(HaveField("OK", true)))
	done, err = w.Probe.Handshake(t.Context(), to, certified, ca, time.Second)
	g.Expect(done, err).To(Equal(HandshakeDone), "brought back")
}

// Who names a host is served, who does not is shown the certificate of another.
func TestNodesWantSNI(t *testing.T) {
	g := NewWithT(t)
	w := albOn(t, netip.MustParseAddr("127.81.9.21"))
	f := StrikeNodes{Kind: fakealb.FaultTLSNoSNI, Nodes: world.Named}
	g.Expect(f.Prove(t.Context(), w)).To(ConsistOf(HaveField("OK", false)), "before it is applied")
	after(t, w, StrikeNodes{Kind: fakealb.FaultTLSWrongName, Nodes: world.Named})
	g.Expect(f.Prove(t.Context(), w)).To(ConsistOf(HaveField("OK", false)), "a wrong name for everybody")
	after(t, w, f)
	g.Expect(f.Prove(t.Context(), w)).To(ConsistOf(HaveField("OK", true)))
}

// The faults of answers, each seen from outside while it is in force, and not before.
func TestNodesAnswerWrong(t *testing.T) {
	w := albOn(t, netip.MustParseAddr("127.81.4.21"), netip.MustParseAddr("127.81.4.22"))
	for _, f := range []StrikeNodes{
		{Kind: fakealb.FaultError, Status: 502},
		{Kind: fakealb.FaultLinger},
		{Kind: fakealb.FaultStranger},
		{Kind: fakealb.FaultCloseRequest},
		{Kind: fakealb.FaultResetRequest},
		{Kind: fakealb.FaultTruncateBody},
		{Kind: fakealb.FaultResetBody},
		{Kind: fakealb.FaultSlowAccept, Delay: fakealb.Duration(150 * time.Millisecond)},
		{Kind: fakealb.FaultSlowResponse, Delay: fakealb.Duration(150 * time.Millisecond)},
		{Kind: fakealb.FaultSlowBody, Delay: fakealb.Duration(150 * time.Millisecond)},
		{Kind: fakealb.FaultTargetKeepAliveRace},
		{Kind: fakealb.FaultCloseRequest, Share: 0.5},
	} {
		t.Run(string(f.Kind), func(t *testing.T) {
			g := NewWithT(t)
			f.Nodes = world.Named
			g.Expect(f.Prove(t.Context(), w)).To(HaveEach(HaveField("OK", false)), "it is not in force")
			struck := after(t, w, f)
			for _, p := range f.Prove(t.Context(), w) {
				g.Expect(p.OK).To(BeTrue(), p.Detail)
			}
			serves := strikes[f.Kind].serves
			g.Expect(struck.State.Nodes).To(HaveEach(And(HaveField("Serves", serves), HaveField("How", string(f.Kind)))))
			after(t, w, BringBack{Nodes: world.Named})
		})
	}
}

// Somebody else's load balancer has none of the connections of the one before it.
func TestAStrangerHasNoConnectionFromBefore(t *testing.T) {
	g := NewWithT(t)
	node := netip.MustParseAddr("127.81.6.21")
	w := albOn(t, node)
	conn, err := net.Dial("tcp", netip.AddrPortFrom(node, w.Port).String()) //nolint:noctx // immediate
	g.Expect(err).NotTo(HaveOccurred())
	defer func() { _ = conn.Close() }()
	ask := func() error {
		if _, err := io.WriteString(conn, "GET / HTTP/1.1\r\nHost: a\r\n\r\n"); err != nil {
			return err
		}
		_ = conn.SetReadDeadline(time.Now().Add(patience * probeTimeout))
		_, err := conn.Read(make([]byte, 4096))
		return err
	}
	g.Expect(ask()).To(Succeed())
	after(t, w, StrikeNodes{Kind: fakealb.FaultStranger, Nodes: world.Named})
	g.Expect(ask()).To(Or(MatchError(syscall.ECONNRESET), MatchError(syscall.EPIPE), MatchError(io.EOF)))
}

func TestANodeThatIsNotBack(t *testing.T) {
	g := NewWithT(t)
	w := live(replaced, &prober{answer: Answer{Result: Answered, Status: 503}})
	g.Expect(BringBack{Nodes: world.Named}.Prove(t.Context(), w)).To(HaveEach(HaveField("OK", false)))
}

// A balancer whose targets all fail their checks goes on with all of them.
func TestTargetsFail(t *testing.T) {
	g := NewWithT(t)
	w := albOn(t, netip.MustParseAddr("127.81.5.21"))
	f := FailTargets{Nodes: world.Named, Unhealthy: 2, Of: 2}
	failed := after(t, w, f)
	proofs := f.Prove(t.Context(), w)
	g.Expect(proofs).To(HaveLen(1))
	g.Expect(proofs[0].OK).To(BeTrue(), proofs[0].Detail)
	g.Expect(failed.State.Nodes[0].How).To(Equal("fail-open"))
	answer, err := w.Probe.Get(t.Context(), netip.AddrPortFrom(failed.State.Nodes[0].Addr, w.Port), time.Second)
	g.Expect(answer.Status, err).To(Equal(200), "fail-open")
	lose := LoseTargets{Nodes: world.Named}
	after(t, w, lose)
	g.Expect(lose.Prove(t.Context(), w)).To(ConsistOf(HaveField("OK", true)))
}
