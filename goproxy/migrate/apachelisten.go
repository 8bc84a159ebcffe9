package migrate

import (
	"slices"
	"strings"
)

// apacheListener reads the address of a Listen directive, or of a virtual host. A "*"
// is all addresses, and as a port all ports.
func apacheListener(address string, secure bool) listener {
	host, port := hostPort(address, "*")
	if host == "*" || host == "_default_" || host == allIPv6 {
		host = ""
	}
	return listener{host: host, port: port, secure: secure}
}

// listen reads a Listen directive.
func (v *vhost) listen(d directive) {
	if len(d.args) == 0 {
		return
	}
	secure := strings.HasSuffix(d.args[0], "443") || (len(d.args) > 1 && d.args[1] == "https")
	v.listens = append(v.listens, apacheListener(d.args[0], secure))
}

// within returns where requests come to a virtual host of that address: on listeners
// of the server, if the file has any. Virtual hosts of a single address come before
// those of all; others has the addresses of all.
func (l listener) within(server, others []listener) []listener {
	if len(server) == 0 {
		if l.port == "*" {
			l.port = "80"
		}
		return []listener{l}
	}
	var out []listener
	for _, s := range server {
		if l.port != "*" && l.port != s.port {
			continue
		}
		at := listener{host: l.host, port: s.port, secure: l.secure}
		if covers(l.host, s.host) {
			at.host = s.host
		} else if !covers(s.host, l.host) {
			continue
		}
		hidden := at.host != l.host && slices.ContainsFunc(others, func(o listener) bool {
			return o.host == at.host && (o.port == at.port || o.port == "*")
		})
		if !hidden && !slices.ContainsFunc(out, at.same) {
			out = append(out, at)
		}
	}
	return out
}

// addressesOf are those of a virtual host.
func addressesOf(d directive, secure bool) []listener {
	var out []listener
	for _, address := range d.args {
		out = append(out, apacheListener(address, secure))
	}
	return out
}
