package kind

import (
	"net/netip"
	"regexp"
	"slices"
)

// sendsFrom finds where connections to backends are to begin, in the words of nginx, Apache,
// HAProxy, Squid and Caddy.
var sendsFrom = regexp.MustCompile(`(?i)(?:^|[\s;{])(?:source|ProxySourceAddress|(?:proxy|grpc|fastcgi|uwsgi|scgi|memcached)_bind|tcp_outgoing_address|local_address)\s+(\d{1,3}(?:\.\d{1,3}){3})\b`)

// SourceAddresses are the IPv4 addresses of the machine from which the configuration has
// connections begin. A program cannot connect from an address that is not there.
func (c Config) SourceAddresses() []netip.Addr {
	var found []netip.Addr
	for _, word := range firsts(sendsFrom, c.text()) {
		addr, err := netip.ParseAddr(word)
		if err == nil && !addr.IsUnspecified() && !addr.IsLoopback() && !slices.Contains(found, addr) {
			found = append(found, addr)
		}
	}
	return found
}
