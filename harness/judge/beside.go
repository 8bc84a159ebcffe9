package judge

import (
	"fmt"
	"net/netip"

	"github.com/proxychaos/proxychaos/harness/world"
)

// besideReason says how many requests an application beside the proxy answered; none if it
// answered none. They are good answers, and say nothing of what a fault did.
func (c *brief) besideReason() []string {
	beside := map[netip.Addr]bool{}
	for _, a := range c.Attempts {
		if a.LB == world.Beside {
			beside[a.Node] = true
		}
	}
	answered := 0
	for _, r := range c.Requests {
		if !failed(r) && beside[r.Node] {
			answered++
		}
	}
	if answered == 0 {
		return nil
	}
	return []string{fmt.Sprintf("%s of %s were answered by an application beside the proxy, which no fault strikes", comma(answered), requests(len(c.Requests)))}
}
