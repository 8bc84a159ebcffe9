package run

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/proxychaos/proxychaos/harness"
	"github.com/proxychaos/proxychaos/harness/fault"
	"github.com/proxychaos/proxychaos/harness/recording"
)

// prepareAhead is how long before its time a fault sets up its proof.
const prepareAhead = 500 * time.Millisecond

// timeline applies every fault at its time, one wrapper for all: prepare,
// apply, prove, record.
func (c *cell) timeline(ctx context.Context) error {
	done := 0
	steps := c.Scenario.Timeline
	for done < len(steps) {
		at := c.moment(steps[done].At)
		together := steps[done:]
		for i, s := range together {
			if c.moment(s.At) != at {
				together = together[:i]
				break
			}
		}
		if err := c.stepsAt(ctx, at, together); err != nil {
			return err
		}
		done += len(together)
	}
	return nil
}

// moment is the planned time of a step.
func (c *cell) moment(m harness.Moment) recording.Seconds {
	switch m {
	case harness.AtFlip:
		return c.plan.FlipAt
	case harness.AfterOutage:
		return c.plan.FlipAt + c.plan.Outage
	default:
		return c.plan.RetireAt
	}
}

// stepsAt applies the faults of one instant, one right after the other, and
// proves them afterwards.
func (c *cell) stepsAt(ctx context.Context, at recording.Seconds, steps []harness.Step) error {
	due := c.t0.Add(at.Duration())
	if steps[0].At == harness.AfterOutage {
		// On a busy machine the outage began late: it lasts as long all the same.
		due = c.t0.Add(max(at, c.struck+c.plan.Outage).Duration())
	}
	if err := sleepUntil(ctx, due.Add(-prepareAhead)); err != nil {
		return err
	}
	for _, s := range steps {
		if p, ok := s.Fault.(fault.Preparer); ok {
			if err := p.Prepare(ctx, c.world); err != nil {
				return fmt.Errorf("%s: %w", s.Fault.Name(), err)
			}
		}
	}
	if steps[0].At == harness.AtFlip {
		// In time for the flip, come what may.
		short, cancel := context.WithDeadline(ctx, due.Add(-warmMargin))
		err := c.warm(short, due.Add(-warmMargin))
		cancel()
		if err != nil && !errors.Is(err, context.DeadlineExceeded) {
			return err
		}
		if err := c.snapshot(ctx, "flip"); err != nil {
			return err
		}
	}
	if err := sleepUntil(ctx, due); err != nil {
		return err
	}
	rows := make([]recording.Step, len(steps))
	for i, s := range steps {
		rows[i] = recording.Step{Name: s.Fault.Name(), Planned: at, Asked: c.since(time.Now())}
		inForce, err := s.Fault.Apply(ctx, c.world)
		if err != nil {
			return fmt.Errorf("%s: %w", s.Fault.Name(), err)
		}
		rows[i].InForce = c.since(inForce)
		c.struck = rows[i].InForce
	}
	for i, s := range steps {
		for _, p := range s.Fault.Prove(ctx, c.world) {
			rows[i].Proofs = append(rows[i].Proofs, recording.Proof{Kind: p.Kind, OK: p.OK, At: c.since(p.At), Detail: p.Detail})
		}
		if err := c.dir.Steps.Append(rows[i]); err != nil {
			return err
		}
		c.progress("t=%+.1fs  %s: in force after %s, %s", float64(at), s.Fault.Name(),
			(rows[i].InForce - rows[i].Asked).Duration().Round(10*time.Microsecond), proved(rows[i].Proofs))
	}
	return nil
}

func proved(proofs []recording.Proof) string {
	for _, p := range proofs {
		if !p.OK {
			return "NOT PROVED: " + p.Detail
		}
	}
	return fmt.Sprintf("seen by %s", probes(len(proofs)))
}

func sleepUntil(ctx context.Context, t time.Time) error {
	timer := time.NewTimer(time.Until(t))
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C:
		return nil
	}
}

func probes(n int) string {
	if n == 1 {
		return "1 probe"
	}
	return fmt.Sprintf("%d probes", n)
}
