package recording

import (
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// Way is how the load gets through the proxy: where to, and what each request says.
type Way struct {
	// Target is the base URL of the proxy, or of a load balancer in front of it:
	// http://198.18.1.2:80, or https:// for TLS, which then asks for the name in Host (SNI).
	Target string `json:"target"`
	// Front are the nodes of the load balancer that clients call, at the port of Target:
	// each connection goes to the next one. Empty if clients call the proxy itself.
	Front []netip.Addr `json:"front,omitempty"`
	// Host is the Host header: a name, or a name and a port.
	Host string `json:"host"`
	// Paths are asked for in rotation. Each begins with / and may have a query.
	Paths []string `json:"paths"`
	// Bare has no number in the query of a request, so that its URL is that of Paths.
	Bare bool `json:"bare,omitempty"`
	// Headers are those of every request, by their names.
	Headers map[string]string `json:"headers,omitempty"`
}

// numberKey is the query parameter that carries a request's number, so that no two
// requests have the same URL: a cache that is keyed by it answers none of them.
const numberKey = "proxychaos="

// Path is what the request with this sequence number asks for, with its query if it has one.
func (w Way) Path(seq uint64) string {
	if w.Bare {
		return w.Paths[w.turn(seq)]
	}
	return Numbered(w.Paths[w.turn(seq)], strconv.FormatUint(seq, 10))
}

// turn is the place of the path that is asked for by this request. The steps are of the
// golden section: each path gets its share of any requests that come in a rhythm, as the
// POSTs do and those of one client.
func (w Way) turn(seq uint64) int {
	const golden = 0x9e3779b97f4a7c15
	return int((seq * golden >> 32) * uint64(len(w.Paths)) >> 32)
}

// Numbered is a path with a number in its query.
func Numbered(path, number string) string {
	path, _, _ = strings.Cut(path, "#")
	switch {
	case !strings.Contains(path, "?"):
		path += "?"
	case !strings.HasSuffix(path, "?") && !strings.HasSuffix(path, "&"):
		path += "&"
	}
	return path + numberKey + number
}

// HasNumber says whether a path, with its query, carries the number of a request.
func HasNumber(path string, seq uint64) bool {
	_, query, _ := strings.Cut(path, "?")
	return slices.Contains(strings.Split(query, "&"), numberKey+strconv.FormatUint(seq, 10))
}

// ForwardedFor is the header in which a load balancer says who its client is.
const ForwardedFor = "X-Forwarded-For"

// Client is the address of the client whose request has this number: behind a load balancer there
// are many, so that a limit per address is as far away as it is in production. The block is for
// documentation (RFC 5737).
func Client(number uint64) netip.Addr {
	return netip.AddrFrom4([4]byte{203, 0, 113, byte(1 + number%254)})
}

// Origin is what a browser would show of the way before the path: the scheme, the host
// and the port.
func (w Way) Origin() string {
	scheme, address, _ := strings.Cut(w.Target, "://")
	return scheme + "://" + Hostname(w.Host) + address[strings.LastIndex(address, ":"):]
}

// Hostname is a Host header without its port.
func Hostname(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		return name
	}
	return host
}
