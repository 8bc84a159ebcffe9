package config

import (
	"regexp"
	"slices"
	"strconv"
	"time"

	"github.com/proxychaos/proxychaos/harness/kind"
)

// urlPort finds a backend's port in a URL.
var urlPort = regexp.MustCompile(`(?:https?|wss?|h2c?|fcgi|ajp|grpcs?)://[^\s/;"'{}]*?(?:\$\{?\w+\}?)?:(\d{1,5})\b`)

// Ports are 80, 443, and every other that the configuration gives to a backend, in a
// form that is known here. Nodes have to listen on them if no Docker engine is there;
// in containers they take any port.
func (c Config) Ports() []uint16 {
	found := []uint16{80, 443}
	for _, text := range c.Texts() {
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
func (c Config) Refresh() time.Duration { return c.longest(c.hints().Refresh) }

// Keeps is the longest time for which the configuration goes on using an address that has
// left DNS, by its own word, such as HAProxy's hold obsolete.
func (c Config) Keeps() time.Duration { return c.longest(c.hints().Keeps) }

// longest is the longest time that an expression finds; 0 if there is none.
func (c Config) longest(finds *regexp.Regexp) time.Duration {
	units := map[string]time.Duration{"": time.Second, "s": time.Second, "ms": time.Millisecond, "m": time.Minute, "h": time.Hour, "d": 24 * time.Hour}
	if finds == nil {
		return 0
	}
	var longest time.Duration
	for _, text := range c.Texts() {
		for _, m := range finds.FindAllStringSubmatch(text, -1) {
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
	return secure != nil && slices.ContainsFunc(c.Texts(), secure.MatchString)
}

func (c Config) hints() kind.Hints {
	k, err := kind.Of(c.Kind)
	if err != nil {
		return kind.Hints{}
	}
	return k.Hints
}
