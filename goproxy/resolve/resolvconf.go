package resolve

import (
	"fmt"
	"net/netip"

	"github.com/miekg/dns"
)

// SystemServers returns the name servers of a resolv.conf file, port 53, in
// their order.
func SystemServers(path string) ([]netip.AddrPort, error) {
	conf, err := dns.ClientConfigFromFile(path)
	if err != nil {
		return nil, fmt.Errorf("read name servers: %w", err)
	}
	var servers []netip.AddrPort
	for _, s := range conf.Servers {
		addr, err := netip.ParseAddr(s)
		if err != nil {
			return nil, fmt.Errorf("%s: nameserver %q is no IP address", path, s)
		}
		servers = append(servers, netip.AddrPortFrom(addr, 53))
	}
	if len(servers) == 0 {
		return nil, fmt.Errorf("%s names no name server: set resolvers in the config", path)
	}
	return servers, nil
}

// ParseServer reads "10.0.0.2" or "10.0.0.2:5353" (IPv6 with a port as
// "[2001:db8::1]:53"). The port is 53 unless given.
func ParseServer(s string) (netip.AddrPort, error) {
	if addr, err := netip.ParseAddr(s); err == nil {
		return netip.AddrPortFrom(addr, 53), nil
	}
	ap, err := netip.ParseAddrPort(s)
	if err != nil || ap.Port() == 0 {
		return netip.AddrPort{}, fmt.Errorf("%q is not a resolver address: want an IP address such as 10.0.0.2 or 10.0.0.2:53", s)
	}
	return ap, nil
}
