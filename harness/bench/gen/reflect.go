package gen

import (
	"context"
	"fmt"
	"net"
	"net/netip"
)

// responseBit of the third byte marks a DNS message as an answer (RFC 1035, 4.1.1).
const responseBit = 0x80

// Reflect sends every UDP packet back as an answer to itself. It does less than
// any DNS server, so what dnsperf reaches against it is dnsperf's own limit on
// these cores. It ends with ctx.
func Reflect(ctx context.Context) (netip.AddrPort, error) {
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("reflector: %w", err)
	}
	context.AfterFunc(ctx, func() { _ = conn.Close() })
	go func() {
		packet := make([]byte, 512)
		for {
			n, from, err := conn.ReadFromUDPAddrPort(packet)
			if err != nil {
				return // closed
			}
			if n > 2 {
				packet[2] |= responseBit
			}
			// A client that has gone is none of its business.
			_, _ = conn.WriteToUDPAddrPort(packet[:n], from)
		}
	}()
	return conn.LocalAddr().(*net.UDPAddr).AddrPort(), nil
}
