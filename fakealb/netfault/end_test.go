package netfault

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/netip"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"
)

// End resets what is open; whoever comes afterwards is taken.
func TestEndTakesNewConnections(t *testing.T) {
	network := OpenUserspace(nil)
	t.Cleanup(func() { _ = network.Close() })
	node := netip.AddrPortFrom(netip.MustParseAddr("127.91.4.2"), 18080)
	if err := network.Add(node.Addr()); err != nil {
		t.Fatal(err)
	}
	l, err := network.Listen(node)
	if err != nil {
		t.Fatal(err)
	}
	accepted := make(chan net.Conn, 2)
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			accepted <- conn
		}
	}()
	dial := func() net.Conn {
		conn, err := net.Dial("tcp", node.String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close() })
		return conn
	}
	before := dial()
	<-accepted
	if err := network.End(node.Addr()); err != nil {
		t.Fatal(err)
	}
	if _, err := before.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("the connection from before: got %v, want a reset", err)
	}
	after := dial()
	if _, err := io.WriteString(<-accepted, "hello\n"); err != nil {
		t.Fatal(err)
	}
	if got, err := bufio.NewReader(after).ReadString('\n'); err != nil || got != "hello\n" {
		t.Errorf("a new connection: got %q, %v", got, err)
	}
	if err := network.End(netip.MustParseAddr("127.91.4.9")); err == nil {
		t.Error("an address that was not added: got no error")
	}
}

// A request in hand at one address does not keep the connections at another alive.
func TestConnectionsEndAtAllAddressesAtOnce(t *testing.T) {
	for name, tc := range map[string]struct {
		addrs []string
		end   func(Network, []netip.Addr) error
	}{
		"end": {[]string{"127.91.4.3", "127.91.4.4"}, func(n Network, nodes []netip.Addr) error { return n.End(nodes...) }},
		"refuse": {[]string{"127.91.4.5", "127.91.4.6"}, func(n Network, nodes []netip.Addr) error {
			return n.Set(map[netip.Addr]Kind{nodes[0]: Refuse, nodes[1]: Refuse})
		}},
	} {
		t.Run(name, func(t *testing.T) {
			network := OpenUserspace(nil)
			t.Cleanup(func() { _ = network.Close() })
			var nodes []netip.Addr
			var idle, asking []net.Conn
			for _, addr := range tc.addrs {
				node := netip.AddrPortFrom(netip.MustParseAddr(addr), 18080)
				nodes = append(nodes, node.Addr())
				if err := network.Add(node.Addr()); err != nil {
					t.Fatal(err)
				}
				l, err := network.Listen(node)
				if err != nil {
					t.Fatal(err)
				}
				client, _ := connected(t, l)
				idle = append(idle, client)
				client, served := connected(t, l)
				asking = append(asking, client)
				if _, err := io.WriteString(client, "x"); err != nil { // it never gets its answer
					t.Fatal(err)
				}
				if _, err := served.Read(make([]byte, 1)); err != nil {
					t.Fatal(err)
				}
			}
			ofAsking, ofIdle := ends(t, asking), ends(t, idle)
			if err := tc.end(network, nodes); err != nil {
				t.Fatal(err)
			}
			// Those with a request in hand get a tenth of a second, and the others none of it.
			const apart = answerLimit / 10
			if at, others := slices.MinFunc(ofAsking(), time.Time.Compare), slices.MaxFunc(ofIdle(), time.Time.Compare); at.Sub(others) < apart {
				t.Errorf("the first connection with a request in hand ended %v after the last idle one, want at least %v", at.Sub(others), apart)
			}
		})
	}
}

// connected is a connection to a listener, from both sides.
func connected(t *testing.T, l net.Listener) (client, served net.Conn) {
	t.Helper()
	client, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	if served, err = l.Accept(); err != nil {
		t.Fatal(err)
	}
	return client, served
}

// ends waits for the ends of connections, and then says when each was reset.
func ends(t *testing.T, clients []net.Conn) func() []time.Time {
	at := make([]time.Time, len(clients))
	var reading sync.WaitGroup
	for i, client := range clients {
		reading.Go(func() {
			_, err := client.Read(make([]byte, 1))
			at[i] = time.Now()
			if !errors.Is(err, syscall.ECONNRESET) {
				t.Errorf("the connection to %s: got %v, want a reset", client.RemoteAddr(), err)
			}
		})
	}
	return func() []time.Time {
		reading.Wait()
		return at
	}
}
