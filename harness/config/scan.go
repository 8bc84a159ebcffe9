package config

import (
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/proxychaos/proxychaos/harness/kind"
)

// Names that a configuration uses for the addresses it asks.
var (
	resolverLine = regexp.MustCompile(`(?m)^\s*-?\s*(?:resolver|resolvers|nameserver)\b[:\s]([^;#\n]*)`)
	addrOrPort   = regexp.MustCompile(`\d{1,3}(?:\.\d{1,3}){3}(?::\d{1,5})?`)
	// A backend's port in a URL.
	urlPort = regexp.MustCompile(`(?:https?|wss?|h2c?|fcgi|ajp|grpcs?)://[^\s/;"'{}]*?(?:\$\{?\w+\}?)?:(\d{1,5})\b`)
	comment = regexp.MustCompile(`(?m)^\s*#.*$`)
)

// defaultResolver is where AWS has it in every VPC (aws-facts 5.1).
var defaultResolver = netip.AddrPortFrom(netip.AddrFrom4([4]byte{169, 254, 169, 253}), 53)

// Resolvers are the DNS servers that the configuration names, and the one of
// every VPC.
func (c Config) Resolvers() []netip.AddrPort {
	found := []netip.AddrPort{defaultResolver}
	for _, text := range c.texts() {
		for _, line := range resolverLine.FindAllStringSubmatch(text, -1) {
			for _, word := range addrOrPort.FindAllString(line[1], -1) {
				if addr, ok := parseResolver(word); ok && !slices.Contains(found, addr) {
					found = append(found, addr)
				}
			}
		}
	}
	return found
}

func parseResolver(word string) (netip.AddrPort, bool) {
	if !strings.Contains(word, ":") {
		word += ":53"
	}
	addr, err := netip.ParseAddrPort(word)
	return addr, err == nil && addr.Port() != 0
}

// Ports are 80, 443, and every other that the configuration gives to a backend, in a
// form that is known here. Nodes have to listen on them if no Docker engine is there;
// in containers they take any port.
func (c Config) Ports() []uint16 {
	found := []uint16{80, 443}
	for _, text := range c.texts() {
		for _, re := range []*regexp.Regexp{urlPort, c.hints().Port} {
			if re == nil {
				continue
			}
			for _, m := range re.FindAllStringSubmatch(text, -1) {
				port, err := strconv.ParseUint(m[1], 10, 16)
				if err == nil && port != 0 && !slices.Contains(found, uint16(port)) {
					found = append(found, uint16(port))
				}
			}
		}
	}
	return found
}

// Refresh is the longest period after which the configuration looks a name up
// again by its own word, such as nginx's valid= and Apache's addressttl=.
func (c Config) Refresh() time.Duration {
	units := map[string]time.Duration{"": time.Second, "s": time.Second, "ms": time.Millisecond, "m": time.Minute, "h": time.Hour, "d": 24 * time.Hour}
	refresh := c.hints().Refresh
	if refresh == nil {
		return 0
	}
	var longest time.Duration
	for _, text := range c.texts() {
		for _, m := range refresh.FindAllStringSubmatch(text, -1) {
			n, err := strconv.ParseInt(m[1], 10, 32)
			if err == nil {
				longest = max(longest, time.Duration(n)*units[m[2]])
			}
		}
	}
	return longest
}

// TLS says whether the configuration speaks HTTPS to a backend.
func (c Config) TLS() bool {
	secure := c.hints().TLS
	return secure != nil && slices.ContainsFunc(c.texts(), secure.MatchString)
}

func (c Config) hints() kind.Hints {
	k, err := kind.Of(c.Kind)
	if err != nil {
		return kind.Hints{}
	}
	return k.Hints
}

// texts are the files without their comment lines.
func (c Config) texts() []string {
	var texts []string
	for _, f := range c.Files {
		texts = append(texts, comment.ReplaceAllString(string(f.Content), ""))
	}
	return texts
}
