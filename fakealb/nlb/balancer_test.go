package nlb

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http/httptest"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/pires/go-proxyproto"

	"github.com/proxychaos/proxychaos/fakealb/targets"
)

// group is a list of targets to choose from.
type group struct {
	addrs      []netip.AddrPort
	failedOpen bool
	lost       context.Context
	lose       context.CancelCauseFunc

	mu     sync.Mutex
	failed int
}

func newGroup(addrs ...netip.AddrPort) *group {
	g := &group{addrs: addrs}
	g.lost, g.lose = context.WithCancelCause(context.Background())
	return g
}

func (g *group) PickFlow(hash uint64) (targets.Flow, bool) {
	if len(g.addrs) == 0 {
		return targets.Flow{}, false
	}
	addr := g.addrs[hash%uint64(len(g.addrs))]
	failed := func() { g.mu.Lock(); g.failed++; g.mu.Unlock() }
	return targets.Flow{Target: addr.String(), Addr: addr, FailedOpen: g.failedOpen, Lost: g.lost, Failed: failed, Done: func() {}}, true
}

// balancing is a Balancer with what it counted.
type balancing struct {
	*Balancer
	mu     sync.Mutex
	counts map[string]int
}

func newBalancing(t *testing.T) *balancing {
	b := &balancing{counts: map[string]int{}}
	b.Balancer = New(func(name string) {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.counts[name]++
	})
	t.Cleanup(b.Close)
	return b
}

func (b *balancing) counted(name string) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.counts[name]
}

// arrive has a client connect, and returns its connection and where the end of
// the flow will be told.
func (b *balancing) arrive(t *testing.T, among Targets, s Settings, id uint64) (*net.TCPConn, <-chan End) {
	t.Helper()
	ours, conn := pair(t)
	end := make(chan End, 1)
	go func() {
		end <- b.Serve(Arrival{ID: id, Client: aClient, Node: aNode, Conn: conn, Chosen: func(string) {}}, among, s)
	}()
	return ours, end
}

func awaitEnd(t *testing.T, end <-chan End, want End) {
	t.Helper()
	select {
	case got := <-end:
		if got != want {
			t.Errorf("the flow ended by %v, want %v", got, want)
		}
	case <-time.After(10 * time.Second):
		t.Fatalf("the flow did not end within 10 s, want %v", want)
	}
}

var calm = Settings{Idle: time.Hour, Connect: 10 * time.Second, Handshake: 10 * time.Second, Ports: 55000}

// listen is a target that answers each line with its name.
func listen(t *testing.T) (netip.AddrPort, <-chan net.Conn) {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	accepted := make(chan net.Conn, 100)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			accepted <- c
		}
	}()
	return l.Addr().(*net.TCPAddr).AddrPort(), accepted
}

func accepted(t *testing.T, from <-chan net.Conn) *net.TCPConn {
	t.Helper()
	select {
	case c := <-from:
		t.Cleanup(func() { c.Close() })
		return c.(*net.TCPConn)
	case <-time.After(10 * time.Second):
		t.Fatal("no connection to the target within 10 s")
		return nil
	}
}

func TestFlowIsPinnedForLife(t *testing.T) {
	t.Attr("aws-fact", "4.1")
	a, atA := listen(t)
	b, atB := listen(t)
	g := newGroup(a, b)
	nlb := newBalancing(t)
	client, end := nlb.arrive(t, g, calm, 7)
	at := atA
	if flowHash(aClient, aNode, 7)%2 == 1 {
		at = atB
	}
	target := accepted(t, at)
	for range 3 {
		say(t, client, "x")
		hear(t, target, "x")
		say(t, target, "y")
		hear(t, client, "y")
	}
	if n := nlb.Active(); n != 1 {
		t.Errorf("got %d active flows, want 1", n)
	}
	client.Close()
	if _, err := target.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		t.Errorf("the target after the client's FIN: got %v, want FIN", err)
	}
	target.Close()
	awaitEnd(t, end, End{ByClient, FIN})
}

func TestUnhealthyTargetResetsItsFlows(t *testing.T) {
	t.Attr("aws-fact", "4.5")
	addr, at := listen(t)
	g := newGroup(addr)
	nlb := newBalancing(t)
	client, end := nlb.arrive(t, g, calm, 1)
	target := accepted(t, at)
	say(t, client, "x")
	hear(t, target, "x")
	g.lose(targets.ErrUnhealthy)
	wantReset(t, "client", client)
	wantReset(t, "target", target)
	awaitEnd(t, end, End{ByBalancer, Unhealthy})
	if nlb.counted(OwnResets) != 1 {
		t.Errorf("counted %v", nlb.counts)
	}
	_, end = nlb.arrive(t, g, calm, 2) // it was lost while the target was being connected to
	awaitEnd(t, end, End{ByBalancer, Unhealthy})
}

func TestConnectionsThatFindNoTarget(t *testing.T) {
	nlb := newBalancing(t)
	client, end := nlb.arrive(t, newGroup(), calm, 1)
	wantReset(t, "client", client)
	awaitEnd(t, end, End{ByBalancer, NoTarget})
	if nlb.counted(Rejected) != 1 || nlb.counted(NewFlows) != 1 {
		t.Errorf("counted %v", nlb.counts)
	}
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	g := newGroup(l.Addr().(*net.TCPAddr).AddrPort())
	client, end = nlb.arrive(t, g, calm, 2)
	wantReset(t, "client", client)
	awaitEnd(t, end, End{ByTarget, RST})
	if nlb.counted(TargetResets) != 1 || g.failed != 1 {
		t.Errorf("counted %v, and %d failures for the health checks", nlb.counts, g.failed)
	}
}

func TestTargetGetsTheProxyHeader(t *testing.T) {
	t.Attr("aws-fact", "4.8")
	addr, at := listen(t)
	s := calm
	s.ProxyProtocol, s.Endpoint = true, "vpce-1"
	client, _ := newBalancing(t).arrive(t, newGroup(addr), s, 1)
	target := accepted(t, at)
	in := bufio.NewReader(target)
	_ = target.SetReadDeadline(time.Now().Add(10 * time.Second))
	h, err := proxyproto.Read(in) // before the client sent anything
	if err != nil || h.SourceAddr.String() != aClient.String() || h.DestinationAddr.String() != aNode.String() {
		t.Fatalf("got %+v, %v", h, err)
	}
	say(t, client, "x")
	if b, err := in.ReadByte(); b != 'x' || err != nil {
		t.Errorf("after the header: got %q, %v", b, err)
	}
}

func TestTLSTargetOfAnyCertificate(t *testing.T) {
	t.Attr("aws-fact", "4.10")
	s := httptest.NewUnstartedServer(nil)
	s.EnableHTTP2 = true
	s.StartTLS()
	defer s.Close()
	secure := calm
	secure.TLS = true
	ours, conn := pair(t)
	nlb := newBalancing(t)
	go nlb.Serve(Arrival{ID: 1, Client: aClient, Node: aNode, Conn: conn, ALPN: "http/1.1", Chosen: func(string) {}},
		newGroup(s.Listener.Addr().(*net.TCPAddr).AddrPort()), secure)
	say(t, ours, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
	hear(t, ours, "HTTP/1.1 404 Not Found")

	plain, _ := listen(t)
	secure.Handshake = 50 * time.Millisecond
	client, end := nlb.arrive(t, newGroup(plain), secure, 2)
	wantReset(t, "client of a target without TLS", client)
	awaitEnd(t, end, End{ByBalancer, TargetHandshake})
	if nlb.counted(TargetTLSFailures) != 1 {
		t.Errorf("counted %v", nlb.counts)
	}
}

func TestTLSStreamsPassBothWays(t *testing.T) {
	cert := httptest.NewUnstartedServer(nil)
	cert.StartTLS()
	defer cert.Close()
	addr, at := listen(t)
	ours, conn := pair(t)
	stream := tls.Server(conn, &tls.Config{Certificates: cert.TLS.Certificates})
	end := make(chan End, 1)
	nlb := newBalancing(t)
	go func() {
		end <- nlb.Serve(Arrival{ID: 1, Client: aClient, Node: aNode, Conn: conn, Stream: stream, Chosen: func(string) {}}, newGroup(addr), calm)
	}()
	client := tls.Client(ours, &tls.Config{InsecureSkipVerify: true})
	say(t, client, "ask")
	target := accepted(t, at)
	hear(t, target, "ask")
	say(t, target, "answer")
	target.Close()
	got, err := io.ReadAll(client)
	if string(got) != "answer" || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
	client.Close()
	awaitEnd(t, end, End{ByTarget, FIN})
}

// A TLS listener sends keepalives of its own, so a flow of peers that live is not
// forgotten (4.2 D).
func TestOwnKeepalivesKeepAFlow(t *testing.T) {
	t.Attr("aws-fact", "4.2")
	addr, at := listen(t)
	s := calm
	s.Idle, s.Keepalive = 1500*time.Millisecond, time.Second
	client, end := newBalancing(t).arrive(t, newGroup(addr), s, 1)
	target := accepted(t, at)
	select {
	case got := <-end:
		t.Fatalf("the flow ended by %v, want it kept", got)
	case <-time.After(3 * time.Second): // twice the idle timeout
	}
	say(t, client, "x")
	hear(t, target, "x")
}

func TestCloseLeavesClientsUntold(t *testing.T) {
	addr, at := listen(t)
	nlb := newBalancing(t)
	client, _ := nlb.arrive(t, newGroup(addr), calm, 1)
	target := accepted(t, at)
	say(t, client, "x")
	hear(t, target, "x")
	nlb.Close()
	wantReset(t, "target", target)
	silent(t, "client", client)
	late, end := nlb.arrive(t, newGroup(addr), calm, 2)
	wantReset(t, "a client that came late", late)
	awaitEnd(t, end, End{ByBalancer, RST})
}

// There are so many source ports towards a target, and each is in use for a while
// (4.7 D).
func TestPortsTowardsATargetRunOut(t *testing.T) {
	t.Attr("aws-fact", "4.7")
	addr, at := listen(t)
	g, nlb := newGroup(addr), newBalancing(t)
	scarce := calm
	scarce.Ports, scarce.PortHold = 1, time.Hour
	client, end := nlb.arrive(t, g, scarce, 1)
	accepted(t, at).Close()
	if _, err := client.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		t.Errorf("the client after the target's FIN: got %v, want FIN", err)
	}
	client.Close()
	awaitEnd(t, end, End{ByTarget, FIN})
	client, end = nlb.arrive(t, g, scarce, 2)
	wantReset(t, "the second client, though the first has left", client)
	awaitEnd(t, end, End{ByBalancer, NoPortForTarget})
	if nlb.counted(NoPort) != 1 {
		t.Errorf("counted %v", nlb.counts)
	}
	scarce.Ports = 2
	client, _ = nlb.arrive(t, g, scarce, 3)
	say(t, client, "x")
	hear(t, accepted(t, at), "x")

	var p ports
	release, _ := p.take("t", 1, time.Millisecond)
	release()
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
		if _, ok := p.take("t", 1, 0); ok {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal("the port is in use 10 s after its time")
		}
	}
}
