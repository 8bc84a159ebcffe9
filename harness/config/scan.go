package config

import (
	"cmp"
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

// Refreshes are the periods after which the configuration looks names up again by its own
// word, such as nginx's valid= and Apache's addressttl=. Some may be of something else.
func (c Config) Refreshes() []time.Duration { return c.times(c.hints().Refresh) }

// Refresh is the longest of them; 0 if there is none.
func (c Config) Refresh() time.Duration { return longest(c.Refreshes()) }

// Keeps is the longest time for which the configuration goes on using an address that has
// left DNS, as it says itself, such as HAProxy's hold obsolete.
func (c Config) Keeps() time.Duration { return longest(c.times(c.hints().Keeps)) }

func longest(times []time.Duration) time.Duration {
	most := time.Duration(0)
	for _, t := range times {
		most = max(most, t)
	}
	return most
}

// tooLong takes the place of every time that is longer: no run waits for it.
const tooLong = 30 * 24 * time.Hour

// part is one number of a time with its unit.
var part = regexp.MustCompile(`(\d+)(ms|s|m|h|d)?`)

// times are those that an expression finds, in their order.
func (c Config) times(finds *regexp.Regexp) []time.Duration {
	if finds == nil {
		return nil
	}
	var found []time.Duration
	for _, text := range c.Texts() {
		for _, m := range finds.FindAllStringSubmatch(text, -1) {
			sum := time.Duration(0)
			for _, p := range part.FindAllStringSubmatch(m[1], -1) {
				sum = min(tooLong, sum+c.span(p[1], p[2]))
			}
			found = append(found, sum)
		}
	}
	return found
}

// span is a number of a unit, at most tooLong.
func (c Config) span(number, unit string) time.Duration {
	units := map[string]time.Duration{
		"": cmp.Or(c.hints().Unit, time.Second), "ms": time.Millisecond, "s": time.Second, "m": time.Minute, "h": time.Hour, "d": 24 * time.Hour,
	}
	n, err := strconv.ParseUint(number, 10, 64)
	if err != nil || n > uint64(tooLong/units[unit]) {
		return tooLong
	}
	return time.Duration(n) * units[unit]
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
