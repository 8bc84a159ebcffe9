package fakealb_test

import (
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/proxychaos/proxychaos/fakealb"
)

// A fault that ends connections ends those from before; it refuses none, and whoever comes
// while it is put in force meets it or what was there before.
func TestAFaultEndsConnectionsAndRefusesNone(t *testing.T) {
	f := start(t, nil, "127.0.70.21")
	old := warmConn(t, f.at(0))
	var clients sync.WaitGroup
	over := make(chan struct{})
	for range 4 {
		clients.Go(func() {
			for {
				select {
				case <-over:
					return
				default:
				}
				c, err := net.DialTimeout("tcp4", f.at(0), 5*time.Second)
				switch {
				case err == nil:
					_ = c.Close()
				case !isReset(err): // it was there just before, and ended
					t.Errorf("a new connection: got %v, want none refused", err)
					return
				}
			}
		})
	}
	stranger := fakealb.FaultSetting{Kind: fakealb.FaultStranger, Ends: true}
	if _, err := f.PutFaults(f.ctx, fakealb.FaultRequest{Nodes: f.nodes, FaultSetting: stranger}); err != nil {
		t.Fatal(err)
	}
	if got, err := readWithin(old, time.Second); !isReset(err) {
		t.Errorf("the open connection: got %q, %v, want a reset", got, err)
	}
	c, err := net.DialTimeout("tcp4", f.at(0), time.Second)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if got := ask(t, c, "7"); !strings.Contains(got, "Server: nginx") {
		t.Errorf("a new connection: got %q, want the stranger's answer", got)
	}
	close(over)
	clients.Wait()
}

func TestFaultsThatCannotEndConnections(t *testing.T) {
	for _, kind := range []fakealb.FaultKind{fakealb.FaultNone, fakealb.FaultRefuse, fakealb.FaultSilence} {
		err := fakealb.FaultSetting{Kind: kind, Ends: true}.Check()
		if err == nil || !strings.Contains(err.Error(), "leave it out") {
			t.Errorf("%s: got %v", kind, err)
		}
	}
}
