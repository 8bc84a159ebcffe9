package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"sync"
	"syscall"

	"golang.org/x/sync/errgroup"

	"github.com/proxychaos/proxychaos/harness/run"
	"github.com/proxychaos/proxychaos/scenarios"
)

// What the bank has runs of: six configs that fare differently in four scenarios. Some lose
// nothing, some all, some recover by a timer, and of some a draw decides.
var (
	bankSubjects = []string{
		"apache/pooled", "apache/disablereuse", "nginx/variable", "nginx/upstream-resolve@testing",
		"haproxy/server-template@testing", "goproxy/default",
	}
	bankScenarios = []string{"alb-ip-rotate", "alb-ip-abrupt", "alb-node-silent", "dns-silence"}
)

// perSeed is how many runs of a cell have one seed: as many as a block has.
const perSeed = 3

// wanted is a run that the bank does not have yet.
type wanted struct {
	run.Cell
	seed uint64
}

// bankCells are those of the bank.
func bankCells() ([]run.Cell, error) {
	var cells []run.Cell
	for _, name := range bankScenarios {
		scenario, err := scenarios.Named(name)
		if err != nil {
			return nil, err
		}
		for _, id := range bankSubjects {
			subject, err := scenarios.Catalogued(id)
			if err != nil {
				return nil, err
			}
			if !scenario.Suits(subject) {
				return nil, fmt.Errorf("%s is not run on %s", name, id)
			}
			cells = append(cells, run.Cell{Scenario: scenario, Subject: subject})
		}
	}
	return cells, nil
}

// absent are the runs that the bank lacks until it has so many of each cell: one seed after
// the other, and of a seed every cell before any of them again, so that a bank that was
// interrupted has as many of each.
func (b *bank) absent(cells []run.Cell, each int) []wanted {
	type place struct {
		scenario, subject string
		seed              uint64
	}
	have := map[place]int{}
	for _, r := range b.runs {
		have[place{r.Scenario, r.Subject, r.Seed}]++
	}
	var all []wanted
	for nth := range each {
		seed := uint64(nth/perSeed) + 1
		for _, c := range cells {
			if have[place{c.Scenario.Name, c.Subject.ID(), seed}] <= nth%perSeed {
				all = append(all, wanted{c, seed})
			}
		}
	}
	return all
}

// record runs what the bank lacks until it has so many runs of each cell, and writes the bank
// after each. A run that proved nothing is not put into it: the same command tries it again.
func (b *bank) record(path, each string) error {
	n, err := strconv.Atoi(each)
	if err != nil || n < perSeed || n%perSeed != 0 || n > 600 {
		return fmt.Errorf("EACH=%s: want how many runs of each cell, a multiple of %d up to 600", each, perSeed)
	}
	cells, err := bankCells()
	if err != nil {
		return err
	}
	all := b.absent(cells, n)
	if len(all) == 0 {
		return nil
	}
	asked, err := scenarios.FromEnvironment(func(word string) (string, bool) {
		if word == "PARALLEL" || word == "RUNS" || word == "KIT" {
			return scenarios.Environment(word)
		}
		return "", false // a bank is of runs with the standard numbers
	})
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	lacking, err := b.runAll(ctx, asked.Options, path, cells, all)
	if err == nil && lacking > 0 {
		err = fmt.Errorf("%d of %d runs proved nothing, or broke off; the same command tries them again", lacking, len(all))
	}
	return err
}

// runAll runs what is wanted, and says how many runs are still lacking.
func (b *bank) runAll(ctx context.Context, opt run.Options, path string, cells []run.Cell, all []wanted) (lacking int, err error) {
	opt.Make, opt.InstallEngine, opt.NeedsEngine = true, true, true
	lab, err := run.Open(ctx, opt)
	defer func() { err = errors.Join(err, lab.Close()) }()
	if err != nil {
		return len(all), err
	}
	lab.Fetch(ctx, cells)
	lab.Expect(len(all), opt.Parallel)
	label := run.Labels(cells)
	var mu sync.Mutex
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(opt.Parallel)
	lacking = len(all)
	for _, want := range all {
		group.Go(func() error {
			running := lab.BeginSeed(want.Cell, want.seed, label(want.Cell))
			result := running.Run(ctx)
			if err := errors.Join(result.Err, running.Close()); err != nil || result.NotRun != "" {
				return ctx.Err() // what broke off is in the log
			}
			mu.Lock()
			defer mu.Unlock()
			if !b.put(result.Manifest, result.Verdict) {
				return nil
			}
			lacking--
			return b.write(path)
		})
	}
	err = group.Wait()
	if errors.Is(err, context.Canceled) {
		err = fmt.Errorf("interrupted: %d of %d runs are still lacking; the same command goes on", lacking, len(all))
	}
	fmt.Fprintf(os.Stderr, "the bank has %d runs\n", len(b.runs))
	return lacking, err
}
