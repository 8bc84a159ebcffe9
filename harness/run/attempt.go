package run

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/proxychaos/proxychaos/harness/config"
	"github.com/proxychaos/proxychaos/harness/fault"
	"github.com/proxychaos/proxychaos/harness/images"
	"github.com/proxychaos/proxychaos/harness/judge"
	"github.com/proxychaos/proxychaos/harness/lock"
	"github.com/proxychaos/proxychaos/harness/recording"
	"github.com/proxychaos/proxychaos/harness/testbed"
)

// running is the lock that a cell holds while it has a testbed.
const running = "running"

// attempt is one run of a cell: its testbed and its recording.
type attempt struct {
	lab  *Lab
	cell *cell
	// over ends the attempt's part in the lock of those that run.
	over func()
	// done says that the recording was judged: what closing costs is added to it.
	done bool
	once sync.Once
	err  error
}

// run runs the cell, once turn says that it may.
func (a *attempt) run(ctx context.Context, turn func(context.Context, string) (func(), error)) Result {
	c := a.cell
	result := Result{Cell: c.Cell}
	if result.Err = context.Cause(ctx); result.Err != nil {
		return result
	}
	if a.over, result.Err = turn(ctx, running); result.Err != nil {
		return result
	}
	result.Verdict, result.Manifest, result.Err = a.play(ctx)
	a.done = result.Err == nil
	if result.Manifest.Image.Ref == "" { // it broke off, and this much is known of it
		result.Manifest.Image = c.image
	}
	if c.dir != nil {
		result.Dir = c.dir.Path
	}
	if errors.Is(result.Err, images.ErrNotAvailable) || errors.Is(result.Err, errNeedsEngine) || errors.Is(result.Err, testbed.ErrNoIPv6) {
		result.NotRun, result.Err = result.Err.Error(), nil
	}
	return result
}

// Close takes the testbed down, and lets others be alone. It can be called again.
func (a *attempt) Close() error {
	a.once.Do(func() {
		if a.over != nil {
			defer a.over()
		}
		if a.cell.bed == nil {
			return
		}
		closing := time.Now()
		if a.err = a.cell.bed.Close(a.done); a.err != nil || !a.done {
			return
		}
		var m recording.Manifest
		if m, a.err = recording.ReadManifest(a.cell.dir.Path); a.err == nil {
			m.Overhead += recording.Of(time.Since(closing))
			a.err = recording.SaveManifest(a.cell.dir.Path, m)
		}
	})
	return a.err
}

// play gives the cell its testbed.
func (a *attempt) play(ctx context.Context) (v judge.Verdict, m recording.Manifest, err error) {
	c, l := a.cell, a.lab
	if c.config, err = config.Read(c.Subject.Kind, c.Subject.Files, c.Subject.Config, c.Subject.Env); err != nil {
		return v, m, err
	}
	c.config.Command = c.Subject.Command
	if err = c.remark(); err != nil {
		return v, m, err
	}
	if c.image, err = l.image(ctx, c.Subject); err != nil {
		return v, m, err
	}
	// One testbed starts at a time on this machine: a start keeps both cores of a
	// small one busy, and those that run already have a load to hold.
	started, err := lock.Take(ctx, "starting")
	if err != nil {
		return v, m, err
	}
	defer started()
	c.ready = started
	c.began = time.Now() // waiting, also for an image, is not the cell's overhead
	if c.bed, err = l.open(ctx, c); err != nil {
		return v, m, err
	}
	c.to = c.bed.clients()
	topology := c.Scenario.World.Place(c.to.node)
	if c.to.node6 != nil {
		topology = topology.WithIPv6(c.to.node6)
	}
	if c.plan, err = c.Scenario.PlanOf(c.Subject, c.opt.Settings, topology); err != nil {
		return v, m, err
	}
	c.live = fault.Live{
		DNS: c.to.dns, ALB: c.to.alb, Probe: c.to.probe, Proxy: c.bed, Resolvers: c.to.resolvers, TTL: c.plan.TTL.Duration(),
		Topology: topology, State: topology.Start(), Upstreams: map[int]string{}, Port: c.to.port,
	}
	return c.run(ctx)
}
