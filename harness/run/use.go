package run

import (
	"context"
	"net/netip"
	"slices"
	"time"

	"github.com/proxychaos/proxychaos/fakealb/record"
	"github.com/proxychaos/proxychaos/harness/fault"
	"github.com/proxychaos/proxychaos/harness/world"
)

// usedFor is how long ago the last request may have gone to a node that counts as in use.
const usedFor = 2 * time.Second

// findUse learns which nodes the proxy sends requests to at this moment: what is struck
// is in use, or nothing is at stake. Before the first step it also numbers the nodes, so
// that faults about the node 1 are about such a one.
func (c *cell) findUse(ctx context.Context, step int, faults []fault.Fault) error {
	picksByUse := func(f fault.Fault) bool {
		p, ok := f.(fault.Picker)
		return ok && p.Picks() == world.Half
	}
	if step > 0 && !slices.ContainsFunc(faults, picksByUse) {
		return nil // the list of all requests so far is long
	}
	attempts, err := c.to.alb.Attempts(ctx)
	if err != nil {
		return err
	}
	used := inUse(attempts, time.Now().Add(-usedFor), c.to.isProbe)
	if step == 0 {
		c.live.Topology = c.live.Topology.Lead(used)
		c.live.State = c.live.Topology.Start()
	}
	c.live.State = c.live.State.Using(used)
	return nil
}

// inUse says of a node whether the proxy sent it a request of a client since a time. A
// connection that is open tells little: a pool keeps some that no request takes.
func inUse(attempts []record.Attempt, since time.Time, isProbe func(netip.AddrPort) bool) func(netip.Addr) bool {
	used := map[netip.Addr]bool{}
	for _, a := range attempts {
		if a.Seq != "" && !a.Start.Before(since) && !a.Probe && !isProbe(a.Peer) {
			used[a.Node] = true
		}
	}
	return func(node netip.Addr) bool { return used[node] }
}
