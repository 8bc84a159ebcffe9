package gen

import (
	"context"
	"fmt"
	"net"
	"net/netip"

	"golang.org/x/net/ipv4"
)

// responseBit of the third byte marks a DNS message as an answer (RFC 1035, 4.1.1).
const responseBit = 0x80

// reflectAtOnce is how many packets are taken from the kernel in one call.
const reflectAtOnce = 64

// Reflect sends every UDP packet back as an answer to itself. It does less than
// any DNS server, so what dnsperf reaches against it is dnsperf's own limit on
// these cores. It ends with ctx.
func Reflect(ctx context.Context) (netip.AddrPort, error) {
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("reflector: %w", err)
	}
	context.AfterFunc(ctx, func() { _ = conn.Close() })
	go reflect(ipv4.NewPacketConn(conn))
	return conn.LocalAddr().(*net.UDPAddr).AddrPort(), nil
}

func reflect(conn *ipv4.PacketConn) {
	in := make([]ipv4.Message, reflectAtOnce)
	for i := range in {
		in[i].Buffers = [][]byte{make([]byte, 512)}
	}
	out := make([]ipv4.Message, reflectAtOnce)
	for {
		n, err := conn.ReadBatch(in, 0)
		if err != nil {
			return // closed
		}
		for i, m := range in[:n] {
			packet := m.Buffers[0][:m.N]
			if len(packet) > 2 {
				packet[2] |= responseBit
			}
			out[i].Buffers, out[i].Addr = [][]byte{packet}, m.Addr
		}
		for sent := 0; sent < n; {
			done, err := conn.WriteBatch(out[sent:n], 0)
			if err != nil {
				done = 1 // a client that has gone is left out
			}
			sent += done
		}
	}
}
