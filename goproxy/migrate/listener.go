package migrate

import (
	"net"
	"net/netip"
	"slices"
	"strings"
)

// Listeners of a draft that can take over none of the file. goproxy always has one
// for HTTP, and these only the machine itself reaches.
const (
	loopbackPlain  = "127.0.0.1:8080"
	loopbackSecure = "127.0.0.1:8443"
)

// The hosts of listeners on all addresses of a family. "" is all of both.
const (
	allIPv4 = "0.0.0.0"
	allIPv6 = "::"
)

// listener is an address that a site listens on.
type listener struct {
	host, port string
	secure     bool
	standard   bool // the site takes the names there that no other site has
}

func (l listener) address() string { return net.JoinHostPort(l.host, l.port) }

// same reports whether both are one socket, spoken to in the same way.
func (l listener) same(o listener) bool {
	return l.host == o.host && l.port == o.port && l.secure == o.secure
}

// nginxListener reads the arguments of a listen directive. Without a host it is IPv4
// alone, and "[::]" is IPv6 alone unless it says otherwise.
func nginxListener(args []string, secure, standard bool) listener {
	host, port := hostPort(args[0], "80")
	switch {
	case host == "" || host == "*":
		host = allIPv4
	case host == allIPv6 && slices.Contains(args, "ipv6only=off"):
		host = ""
	}
	return listener{host, port, secure, standard}
}

// hostPort splits an address that may be a host or a port alone.
func hostPort(address, standard string) (host, port string) {
	host, port, err := net.SplitHostPort(address)
	switch {
	case err != nil && strings.Trim(address, "0123456789") == "":
		host, port = "", address
	case err != nil:
		host, port = strings.Trim(address, "[]"), standard
	}
	if addr, err := netip.ParseAddr(host); err == nil {
		host = addr.String()
	}
	return host, port
}

// covers reports whether who listens at wide takes the connections to host, which may
// be all addresses of a family too.
func covers(wide, host string) bool {
	if wide == "" || wide == host {
		return true
	}
	if host == "" || (wide != allIPv4 && wide != allIPv6) {
		return false
	}
	addr, err := netip.ParseAddr(host)
	return err != nil || addr.Is4() == (wide == allIPv4) // a name may be of any
}

// choose returns the first listener of the kind that a proxying site has; with it
// that on all addresses of the other family, if the same sites are there.
func (d *draft) choose(secure bool) []listener {
	for _, s := range d.sites {
		for _, l := range s.listens {
			if l.secure != secure || (secure && s.cert == "") || !proxies(s.routes) || l.host == "unix" {
				continue
			}
			twin := l
			switch l.host {
			case allIPv4:
				twin.host = allIPv6
			case allIPv6:
				twin.host = allIPv4
			}
			switch {
			case twin == l || !s.on(twin):
				return []listener{l}
			case d.alike(l, twin):
				return []listener{l, twin}
			}
			d.close(s.place, "nothing on %s is in this draft: its sites are not those on %s, and goproxy has the same routes on both", twin.address(), l.address())
			return []listener{l}
		}
	}
	return nil
}

// listen is the address for listeners that choose returned. If the file gives a
// single address within them to other sites, it is loopback: goproxy would serve
// there what the file does not.
func (d *draft) listen(chosen []listener, loopback string) string {
	for _, l := range chosen {
		for _, s := range d.sites {
			for _, o := range s.listens {
				if o.port == l.port && o.host != l.host && covers(l.host, o.host) && !d.alike(o, l) {
					d.close(s.place, "this draft listens on %s. On %s goproxy would also take the requests to %s, which the file gives to other sites: set listen to another address of this machine", loopback, l.address(), o.address())
					return loopback
				}
			}
		}
	}
	if len(chosen) > 1 {
		return ":" + chosen[0].port
	}
	return chosen[0].address()
}

// alike reports whether requests to both come to the same sites.
func (d *draft) alike(a, b listener) bool {
	differ := func(s *site) bool { return s.at(a) != s.at(b) }
	return !slices.ContainsFunc(d.sites, differ) && d.standard(a) == d.standard(b)
}

// reaches reports whether whoever reaches l reaches s too, at another port.
func (d *draft) reaches(s *site, l listener) bool {
	return slices.ContainsFunc(s.listens, func(o listener) bool {
		return covers(o.host, l.host) && !d.hidden(s, o, l.host)
	})
}

// hidden reports whether at an address of host other sites have the port of o, which
// is one of s.
func (d *draft) hidden(s *site, o listener, host string) bool {
	return slices.ContainsFunc(d.sites, func(t *site) bool {
		return slices.ContainsFunc(t.listens, func(p listener) bool {
			return p.port == o.port && p.host != o.host && covers(o.host, p.host) && covers(host, p.host) && !s.at(p)
		})
	})
}
