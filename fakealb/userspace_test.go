package fakealb_test

import (
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/proxychaos/proxychaos/fakealb"
	"github.com/proxychaos/proxychaos/fakealb/record"
)

func TestRefuseInUserSpace(t *testing.T) {
	f := start(t, nil, "127.0.70.1", "127.0.70.2")
	old, other := warmConn(t, f.at(0)), warmConn(t, f.at(1))
	a := f.set(t, fakealb.FaultRefuse, f.nodes[0])
	if took := a.InForceAt.Sub(a.RequestedAt); !a.Changed || took <= 0 || took > time.Second {
		t.Errorf("in force after %s, changed %t", took, a.Changed)
	}
	if _, err := readWithin(old, time.Second); !isReset(err) {
		t.Errorf("the open connection: got %v, want a reset", err)
	}
	if _, err := net.DialTimeout("tcp4", f.at(0), time.Second); !isRefused(err) {
		t.Errorf("a new connection: got %v, want it refused", err)
	}
	if got := ask(t, other, "7"); !strings.Contains(got, "seq=7") {
		t.Errorf("the other node: got %q", got)
	}
	f.set(t, fakealb.FaultNone, f.nodes[0])
	warmConn(t, f.at(0))
}

func TestSilenceInUserSpace(t *testing.T) {
	f := start(t, nil, "127.0.70.3")
	old := warmConn(t, f.at(0))
	for range 3 { // a listener must survive any number of switches
		f.set(t, fakealb.FaultSilence, f.nodes[0])
		for range 3 {
			if c, err := net.DialTimeout("tcp4", f.at(0), 100*time.Millisecond); !isTimeout(err) {
				t.Fatalf("a new connection: got %v, %v, want no answer", c, err)
			}
		}
		send(t, old, "held")
		if got, err := readWithin(old, 100*time.Millisecond); !isTimeout(err) {
			t.Fatalf("the open connection: got %q, %v, want a stall", got, err)
		}
		f.set(t, fakealb.FaultNone, f.nodes[0])
		if got, err := readWithin(old, 5*time.Second); err != nil || !strings.Contains(got, "seq=held") {
			t.Fatalf("after the thaw: got %q, %v, want the answer that was held", got, err)
		}
		warmConn(t, f.at(0))
	}
	packets, err := f.Packets(f.ctx)
	if err != nil {
		t.Fatal(err)
	}
	held := 0
	for _, p := range packets {
		if p.Kind == record.Data && p.Seq == "held" && p.Method == "GET" && p.Host != "" && p.Fault == "silence" {
			held++
		}
	}
	if held != 3 {
		t.Errorf("got %d rows of requests sent to the silent node, want 3: %+v", held, packets)
	}
}

func TestSilenceNewInUserSpace(t *testing.T) {
	f := start(t, nil, "127.0.70.4")
	old := warmConn(t, f.at(0))
	f.set(t, fakealb.FaultSilenceNew, f.nodes[0])
	if _, err := net.DialTimeout("tcp4", f.at(0), 100*time.Millisecond); !isTimeout(err) {
		t.Errorf("a new connection: got %v, want no answer", err)
	}
	if got := ask(t, old, "8"); !strings.Contains(got, "seq=8") {
		t.Errorf("the open connection: got %q", got)
	}
	f.set(t, fakealb.FaultRefuse, f.nodes[0])
	if _, err := net.DialTimeout("tcp4", f.at(0), time.Second); !isRefused(err) {
		t.Errorf("a new connection under refuse: got %v, want it refused", err)
	}
}

func TestRefuseNewInUserSpace(t *testing.T) {
	f := start(t, nil, "127.0.70.9")
	old := warmConn(t, f.at(0))
	f.set(t, fakealb.FaultRefuseNew, f.nodes[0])
	if _, err := net.DialTimeout("tcp4", f.at(0), time.Second); !isRefused(err) {
		t.Errorf("a new connection: got %v, want it refused", err)
	}
	if got := ask(t, old, "9"); !strings.Contains(got, "seq=9") {
		t.Errorf("the open connection: got %q", got)
	}
	f.set(t, fakealb.FaultNone, f.nodes[0])
	warmConn(t, f.at(0))
}

func TestRemovedAddressIsSilentAndComesBack(t *testing.T) {
	f := start(t, nil, "127.0.70.5")
	old := warmConn(t, f.at(0))
	if _, err := f.DeleteNode(f.ctx, f.nodes[0]); err != nil {
		t.Fatal(err)
	}
	if got, err := readWithin(old, 50*time.Millisecond); !isTimeout(err) {
		t.Errorf("the open connection: got %q, %v, want a stall", got, err)
	}
	if _, err := net.DialTimeout("tcp4", f.at(0), 100*time.Millisecond); !isTimeout(err) {
		t.Errorf("a new connection: got %v, want no answer", err)
	}
	if _, err := f.PutNode(f.ctx, fakealb.Node{Addr: f.nodes[0], LoadBalancer: "blue"}); err != nil {
		t.Fatal(err)
	}
	warmConn(t, f.at(0))
}

func TestFaultsOfManyNodesAreOneStep(t *testing.T) {
	f := start(t, nil, "127.0.70.6", "127.0.70.7", "127.0.70.8")
	var conns []*net.TCPConn
	for i := range f.nodes {
		conns = append(conns, warmConn(t, f.at(i)))
	}
	f.set(t, fakealb.FaultRefuse, f.nodes...)
	for i, c := range conns {
		if _, err := readWithin(c, time.Second); !isReset(err) {
			t.Errorf("node %d: got %v, want a reset", i, err)
		}
	}
	events, err := f.History(f.ctx)
	if err != nil {
		t.Fatal(err)
	}
	last := events[len(events)-1]
	if last.Action != "set-fault" || len(last.Subject) != 3 || last.Detail != "refuse" {
		t.Errorf("the last event: %+v", last)
	}
	// One unknown node among them: nothing is done.
	_, err = f.SetFault(f.ctx, fakealb.FaultNone, f.nodes[0], netip.MustParseAddr("127.0.70.99"))
	if err == nil {
		t.Error("got no error for an unknown node")
	}
	if _, err := net.DialTimeout("tcp4", f.at(0), time.Second); !isRefused(err) {
		t.Errorf("after the failed call: got %v, want still refused", err)
	}
}
