package goproxy

import (
	"fmt"
	"iter"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/proxychaos/proxychaos/goproxy/http1"
)

// trust is Config.TrustedProxies.
type trust struct{ networks []netip.Prefix }

// said is what is believed of what a client's proxy says.
type said struct {
	mute  bool // no X-Forwarded-* is passed on
	proto string
	host  string
}

func newTrust(networks []string) (*trust, error) {
	t := &trust{}
	for i, text := range networks {
		network, err := parseNetwork(text)
		if err != nil {
			return nil, fmt.Errorf("trusted_proxies.%d: %w", i, err)
		}
		t.networks = append(t.networks, network)
	}
	return t, nil
}

// parseNetwork reads "10.0.0.0/8" or one address.
func parseNetwork(text string) (netip.Prefix, error) {
	if addr, err := netip.ParseAddr(text); err == nil {
		return netip.PrefixFrom(addr, addr.BitLen()), nil
	}
	network, err := netip.ParsePrefix(text)
	if err != nil || network != network.Masked() {
		return network, fmt.Errorf("%q is no network: want one such as 10.0.0.0/8, or an address", text)
	}
	return network, nil
}

// has reports whether an address, without a port, is a trusted proxy's.
func (t *trust) has(address string) bool {
	addr, err := netip.ParseAddr(address)
	if err != nil {
		return false
	}
	addr = addr.Unmap()
	for _, n := range t.networks {
		if n.Contains(addr) {
			return true
		}
	}
	return false
}

// identify finds out who the client is and what it asked its proxy for.
func (t *trust) identify(r *request) {
	r.clientIP = hostname(r.remote)
	if len(t.networks) == 0 {
		return
	}
	if r.unnamed || !t.has(r.clientIP) {
		r.said.mute = true
		return
	}
	// Each proxy appends who connected to it: the last one that is no trusted
	// proxy is the client. What stands before it anyone can have written.
	for hop := range lastHops(r.Header) {
		if ap, err := netip.ParseAddrPort(hop); err == nil {
			hop = ap.Addr().String()
		}
		if addr, err := netip.ParseAddr(hop); err != nil || addr.Zone() != "" {
			break // a zone may be any text
		}
		r.clientIP = hop
		if !t.has(hop) {
			break
		}
	}
	if proto := lastOf(r.Header, "X-Forwarded-Proto"); proto == "http" || proto == "https" {
		r.said.proto = proto
	}
	if host := lastOf(r.Header, "X-Forwarded-Host"); http1.ValidHost(host) {
		r.said.host = host
	}
}

// mostHops is how many hops are looked at. There are no more proxies, and a client can
// write 30,000 that look like trusted ones.
const mostHops = 64

// lastHops are what stands in X-Forwarded-For, from its end.
func lastHops(h http1.Header) iter.Seq[string] {
	return func(yield func(string) bool) {
		n := 0
		for _, line := range slices.Backward(slices.Collect(h.Values("X-Forwarded-For"))) {
			for begin := len(line); begin >= 0; n++ {
				begin = strings.LastIndexByte(line, ',')
				if n == mostHops || !yield(strings.TrimSpace(line[begin+1:])) {
					return
				}
				line = line[:max(0, begin)]
			}
		}
	}
}

// lastOf is the last of the values of a field. Where a trusted proxy appends to
// what it got, it alone is certain not to be the client's.
func lastOf(h http1.Header, name string) string {
	last := ""
	for value := range h.Values(name) {
		last = value
	}
	return strings.TrimSpace(last[strings.LastIndexByte(last, ',')+1:])
}

// scheme is the one that the client used: "http" or "https".
func (r *request) scheme() string {
	switch {
	case r.said.proto != "":
		return r.said.proto
	case r.secure:
		return "https"
	}
	return "http"
}

// publicHost is the host, with its port, that the client asked for.
func (r *request) publicHost() string {
	if r.said.host != "" {
		return r.said.host
	}
	return r.Host
}

func checkTrust(c Config, add func(string, ...string)) {
	for i, text := range c.TrustedProxies {
		if _, err := parseNetwork(text); err != nil {
			add(err.Error(), "trusted_proxies", strconv.Itoa(i))
		}
	}
	if c.ProxyProtocol && len(c.TrustedProxies) == 0 {
		add("needs trusted_proxies: anyone else could name any client", "proxy_protocol")
	}
}
