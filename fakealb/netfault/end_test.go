package netfault

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/netip"
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
func TestEndComesToAllAddressesAtOnce(t *testing.T) {
	network := OpenUserspace(nil)
	t.Cleanup(func() { _ = network.Close() })
	var nodes []netip.Addr
	var clients []net.Conn
	for _, addr := range []string{"127.91.4.3", "127.91.4.4"} {
		node := netip.AddrPortFrom(netip.MustParseAddr(addr), 18080)
		nodes = append(nodes, node.Addr())
		if err := network.Add(node.Addr()); err != nil {
			t.Fatal(err)
		}
		l, err := network.Listen(node)
		if err != nil {
			t.Fatal(err)
		}
		client, err := net.Dial("tcp", node.String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = client.Close() })
		clients = append(clients, client)
		served, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		if len(nodes) == 1 { // it never gets its answer
			if _, err := io.WriteString(client, "x"); err != nil {
				t.Fatal(err)
			}
			if _, err := served.Read(make([]byte, 1)); err != nil {
				t.Fatal(err)
			}
		}
	}
	var ended [2]time.Time
	var reading sync.WaitGroup
	for i, client := range clients {
		reading.Go(func() {
			_, err := client.Read(make([]byte, 1))
			ended[i] = time.Now()
			if !errors.Is(err, syscall.ECONNRESET) {
				t.Errorf("the connection to %s: got %v, want a reset", nodes[i], err)
			}
		})
	}
	if err := network.End(nodes...); err != nil {
		t.Fatal(err)
	}
	reading.Wait()
	if !ended[1].Before(ended[0]) {
		t.Errorf("the idle connection ended %v after the one with a request in hand, want before it", ended[1].Sub(ended[0]))
	}
}
