package fakealb_test

import (
	"context"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/proxychaos/proxychaos/fakealb"
	"github.com/proxychaos/proxychaos/fakealb/record"
)

// Every port of a node serves, under its own number, and every fault is in force on it.
func TestAnyPort(t *testing.T) {
	s := openStage(t, "--any-port")
	t.Run("record", s.testAskedPort)
	for name, port := range map[string]uint16{"another port": 5050, "the port listened on": stagePort} {
		t.Run(name, func(t *testing.T) { s.testFaultsOn(t, port) })
	}
	t.Run("HTTP/2 with prior knowledge", s.testHTTP2WithoutTLS)
	t.Run("listener", s.testListenerOnAnyPort)
	st, err := s.Status(s.ctx)
	if err != nil || !st.AnyPort || st.AcceptErrors != 0 || st.CaptureDropped != 0 {
		t.Errorf("the status: %+v, %v", st, err)
	}
}

func (s *stage) on(last byte, port uint16) string {
	return netip.AddrPortFrom(s.node(last), port).String()
}

// connect opens a connection and has one request answered on it.
func (s *stage) connect(t *testing.T, addr, seq string) net.Conn {
	t.Helper()
	c, err := s.dial(addr, 0, 5*time.Second)
	if err != nil {
		t.Fatalf("%s: %v", addr, err)
	}
	t.Cleanup(func() { c.Close() })
	if got := ask(t, c, seq); !strings.Contains(got, "seq="+seq) {
		t.Fatalf("%s: got %q", addr, got)
	}
	return c
}

func (s *stage) testAskedPort(t *testing.T) {
	ports := []uint16{1, 22, 53, 80, stagePort, 9100, 65535}
	for _, port := range ports {
		s.connect(t, s.on(11, port), "asked")
	}
	attempts, err := s.Attempts(s.ctx)
	if err != nil {
		t.Fatal(err)
	}
	var asked []uint16
	for _, a := range attempts {
		if a.Node != s.node(11) {
			t.Errorf("got a request to %s, want all to %s", a.Node, s.node(11))
		}
		asked = append(asked, a.Port)
	}
	connections, err := s.Connections(s.ctx)
	if err != nil {
		t.Fatal(err)
	}
	var connected []uint16
	for _, c := range connections {
		connected = append(connected, c.Port)
	}
	if !slices.Equal(asked, ports) || !slices.Equal(connected, ports) {
		t.Errorf("got requests to ports %d on connections to %d, want %d", asked, connected, ports)
	}
}

func (s *stage) testHTTP2WithoutTLS(t *testing.T) {
	var protocols http.Protocols
	protocols.SetUnencryptedHTTP2(true)
	tr := &http.Transport{Protocols: &protocols, DialContext: func(_ context.Context, _, addr string) (net.Conn, error) {
		return s.dial(addr, 0, 5*time.Second)
	}}
	t.Cleanup(tr.CloseIdleConnections)
	for range 2 {
		resp, err := (&http.Client{Transport: tr, Timeout: 10 * time.Second}).Get("http://" + s.on(11, 50051) + "/")
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != 200 || resp.ProtoMajor != 2 {
			t.Errorf("got %s over %s, want 200 over HTTP/2", resp.Status, resp.Proto)
		}
	}
}

func (s *stage) testFaultsOn(t *testing.T, port uint16) {
	addr := s.on(12, port)
	tryNew := func(patience time.Duration) error {
		c, err := s.dial(addr, 0, patience)
		if err == nil {
			c.Close()
		}
		return err
	}
	old := s.connect(t, addr, "1")
	s.fault(t, fakealb.FaultSilenceNew, 12)
	if err := tryNew(500 * time.Millisecond); !isTimeout(err) {
		t.Errorf("silence-new: got %v for a new connection, want no answer", err)
	}
	if got := ask(t, old, "2"); !strings.Contains(got, "seq=2") {
		t.Errorf("silence-new: got %q on the open connection", got)
	}
	a := s.fault(t, fakealb.FaultSilence, 12)
	if err := tryNew(500 * time.Millisecond); !isTimeout(err) {
		t.Errorf("silence: got %v for a new connection, want no answer", err)
	}
	send(t, old, "lost-3")
	if got, err := readWithin(old, 300*time.Millisecond); !isTimeout(err) {
		t.Errorf("silence: got %q, %v on the open connection, want a stall", got, err)
	}
	packets, err := s.Packets(s.ctx)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[record.PacketKind]bool{}
	for _, p := range packets {
		if p.Time.After(a.RequestedAt) && p.Node == s.node(12) && p.Port == port {
			seen[p.Kind] = true
		}
	}
	if !seen[record.SYN] || !seen[record.Data] {
		t.Errorf("got %v in the record of port %d, want the SYN and the request", seen, port)
	}
	s.fault(t, fakealb.FaultNone, 12)
	if got, err := readWithin(old, 10*time.Second); err != nil || !strings.Contains(got, "seq=lost-3") {
		t.Errorf("after the silence: got %q, %v, want TCP to deliver the request", got, err)
	}
	s.fault(t, fakealb.FaultRefuse, 12)
	if err := tryNew(10 * time.Second); !isRefused(err) {
		t.Errorf("refuse: got %v for a new connection, want it refused", err)
	}
	if _, err := readWithin(old, 5*time.Second); !isReset(err) {
		t.Errorf("refuse: got %v on the open connection, want a reset", err)
	}
	s.fault(t, fakealb.FaultNone, 12)
	old = s.connect(t, addr, "4")
	if _, err := s.DeleteNode(s.ctx, s.node(12)); err != nil {
		t.Fatal(err)
	}
	send(t, old, "removed-5")
	if got, err := readWithin(old, 200*time.Millisecond); !isTimeout(err) {
		t.Errorf("removed: got %q, %v on the open connection, want a stall", got, err)
	}
	if _, err := s.PutNode(s.ctx, fakealb.Node{Addr: s.node(12), LoadBalancer: "blue"}); err != nil {
		t.Fatal(err)
	}
	s.connect(t, addr, "6")
}

// A listener may have any port then, and a network load balancer drops what comes for
// the others.
func (s *stage) testListenerOnAnyPort(t *testing.T) {
	if _, err := s.PutLoadBalancer(s.ctx, fakealb.LoadBalancer{
		Name: "flows", Type: fakealb.TypeNetwork,
		Listeners: []fakealb.Listener{{Port: 5432, Protocol: fakealb.ProtocolTCP}},
	}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.PutNode(s.ctx, fakealb.Node{Addr: s.node(14), LoadBalancer: "flows"}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.dial(s.on(14, 5433), 0, 500*time.Millisecond); !isTimeout(err) {
		t.Errorf("a port without a listener: got %v, want no answer", err)
	}
	if c, err := s.dial(s.on(14, 5432), 0, 5*time.Second); err == nil {
		c.Close() // reset, since there is no target
	} else if !isReset(err) {
		t.Errorf("the listener's port: got %v", err)
	}
}
