package fakealb_test

import (
	"net"
	"net/netip"
	"testing"

	"github.com/proxychaos/proxychaos/fakealb"
)

// One request after the other on a kept connection to a built-in target, recorded:
// what client and node take together.
func BenchmarkServe(b *testing.B) {
	node := netip.MustParseAddr("127.0.70.30")
	l, err := net.Listen("tcp4", node.String()+":0")
	if err != nil {
		b.Fatal(err)
	}
	at := l.Addr().(*net.TCPAddr).AddrPort()
	l.Close()
	s, err := fakealb.New(fakealb.Config{
		Network: fakealb.NetworkUserspace, Ports: []uint16{at.Port()},
		LoadBalancers: []fakealb.LoadBalancer{{Name: "blue", Targets: 2}},
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
