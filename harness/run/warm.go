package run

import (
	"context"
	"net/netip"
	"strings"
	"time"

	"github.com/proxychaos/proxychaos/harness/load"
	"github.com/proxychaos/proxychaos/harness/recording"
	"github.com/proxychaos/proxychaos/harness/wayin"
)

const (
	// warmHold keeps each warm-up request open long enough that the next one
	// goes to another worker, and that the pod sees its connection.
	warmHold = 60 * time.Millisecond
	// warmConcurrency makes a worker that is busy leave some to the others.
	warmConcurrency = 8
	// warmLimit is how long we warm. After it a worker may still be cold, and then the
	// run becomes unproven.
	warmLimit = 6 * time.Second
	// warmMargin is how long before the first fault the warm-up ends.
	warmMargin = 50 * time.Millisecond
)

// fill leaves the proxy with pools as deep as after a busy minute: as many requests at
// once as PEAK says. One that has a single connection opens another as soon as two
// requests overlap: if that is after a move of the name, chance decides which of the two
// connections serves.
func (c *cell) fill(ctx context.Context) error {
	return c.burst(ctx, c.opt.Settings.Peak)
}

// warm sends bursts until every worker of the proxy has made an upstream
// connection: a worker that has not yet resolved the name would look it up
// after the first fault, and hide the fault.
func (c *cell) warm(ctx context.Context, deadline time.Time) error {
	for {
		workers, err := c.bed.workers(ctx)
		if err != nil {
			return err
		}
		if cold(workers) == 0 || time.Now().After(deadline) {
			return nil
		}
		if err := c.burst(ctx, warmConcurrency); err != nil {
			return err
		}
	}
}

// cold counts the workers that have made no upstream connection.
func cold(workers []recording.Process) int {
	n := 0
	for _, w := range workers {
		if w.Worker && w.Seen == 0 && w.Upstream == 0 {
			n++
		}
	}
	return n
}

// burst sends so many requests at once to each proxy.
func (c *cell) burst(ctx context.Context, concurrency int) error {
	hold := recording.Of(warmHold)
	for _, way := range c.ways() {
		_, err := c.to.load.Burst(ctx, load.Burst{Way: way, Concurrency: concurrency, Hold: hold, Timeout: hold + c.plan.ClientTimeout})
		if err != nil {
			return err
		}
	}
	return nil
}

// ways are those into each proxy: the same, at their addresses.
func (c *cell) ways() []recording.Way {
	ways := []recording.Way{c.way}
	scheme, _, _ := strings.Cut(c.way.Target, "://")
	for _, addr := range c.bed.others() {
		other := c.way
		other.Target = scheme + "://" + netip.AddrPortFrom(addr, wayin.Port(c.way)).String()
		ways = append(ways, other)
	}
	return ways
}

// snapshot records the proxy's processes.
func (c *cell) snapshot(ctx context.Context, moment string) error {
	workers, err := c.bed.workers(ctx)
	if err != nil || workers == nil {
		return err
	}
	return c.dir.Snapshots.Append(recording.Snapshot{At: c.since(time.Now()), Moment: moment, Processes: workers})
}
