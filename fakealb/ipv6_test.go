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

// node6 is the address of an IPv6 node of a stage.
var node6 = netip.MustParseAddr("fd00:90::11")

// A node at an IPv6 address is what one at an IPv4 address is: it serves on every port,
// each fault is in force on it, and what was sent to it is on record.
func TestIPv6Nodes(t *testing.T) {
	s := openStage(t, "--any-port")
	ip(t, "-n", s.clients, "addr", "add", "fd00:90::1/64", "dev", "eth0", "nodad")
	ip(t, "-n", s.server, "addr", "add", "fd00:90::2/64", "dev", "eth0", "nodad")
	if _, err := s.PutNode(s.ctx, fakealb.Node{Addr: node6, LoadBalancer: "blue"}); err != nil {
		t.Fatal(err)
	}
	s.testAskedPort6(t)
	for _, port := range []uint16{stagePort, 5050} {
		s.testFaultsOn6(t, netip.AddrPortFrom(node6, port).String())
	}
	s.connect(t, s.at(12), "its neighbour")
	if _, err := s.DeleteNode(s.ctx, node6); err != nil {
		t.Fatal(err)
	}
	if _, err := s.dial(netip.AddrPortFrom(node6, stagePort).String(), 0, 300*time.Millisecond); err == nil {
		t.Error("a node that was removed: got a connection")
	}
}

func (s *stage) fault6(t *testing.T, kind fakealb.FaultKind) fakealb.Applied {
	t.Helper()
	f := fixture{Client: s.Client, ctx: s.ctx, nodes: []netip.Addr{node6}}
	return f.set(t, kind, node6)
}

func (s *stage) testAskedPort6(t *testing.T) {
	for _, port := range []uint16{1, stagePort, 65535} {
		s.connect(t, netip.AddrPortFrom(node6, port).String(), "asked")
	}
	attempts, err := s.Attempts(s.ctx)
	if err != nil {
		t.Fatal(err)
	}
	var asked []uint16
	for _, a := range attempts {
		if a.Node != node6 || a.Peer.Addr() != netip.MustParseAddr("fd00:90::1") {
			t.Errorf("got a request from %s to %s", a.Peer, a.Node)
		}
		asked = append(asked, a.Port)
	}
	if len(asked) != 3 || asked[0] != 1 || asked[1] != stagePort || asked[2] != 65535 {
		t.Errorf("got requests to ports %d", asked)
	}
}

func (s *stage) testFaultsOn6(t *testing.T, addr string) {
	open := s.connect(t, addr, "before")
	silent := s.fault6(t, fakealb.FaultSilence)
	send(t, open, "lost-6")
	if got, err := readWithin(open, 300*time.Millisecond); !isTimeout(err) {
		t.Errorf("silence, the open connection: got %q, %v, want a stall", got, err)
	}
	// Who does not know its hardware address still finds it, and then waits in vain.
	if out, err := exec.Command("ip", "-n", s.clients, "-6", "neigh", "flush", "dev", "eth0").CombinedOutput(); err != nil {
		t.Fatalf("%s: %v", out, err)
	}
	if _, err := s.dial(addr, 0, 3500*time.Millisecond); !isTimeout(err) {
		t.Errorf("silence, a new connection: got %v, want no answer", err)
	}
	s.expectPackets6(t, silent, map[record.PacketKind]string{record.SYN: "", record.Data: "lost-6"})
	s.fault6(t, fakealb.FaultNone)
	if got, err := readWithin(open, 10*time.Second); err != nil || !strings.Contains(got, "seq=lost-6") {
		t.Errorf("after the silence: got %q, %v, want TCP to deliver the request", got, err)
	}

	s.fault6(t, fakealb.FaultSilenceNew)
	if _, err := s.dial(addr, 0, 200*time.Millisecond); !isTimeout(err) {
		t.Errorf("silent to new connections: got %v, want no answer", err)
	}
	if got := ask(t, open, "goes on"); !strings.Contains(got, "seq=goes on") {
		t.Errorf("silent to new connections, the open one: got %q", got)
	}

	s.fault6(t, fakealb.FaultRefuseNew)
	if _, err := s.dial(addr, 0, 2*time.Second); !isRefused(err) {
		t.Errorf("refusal of new connections: got %v, want it refused", err)
	}
	if got := ask(t, open, "on and on"); !strings.Contains(got, "seq=on and on") {
		t.Errorf("refusal of new connections, the open one: got %q", got)
	}

	s.fault6(t, fakealb.FaultRefuse)
	begin := time.Now()
	if _, err := s.dial(addr, 0, 2*time.Second); !isRefused(err) || time.Since(begin) > time.Second {
		t.Errorf("refusal: got %v after %s, want it refused at once", err, time.Since(begin))
	}
	if _, err := readWithin(open, time.Second); !isReset(err) {
		t.Errorf("refusal, the open connection: got %v, want a reset", err)
	}
	s.fault6(t, fakealb.FaultNone)
	s.connect(t, addr, "again")
}

// expectPackets6 wants a first packet of each kind, with its seq, since a fault.
func (s *stage) expectPackets6(t *testing.T, a fakealb.Applied, want map[record.PacketKind]string) {
	t.Helper()
	packets, err := s.Packets(s.ctx)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range packets {
		if seq, ok := want[p.Kind]; ok && p.Node == node6 && p.Seq == seq && !p.Retransmit && p.Fault == "silence" && p.Time.After(a.RequestedAt) {
			delete(want, p.Kind)
		}
	}
	if len(want) > 0 {
		t.Errorf("no packets %v among %+v", want, packets)
	}
}
