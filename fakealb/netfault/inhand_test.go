package netfault

import (
	"bufio"
	"io"
	"net"
	"net/netip"
	"testing"
	"time"
)

// A node that begins to refuse answers the request it has in hand, and resets
// the connection that has none at once.
func TestRefuseAnswersWhatIsInHand(t *testing.T) {
	network := OpenUserspace(nil)
	t.Cleanup(func() { _ = network.Close() })
	node := netip.AddrPortFrom(netip.MustParseAddr("127.91.4.1"), 18080)
	if err := network.Add(node.Addr()); err != nil {
		t.Fatal(err)
	}
	l, err := network.Listen(node)
	if err != nil {
		t.Fatal(err)
	}
	inHand := make(chan struct{})
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				line, err := bufio.NewReader(conn).ReadString('\n')
				if err != nil || line != "ask\n" {
					return
				}
				close(inHand)
				time.Sleep(20 * time.Millisecond) // the work that the answer takes
				_, _ = io.WriteString(conn, "answer\n")
			}()
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
	idle, asking := dial(), dial()
	if _, err := io.WriteString(asking, "ask\n"); err != nil {
		t.Fatal(err)
	}
	<-inHand
	if err := network.Set(map[netip.Addr]Kind{node.Addr(): Refuse}); err != nil {
		t.Fatal(err)
	}
	got, err := bufio.NewReader(asking).ReadString('\n')
	if got != "answer\n" || err != nil {
		t.Errorf("in hand: got %q, %v, want the answer", got, err)
	}
	if _, err := idle.Read(make([]byte, 1)); err == nil {
		t.Error("idle: got data, want a reset")
	}
}
