package resolve

import (
	"context"
	"fmt"
	"net"

	"github.com/miekg/dns"
)

// Family selects the record types that are asked for.
type Family string

// The families. Auto asks for A, and for AAAA only where this machine has an
// IPv6 route: an address that cannot be reached is worse than none.
const (
	Auto Family = "auto"
	IPv4 Family = "ipv4"
	IPv6 Family = "ipv6"
	Both Family = "both"
)

// ParseFamily accepts the four names, and "" for auto.
func ParseFamily(s string) (Family, error) {
	switch f := Family(s); f {
	case "":
		return Auto, nil
	case Auto, IPv4, IPv6, Both:
		return f, nil
	}
	return "", fmt.Errorf("%q is not an address family: want auto, ipv4, ipv6 or both", s)
}

func (f Family) qtypes() []uint16 {
	switch f {
	case IPv4:
		return []uint16{dns.TypeA}
	case IPv6:
		return []uint16{dns.TypeAAAA}
	case Both:
		return []uint16{dns.TypeA, dns.TypeAAAA}
	default:
		if hasIPv6Route() {
			return []uint16{dns.TypeA, dns.TypeAAAA}
		}
		return []uint16{dns.TypeA}
	}
}

// hasIPv6Route reports whether the kernel would send to a global IPv6
// address. Connecting a UDP socket sends no packet. The port is that of the requests:
// what goes to port 53 some machines lead elsewhere.
func hasIPv6Route() bool {
	conn, err := (&net.Dialer{}).DialContext(context.Background(), "udp6", "[2600::]:443")
	if err != nil {
		return false
	}
	local, ok := conn.LocalAddr().(*net.UDPAddr)
	return conn.Close() == nil && ok && local.IP.IsGlobalUnicast()
}
