package fakealb_test

import (
	"net/netip"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/proxychaos/proxychaos/fakealb"
	"github.com/proxychaos/proxychaos/fakealb/record"
)

// The whole of nftables mode on one stage: setting one up costs more than a test.
func TestNFTablesMode(t *testing.T) {
	s := openStage(t)
	t.Run("curl", s.testCurl)
	t.Run("refuse", s.testRefuse)
	t.Run("silence", s.testSilence)
	t.Run("silence-new", s.testSilenceNew)
	t.Run("refuse-new", s.testRefuseNew)
	t.Run("remove", s.testRemove)
	t.Run("latency", s.testLatency)
	t.Run("address in use", s.testAddressInUse)
	t.Run("ports without a listener", s.testClosedPorts)
	st, err := s.Status(s.ctx)
	if err != nil || !st.Capture || st.CaptureDropped != 0 || st.Interface != "eth0" {
		t.Errorf("the status: %+v, %v", st, err)
	}
}

func (s *stage) fault(t *testing.T, kind fakealb.FaultKind, last ...byte) fakealb.Applied {
	t.Helper()
	f := fixture{Client: s.Client, ctx: s.ctx}
	for _, l := range last {
		f.nodes = append(f.nodes, s.node(l))
	}
	return f.set(t, kind, f.nodes...)
}

func (s *stage) testCurl(t *testing.T) {
	out, err := exec.Command("ip", "netns", "exec", s.clients, "curl", "-sS", "--max-time", "5", "-i", "http://"+s.at(11)+"/").CombinedOutput()
	if err != nil || !strings.Contains(string(out), "X-Fakealb-Node: 198.18.90.11\r\n") {
		t.Fatalf("curl: %s, %v", out, err)
	}
}

func (s *stage) testRefuse(t *testing.T) {
	old, other := s.warm(t, 11), s.warm(t, 12)
	s.fault(t, fakealb.FaultRefuse, 11)
	begin := time.Now()
	_, err := s.dial(s.at(11), 0, 2*time.Second)
	if took := time.Since(begin); !isRefused(err) || took > time.Second {
		t.Errorf("a new connection: got %v after %s, want it refused at once", err, took)
	}
	if _, err := readWithin(old, time.Second); !isReset(err) {
		t.Errorf("the open connection: got %v, want a reset", err)
	}
	if got := ask(t, other, "5"); !strings.Contains(got, "seq=5") {
		t.Errorf("the other node: got %q", got)
	}
	s.fault(t, fakealb.FaultNone, 11)
	s.warm(t, 11)
}

func (s *stage) testSilence(t *testing.T) {
	old := s.warm(t, 11)
	local := old.LocalAddr().String()
	a := s.fault(t, fakealb.FaultSilence, 11, 12)
	send(t, old, "lost-1")
	if got, err := readWithin(old, 300*time.Millisecond); !isTimeout(err) {
		t.Errorf("the open connection: got %q, %v, want a stall", got, err)
	}
	// From a probe port, long enough for the first retransmission after 1 s.
	if _, err := s.dial(s.at(12), 733, 1300*time.Millisecond); !isTimeout(err) {
		t.Errorf("a new connection: got %v, want no answer", err)
	}
	packets, err := s.Packets(s.ctx)
	if err != nil {
		t.Fatal(err)
	}
	var syns, again, first int
	for _, p := range packets {
		if p.Time.Before(a.RequestedAt) {
			continue
		}
		switch {
		case p.Kind == record.SYN && p.Node == s.node(12) && p.Peer.Port() == 733 && p.Fault == "silence" && p.Probe:
			syns++
			if p.Retransmit {
				again++
			}
		case p.Kind == record.Data && p.Node == s.node(11) && p.Peer.String() == local && p.Seq == "lost-1" && !p.Retransmit:
			first++
		}
	}
	if syns != 2 || again != 1 || first != 1 {
		t.Errorf("got %d SYNs, %d of them retransmitted, and %d first requests to the silent nodes, want 2, 1, 1\n%+v", syns, again, first, packets)
	}
	s.fault(t, fakealb.FaultNone, 11, 12)
	if got, err := readWithin(old, 5*time.Second); err != nil || !strings.Contains(got, "seq=lost-1") {
		t.Errorf("after the silence: got %q, %v, want TCP to deliver the request", got, err)
	}
	s.warm(t, 12)
}

func (s *stage) testSilenceNew(t *testing.T) {
	old := s.warm(t, 11)
	s.fault(t, fakealb.FaultSilenceNew, 11)
	if _, err := s.dial(s.at(11), 0, 200*time.Millisecond); !isTimeout(err) {
		t.Errorf("a new connection: got %v, want no answer", err)
	}
	if got := ask(t, old, "6"); !strings.Contains(got, "seq=6") {
		t.Errorf("the open connection: got %q", got)
	}
	s.fault(t, fakealb.FaultNone, 11)
	s.warm(t, 11)
}

func (s *stage) testRefuseNew(t *testing.T) {
	old := s.warm(t, 11)
	s.fault(t, fakealb.FaultRefuseNew, 11)
	if _, err := s.dial(s.at(11), 0, 200*time.Millisecond); !isRefused(err) {
		t.Errorf("a new connection: got %v, want it refused", err)
	}
	if got := ask(t, old, "7"); !strings.Contains(got, "seq=7") {
		t.Errorf("the open connection: got %q", got)
	}
	s.fault(t, fakealb.FaultNone, 11)
	s.warm(t, 11)
}

func (s *stage) testRemove(t *testing.T) {
	old := s.warm(t, 13)
	a, err := s.DeleteNode(s.ctx, s.node(13))
	if err != nil {
		t.Fatal(err)
	}
	send(t, old, "removed-1")
	if got, err := readWithin(old, 200*time.Millisecond); !isTimeout(err) {
		t.Errorf("the open connection: got %q, %v, want a stall", got, err)
	}
	eventually(t, "the request to the removed address in the record", func() bool {
		packets, err := s.Packets(s.ctx)
		if err != nil {
			return false
		}
		for _, p := range packets {
			if p.Seq == "removed-1" && p.Fault == "removed" && p.Time.After(a.RequestedAt) {
				return true
			}
		}
		return false
	})
	if _, err := s.PutNode(s.ctx, fakealb.Node{Addr: s.node(13), LoadBalancer: "blue"}); err != nil {
		t.Fatal(err)
	}
	s.warm(t, 13)
}

// Issue 3 asks for 5 ms as a client sees it; the server's own part is a small
// share of it. The bound here is wide, for a busy machine; the figure is logged.
func (s *stage) testLatency(t *testing.T) {
	var worst time.Duration
	for i := range 50 {
		kind := []fakealb.FaultKind{fakealb.FaultSilence, fakealb.FaultRefuse, fakealb.FaultNone}[i%3]
		a := s.fault(t, kind, 11, 12, 13)
		worst = max(worst, a.InForceAt.Sub(a.RequestedAt))
	}
	s.fault(t, fakealb.FaultNone, 11, 12, 13)
	t.Logf("the slowest of 50 switches of 3 nodes: %s", worst)
	if worst > 250*time.Millisecond {
		t.Errorf("the slowest switch took %s, want at most 250 ms", worst)
	}
}

func (s *stage) testAddressInUse(t *testing.T) {
	_, err := s.PutNode(s.ctx, fakealb.Node{Addr: s.node(2), LoadBalancer: "blue"})
	if e := apiErr(t, err); e.Code != fakealb.CodeInUse || e.Field != "addr" {
		t.Errorf("the container's own address as a node: got %v", err)
	}
}

// A network load balancer drops what comes for a port without a listener; an
// application load balancer's node has the kernel's RST.
func (s *stage) testClosedPorts(t *testing.T) {
	t.Attr("aws-fact", "4.3")
	if _, err := s.PutLoadBalancer(s.ctx, fakealb.LoadBalancer{
		Name: "flows", Type: fakealb.TypeNetwork,
		Listeners: []fakealb.Listener{{Port: stagePort, Protocol: fakealb.ProtocolTCP}},
	}); err != nil {
		t.Fatal(err)
	}
	flows := fakealb.Node{Addr: s.node(14), LoadBalancer: "flows"}
	if _, err := s.PutNode(s.ctx, flows); err != nil {
		t.Fatal(err)
	}
	closed := func(last byte) error {
		_, err := s.dial(netip.AddrPortFrom(s.node(last), stagePort+1).String(), 0, 500*time.Millisecond)
		return err
	}
	if err := closed(14); !isTimeout(err) {
		t.Errorf("a port without a listener: got %v, want no answer", err)
	}
	if err := closed(11); !isRefused(err) {
		t.Errorf("of an application load balancer: got %v, want it refused", err)
	}
	if c, err := s.dial(s.at(14), 0, 5*time.Second); err == nil {
		c.Close() // reset, since there is no target
	} else if !isReset(err) {
		t.Errorf("the listener's port: got %v", err)
	}
	flows.LoadBalancer = "blue" // and now it is a node of an application load balancer
	if _, err := s.PutNode(s.ctx, flows); err != nil {
		t.Fatal(err)
	}
	if err := closed(14); !isRefused(err) {
		t.Errorf("moved to an application load balancer: got %v, want it refused", err)
	}
	if _, err := s.DeleteNode(s.ctx, flows.Addr); err != nil {
		t.Fatal(err)
	}
}
