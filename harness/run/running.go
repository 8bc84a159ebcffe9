package run

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/proxychaos/proxychaos/harness/judge"
	"github.com/proxychaos/proxychaos/harness/lock"
)

// Running is one cell, from its testbed to the clean-up. Close it whatever became of Run.
type Running struct {
	lab   *Lab
	which Cell
	label string
	opt   Options
	// last is the run that counts: a second one if the machine was busy in the first.
	last *attempt
}

// Begin makes a cell that Run runs. Each line of its progress begins with label.
func (l *Lab) Begin(which Cell, label string) *Running {
	return l.BeginSeed(which, l.opt.Settings.Seed, label)
}

// BeginSeed is Begin with another seed than that of the lab.
func (l *Lab) BeginSeed(which Cell, seed uint64, label string) *Running {
	opt := l.opt
	opt.Settings.Seed = seed
	return l.begin(which, opt, label)
}

// BeginAs is Begin with the settings, the way in and the folder of recordings of other options
// than those of the lab.
func (l *Lab) BeginAs(which Cell, asked Options, label string) *Running {
	opt := l.opt
	opt.Settings, opt.Wanted, opt.Runs, opt.Claim = asked.Settings, asked.Wanted, asked.Runs, asked.Claim
	return l.begin(which, opt, label)
}

func (l *Lab) begin(which Cell, opt Options, label string) *Running {
	r := &Running{lab: l, which: which, opt: opt, label: label}
	r.last = r.attempt()
	return r
}

func (r *Running) attempt() *attempt {
	return &attempt{lab: r.lab, cell: &cell{Cell: r.which, label: r.label, opt: r.opt, began: time.Now(), log: r.lab.logf}}
}

// Run runs the cell and logs its result. One that is unproven on a busy machine is run
// once more while no other cell runs on this machine, and that run counts: the first said
// something about the machine and nothing about the proxy. Its recording stays.
func (r *Running) Run(ctx context.Context) Result {
	begins := time.Now()
	result := r.last.run(ctx, lock.Beside)
	// If its testbed cannot be taken down, the caller's Close says so, and nothing runs again.
	if result.Verdict.Result == judge.Unproven && result.Verdict.Load.Busy() && ctx.Err() == nil && r.last.Close() == nil {
		r.last.cell.progress("%s; it runs again when no other cell does: the machine was busy", r.outcome(result))
		r.last = r.attempt()
		r.last.cell.alone = true
		// An interrupt leaves the first run, unless the second was over by then.
		if second := r.last.run(ctx, lock.Alone); second.Err == nil || ctx.Err() == nil {
			result = second
		}
	}
	took := time.Since(begins)
	if result.NotRun != "" {
		took = 0
	}
	r.lab.tally.add(took)
	r.last.cell.progress("%s%s", r.outcome(result), r.lab.tally.left())
	return result
}

// outcome is what the progress says of a run that is over.
func (r *Running) outcome(result Result) string {
	switch {
	case result.NotRun != "":
		return "not run: " + result.NotRun
	case result.Err != nil && r.opt.Shown:
		return "broke off: " + inShort(result.Err)
	case result.Err != nil:
		return fmt.Sprintf("broke off: %v", result.Err)
	}
	return fmt.Sprintf("%s: %s", result.Verdict.Result, strings.Join(result.Verdict.Reasons, "; "))
}

// inShort is the first thing that an error says; of a proxy that rejects its configuration, which
// one that is.
func inShort(err error) string {
	var rejected *ConfigError
	if errors.As(err, &rejected) {
		return rejects + rejected.Path
	}
	first, _, _ := strings.Cut(err.Error(), "\n")
	return first
}

// Close takes the testbed down. What it costs is part of the cell's overhead. It can be
// called again.
func (r *Running) Close() error { return r.last.Close() }
