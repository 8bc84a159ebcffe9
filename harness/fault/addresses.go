package fault

import (
	"net"
	"net/netip"

	"github.com/miekg/dns"
)

// Addresses are those of the A and AAAA records among an answer's records, for a
// [Prober].
func Addresses(records []dns.RR) []netip.Addr {
	var found []netip.Addr
	for _, rr := range records {
		var ip net.IP
		switch rr := rr.(type) {
		case *dns.A:
			ip = rr.A.To4()
		case *dns.AAAA:
			ip = rr.AAAA
		}
		if addr, ok := netip.AddrFromSlice(ip); ok {
			found = append(found, addr)
		}
	}
	return found
}
