package run

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/proxychaos/proxychaos/harness/config"
	"github.com/proxychaos/proxychaos/harness/fault"
	"github.com/proxychaos/proxychaos/harness/images"
	"github.com/proxychaos/proxychaos/harness/judge"
	"github.com/proxychaos/proxychaos/harness/kind"
	"github.com/proxychaos/proxychaos/harness/lock"
	"github.com/proxychaos/proxychaos/harness/recording"
	"github.com/proxychaos/proxychaos/harness/testbed"
)

// Running is one cell, from its testbed to the clean-up. Close it whatever became of Run.
type Running struct {
	lab  *Lab
	cell *cell
	// done says that the recording was judged: what closing costs is added to it.
	done bool
	once sync.Once
	err  error
}

// Begin makes a cell that Run runs. Each line of its progress begins with label.
func (l *Lab) Begin(which Cell, label string) *Running {
	return l.BeginSeed(which, l.opt.Settings.Seed, label)
}

// BeginSeed is Begin with another seed than that of the lab.
func (l *Lab) BeginSeed(which Cell, seed uint64, label string) *Running {
	opt := l.opt
	opt.Settings.Seed = seed
	return &Running{lab: l, cell: &cell{Cell: which, label: label, opt: opt, began: time.Now(), log: l.logf}}
}

// BeginAs is Begin with the settings, the way in and the folder of recordings of other options
// than those of the lab.
func (l *Lab) BeginAs(which Cell, asked Options, label string) *Running {
	opt := l.opt
	opt.Settings, opt.Wanted, opt.Runs = asked.Settings, asked.Wanted, asked.Runs
	return &Running{lab: l, cell: &cell{Cell: which, label: label, opt: opt, began: time.Now(), log: l.logf}}
}

// Run runs the cell and logs what came of it.
func (r *Running) Run(ctx context.Context) Result {
	c, count, begins := r.cell, r.lab.tally, time.Now()
	result := Result{Cell: c.Cell}
	if err := context.Cause(ctx); err != nil {
		result.Err = err
		return result
	}
	result.Verdict, result.Manifest, result.Err = r.play(ctx)
	r.done = result.Err == nil
	if result.Manifest.Image.Ref == "" { // it broke off, and this much is known of it
		result.Manifest.Image = c.image
	}
	if c.dir != nil {
		result.Dir = c.dir.Path
	}
	switch {
	case errors.Is(result.Err, images.ErrNotAvailable) || errors.Is(result.Err, errNeedsEngine) || errors.Is(result.Err, testbed.ErrNoIPv6):
		result.NotRun, result.Err = result.Err.Error(), nil
		count.add(0)
		c.progress("not run: %s%s", result.NotRun, count.left())
	case result.Err != nil:
		count.add(time.Since(begins))
		c.progress("broke off: %v%s", result.Err, count.left())
	default:
		count.add(time.Since(begins))
		c.progress("%s: %s%s", result.Verdict.Result, strings.Join(result.Verdict.Reasons, "; "), count.left())
	}
	return result
}

// play gives the cell its testbed.
func (r *Running) play(ctx context.Context) (v judge.Verdict, m recording.Manifest, err error) {
	c, l := r.cell, r.lab
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

// remark tells the user what of the config does not run as it lies there.
func (c *cell) remark() error {
	layout, err := c.config.Layout()
	if err != nil {
		return err
	}
	remarks := c.config.Remarks()
	if k, err := kind.Of(c.config.Kind); err == nil && k.Lacks != "" {
		remarks = append(remarks, k.Lacks)
	}
	if six := c.config.IPv6(); len(six) > 0 {
		remarks = append(remarks, fmt.Sprintf("the testbed has IPv6 for %s, so that the C library asks for AAAA records too", six[0]))
	}
	if layout.From != "" {
		remarks = append(remarks, "laid out as "+layout.From+" says")
	}
	if spares := layout.Spares(); len(spares) > 0 {
		remarks = append(remarks, "made, unless the image has them: "+strings.Join(spares, ", "))
	}
	if len(layout.Modules) > 0 {
		remarks = append(remarks, "loads, if the image has them, the modules that it needs and does not load itself: "+strings.Join(layout.Modules, ", "))
	}
	if replaced := layout.Replaced(); len(replaced) > 0 {
		remarks = append(remarks, "made in place of yours: "+strings.Join(replaced, ", "))
	}
	if len(remarks) > 0 {
		c.progress("%s: %s", c.source(), strings.Join(remarks, "; "))
	}
	return nil
}

// source is what the user gave: a configuration, or an image that needs none.
func (c *cell) source() string { return cmp.Or(c.config.Path, c.Subject.Image) }

// Close takes the testbed down. What it costs is part of the cell's overhead. It can be
// called again.
func (r *Running) Close() error {
	r.once.Do(func() {
		if r.cell.bed == nil {
			return
		}
		closing := time.Now()
		if r.err = r.cell.bed.Close(r.done); r.err != nil || !r.done {
			return
		}
		var m recording.Manifest
		if m, r.err = recording.ReadManifest(r.cell.dir.Path); r.err == nil {
			m.Overhead += recording.Of(time.Since(closing))
			r.err = recording.SaveManifest(r.cell.dir.Path, m)
		}
	})
	return r.err
}
