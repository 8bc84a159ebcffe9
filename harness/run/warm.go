package run

import (
	"context"
	"fmt"
	"time"

	"github.com/proxychaos/proxychaos/harness/load"
	"github.com/proxychaos/proxychaos/harness/recording"
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
	// answerLimit is how long a proxy may listen before it can answer.
	answerLimit = 3 * time.Second
)

// fill leaves the proxy with pools as deep as after a busy minute: as many requests at
// once as PEAK says. One that has a single connection opens another as soon as two
// requests overlap: if that is after a move of the name, chance decides which of the two
// connections serves.
func (c *cell) fill(ctx context.Context) error {
	_, err := c.burst(ctx, c.opt.Settings.Peak, warmHold)
	return err
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
		if _, err := c.burst(ctx, warmConcurrency, warmHold); err != nil {
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

func (c *cell) burst(ctx context.Context, concurrency int, hold time.Duration) (load.BurstResult, error) {
	return c.to.load.Burst(ctx, load.Burst{
		Target: c.target, Path: c.opt.Path, Host: c.opt.Host,
		Concurrency: concurrency, Hold: recording.Of(hold), Timeout: recording.Of(hold) + c.plan.ClientTimeout,
	})
}

// answers waits until the proxy brings a request to an ALB node, before
// anything is concluded from requests that fail. A proxy that looks its
// upstream up in the background (nginx's "server ... resolve") listens before
// it knows an address.
func (c *cell) answers(ctx context.Context) error {
	deadline := time.Now().Add(answerLimit)
	got, err := c.burst(ctx, 1, 0)
	for err == nil && got.Outcomes[recording.OK] == 0 && time.Now().Before(deadline) {
		if err = sleepUntil(ctx, time.Now().Add(20*time.Millisecond)); err == nil {
			got, err = c.burst(ctx, 1, 0)
		}
	}
	if err != nil || got.Outcomes[recording.OK] > 0 {
		return err
	}
	for outcome := range got.Outcomes {
		if got.Error != "" {
			outcome += " (" + got.Error + ")"
		}
		return fmt.Errorf("before any fault, GET %s through the proxy came to %s: want 200 from an ALB node; give a path that the config proxies with URL_PATH=, a virtual host with HOST_HEADER=",
			c.opt.Path, outcome)
	}
	return nil
}

// snapshot records the proxy's processes.
func (c *cell) snapshot(ctx context.Context, moment string) error {
	workers, err := c.bed.workers(ctx)
	if err != nil || workers == nil {
		return err
	}
	return c.dir.Snapshots.Append(recording.Snapshot{At: c.since(time.Now()), Moment: moment, Processes: workers})
}
