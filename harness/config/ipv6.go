package config

import (
	"net/netip"
	"regexp"
	"slices"
	"strings"

	"github.com/proxychaos/proxychaos/harness/kind"
)

var (
	// A statement ends so in nginx's language, elsewhere also with its line.
	nginxStatement = regexp.MustCompile(`[;{}]+`)
	statement      = regexp.MustCompile(`[\n;{}]+`)
	// bracketed is an IPv6 address as it stands in a URL or before a port.
	bracketed = regexp.MustCompile(`\[([0-9a-fA-F:.]+)\](?::(\d{1,5}))?`)
	// bare is one that HAProxy takes without brackets, with a port behind the last colon.
	bare = regexp.MustCompile(`^(?:ipv6@)?([0-9a-fA-F:.]+):(\d{1,5})$`)
)

// here are the words with which a statement begins whose addresses are the proxy's own, its
// clients', its resolvers' or those that its log goes to.
var here = []string{
	"listen", "bind", "server_name", "servername", "serveralias", "<virtualhost", "namevirtualhost", "frontend",
	"resolver", "nameserver", "resolvers", "dns_nameservers", "http_port", "https_port",
	"set_real_ip_from", "allow", "deny", "require", "remoteipinternalproxy", "remoteiptrustedproxy", "acl", "geo", "trusted_proxies",
	"log", "error_log", "access_log", "errorlog", "customlog",
}

// dnsPorts are those on which the testbed's resolvers answer at any address.
var dnsPorts = []string{"53", "8600", "5353"}

// IPv6 are the IPv6 addresses that the configuration has in place of a backend's name, as far
// as that can be read. If there is one, the testbed has IPv6: without it the proxy could not
// even try the address. Other configurations get no IPv6, because with it the C library asks
// for AAAA records.
func (c Config) IPv6() []netip.Addr {
	var found []netip.Addr
	add := func(text, port string) {
		addr, err := netip.ParseAddr(text)
		if err == nil && addr.Is6() && !addr.Is4In6() && addr.IsGlobalUnicast() && !slices.Contains(dnsPorts, port) && !slices.Contains(found, addr) {
			found = append(found, addr)
		}
	}
	ends := statement
	if c.Kind == kind.Nginx {
		ends = nginxStatement
	}
	for _, text := range c.Texts() {
		for _, s := range ends.Split(text, -1) {
			words := strings.Fields(s)
			if len(words) == 0 || slices.Contains(here, strings.ToLower(words[0])) {
				continue
			}
			for _, m := range bracketed.FindAllStringSubmatch(s, -1) {
				add(m[1], m[2])
			}
			if words[0] == "server" && len(words) > 2 {
				if m := bare.FindStringSubmatch(words[2]); m != nil {
					add(m[1], m[2])
				}
			}
		}
	}
	return found
}
