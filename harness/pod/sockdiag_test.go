package pod

import (
	"io"
	"net"
	"net/netip"
	"slices"
	"testing"

	"github.com/vishvananda/netlink"
)

// One dump holds both address families and only the states asked for.
func TestSocketsOfTheKernel(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	d, err := newDiag()
	if err != nil {
		t.Fatal(err)
	}
	defer d.close()
	l6, err := net.Listen("tcp6", "[::1]:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l6.Close()
	at4 := listen(t, "127.0.7.1:0", func(conn net.Conn) { _, _ = io.Copy(io.Discard, conn) })
	at6 := netip.MustParseAddrPort(l6.Addr().String())
	var clients []netip.AddrPort
	for _, at := range []netip.AddrPort{at4, at6} {
		conn, err := net.Dial("tcp", at.String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		clients = append(clients, netip.MustParseAddrPort(conn.LocalAddr().String()))
	}
	all, err := d.sockets(listening)
	if err != nil {
		t.Fatal(err)
	}
	if len(all) != 2 || !hasSocket(all, at4, netlink.TCP_LISTEN) || !hasSocket(all, at6, netlink.TCP_LISTEN) {
		t.Errorf("listening: got %+v, want %s and %s", all, at4, at6)
	}
	all, err = d.sockets(established)
	if err != nil {
		t.Fatal(err)
	}
	if len(all) != 4 || !hasSocket(all, clients[0], netlink.TCP_ESTABLISHED) || !hasSocket(all, clients[1], netlink.TCP_ESTABLISHED) {
		t.Errorf("established: got %+v, want both ends of %s and %s", all, clients[0], clients[1])
	}
}

func hasSocket(all []socket, local netip.AddrPort, state uint8) bool {
	return slices.ContainsFunc(all, func(s socket) bool { return s.local == local && s.state == state })
}

func BenchmarkSockets(b *testing.B) {
	d, err := newDiag()
	if err != nil {
		b.Fatal(err)
	}
	defer d.close()
	for b.Loop() {
		if _, err := d.sockets(established); err != nil {
			b.Fatal(err)
		}
	}
}
