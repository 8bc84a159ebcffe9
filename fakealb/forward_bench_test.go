package fakealb_test

import (
	"net"
	"net/netip"
	"testing"

	"github.com/proxychaos/proxychaos/fakealb"
	"github.com/proxychaos/proxychaos/fakealb/targets"
)

// One request after the other on a kept connection to a target of a group, recorded:
// what client, node and target take together, where neither of the ends allocates.
func BenchmarkForward(b *testing.B) {
	target, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer target.Close()
	go answerAll(target)
	node := netip.MustParseAddr("127.0.70.31")
	l, err := net.Listen("tcp4", node.String()+":0")
	if err != nil {
		b.Fatal(err)
	}
	at := l.Addr().(*net.TCPAddr).AddrPort()
	l.Close()
	group := targets.Group{Targets: targets.At(target.Addr().(*net.TCPAddr).AddrPort())}
	s, err := fakealb.New(fakealb.Config{
		Network: fakealb.NetworkUserspace, Ports: []uint16{at.Port()},
		LoadBalancers: []fakealb.LoadBalancer{{Name: "blue", TargetGroup: &group}},
		Nodes:         []fakealb.Node{{Addr: node, LoadBalancer: "blue"}},
	})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	c, err := net.Dial("tcp4", at.String())
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close()
	request, answer := []byte("GET / HTTP/1.1\r\nHost: x\r\n\r\n"), make([]byte, 4096)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := c.Write(request); err != nil {
			b.Fatal(err)
		}
		if n, err := c.Read(answer); err != nil || string(answer[:12]) != "HTTP/1.1 200" {
			b.Fatalf("got %q, %v", answer[:n], err)
		}
	}
}

// answerAll answers whatever comes in one piece.
func answerAll(l net.Listener) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		go func() {
			defer c.Close()
			answer, in := []byte("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nok"), make([]byte, 4096)
			for {
				if _, err := c.Read(in); err != nil {
					return
				}
				if _, err := c.Write(answer); err != nil {
					return
				}
			}
		}()
	}
}
