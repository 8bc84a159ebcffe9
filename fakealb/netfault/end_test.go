package netfault

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/netip"
	"syscall"
	"testing"
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
