package judge

import (
	"slices"

	"github.com/proxychaos/proxychaos/harness/recording"
)

// proxyAt is the number, from 1, of the proxy that the load balancer in front calls at an
// address; 0 if that is not known.
func (c *brief) proxyAt(target string) int {
	if len(c.Manifest.Proxies) == 0 && c.Manifest.World.Proxies() == 1 {
		return 1 // an older recording
	}
	for i, at := range c.Manifest.Proxies {
		if at.String() == target {
			return i + 1
		}
	}
	return 0
}

// mayHaveHad says whether the load balancer in front gave a request to the proxy of a number. An
// older recording does not say where several are: there each may have had it.
func (c *brief) mayHaveHad(proxy int, a recording.Attempt) bool {
	if a.Target == "" {
		return false
	}
	n := c.proxyAt(a.Target)
	return n == proxy || n == 0 && len(c.Manifest.Proxies) == 0
}

// ran says whether the proxy at an address ran at a time: it had not been ended, and had not ended
// by itself.
func (c *brief) ran(target string, at recording.Seconds) bool {
	n := c.proxyAt(target)
	return n == 0 || c.ledger.Runs(n, at) && !slices.ContainsFunc(c.deaths, func(d death) bool { return d.proxy == n && at >= d.since })
}
