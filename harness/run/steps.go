package run

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/proxychaos/proxychaos/fakedns"
	"github.com/proxychaos/proxychaos/harness/fault"
	"github.com/proxychaos/proxychaos/harness/recording"
)

// prepareAhead is how long before its time a fault sets up its proof.
const prepareAhead = 500 * time.Millisecond

// timeline applies every step at its time, one wrapper for all: prepare, apply,
// prove, record.
func (c *cell) timeline(ctx context.Context) error {
	due := c.t0
	for i, step := range c.Scenario.Timeline {
		planned := c.plan.Steps[i]
		due = due.Add(planned.Wait.Duration())
		inForce, err := c.step(ctx, i, due, step.Do)
		if err != nil {
			return err
		}
		// On a busy machine a fault comes late: the next one waits as long all the same.
		if inForce.After(due) {
			due = inForce
		}
	}
	return nil
}

// step applies the faults of one instant, one right after the other, proves them
// afterwards, and returns when the last was in force.
func (c *cell) step(ctx context.Context, i int, due time.Time, faults []fault.Fault) (time.Time, error) {
	if err := sleepUntil(ctx, due.Add(-prepareAhead)); err != nil {
		return due, err
	}
	if err := errors.Join(c.findUpstreams(ctx), c.findUse(ctx, i, faults)); err != nil {
		return due, err
	}
	if err := c.prepareFaults(ctx, faults); err != nil {
		return due, err
	}
	if i == 0 {
		if err := c.lookBeforeFaults(ctx, due); err != nil {
			return due, err
		}
	}
	if err := sleepUntil(ctx, due); err != nil {
		return due, err
	}
	rows, before := make([]recording.Step, len(faults)), make([]fault.Live, len(faults))
	last := due
	for n, f := range faults {
		before[n] = c.live
		effects := f.Effects(c.live.State)
		rows[n] = recording.Step{Number: i + 1, Name: f.Name(), Planned: c.plan.Steps[i].At, Asked: c.since(time.Now()), Effects: effects}
		inForce, err := f.Apply(ctx, &before[n])
		if err != nil {
			return due, fmt.Errorf("%s: %w", f.Name(), err)
		}
		rows[n].InForce, last = c.since(inForce), inForce
		c.struck.CompareAndSwap(nil, new(rows[n].InForce))
		c.live.State = c.live.State.With(effects...)
	}
	return last, c.proveFaults(ctx, faults, before, rows)
}

// prepareFaults lets each fault set up its proof, on the world as it will find it.
func (c *cell) prepareFaults(ctx context.Context, faults []fault.Fault) error {
	will := c.live
	for _, f := range faults {
		if p, ok := f.(fault.Preparer); ok {
			if err := p.Prepare(ctx, &will); err != nil {
				return fmt.Errorf("%s: %w", f.Name(), err)
			}
		}
		will.State = will.State.With(f.Effects(will.State)...)
	}
	return nil
}

// lookBeforeFaults warms workers that came late and records the processes, in time
// for the first fault, come what may.
func (c *cell) lookBeforeFaults(ctx context.Context, due time.Time) error {
	short, cancel := context.WithDeadline(ctx, due.Add(-warmMargin))
	err := c.warm(short, due.Add(-warmMargin))
	cancel()
	if err != nil && !errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	if err := c.snapshot(ctx, recording.MomentFault); err != nil {
		return err
	}
	return c.bed.warmed(ctx)
}

// proveFaults has each fault proved and records it.
func (c *cell) proveFaults(ctx context.Context, faults []fault.Fault, before []fault.Live, rows []recording.Step) error {
	for n, f := range faults {
		for _, p := range f.Prove(ctx, &before[n]) {
			rows[n].Proofs = append(rows[n].Proofs, recording.Proof{OK: p.OK, At: c.since(p.At), Detail: p.Detail})
		}
		if err := c.dir.Steps.Append(rows[n]); err != nil {
			return err
		}
		c.progress("%s: %s: in force after %s, %s", c.when(rows[n].Asked), f.Name(),
			(rows[n].InForce - rows[n].Asked).Duration().Round(10*time.Microsecond), proved(rows[n].Proofs))
	}
	return nil
}

// findUpstreams learns from the DNS queries whom the proxy has asked for which names,
// and which upstream each of them leads to, and to which literal addresses it has
// connected without asking.
func (c *cell) findUpstreams(ctx context.Context) error {
	queries, err := c.to.dns.Queries(ctx, fakedns.Filter{After: c.asked})
	if err != nil {
		return err
	}
	upstreams := maps.Clone(c.live.Upstreams) // states of earlier steps keep theirs
	for _, q := range queries {
		c.asked = q.Seq
		if c.to.isProbe(q.Client) {
			continue
		}
		if !slices.Contains(c.live.Resolvers, q.Resolver) {
			c.live.Resolvers = append(slices.Clip(c.live.Resolvers), q.Resolver)
		}
		for _, a := range q.Answers {
			n, known := c.live.Topology.Node(a)
			if _, named := upstreams[n.Upstream]; known && !named {
				upstreams[n.Upstream] = q.Name
			}
		}
	}
	literals, err := c.bed.literals(ctx)
	c.live.Topology.Literals = literals
	for _, l := range literals {
		if n, known := c.live.Topology.Node(l.Node); known {
			upstreams[n.Upstream] = fault.LiteralNames[n.Upstream]
		}
	}
	c.live.Upstreams = upstreams
	return err
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
