// Package survey runs the configs of a kind of proxy on all of its releases, for an atlas: each
// cell once, and the cells on both sides of what looks like a change again, with other seeds,
// until the change is certain or gone.
package survey

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"github.com/dustin/go-humanize/english"
	"golang.org/x/sync/errgroup"

	"github.com/proxychaos/proxychaos/harness/judge"
	"github.com/proxychaos/proxychaos/harness/recording"
	"github.com/proxychaos/proxychaos/harness/run"
	"github.com/proxychaos/proxychaos/reports"
	"github.com/proxychaos/proxychaos/reports/atlas"
	"github.com/proxychaos/proxychaos/scenarios"
	"github.com/proxychaos/proxychaos/scenarios/journal"
)

// Question is what is run.
type Question struct {
	Cells []run.Cell
	Seed  uint64 // of the first run of each cell; the next have the next ones
	// Parallel is how many cells run at a time.
	Parallel int
}

// Done is a run that has ended.
type Done struct {
	scenarios.CellOutcome
	Seed    uint64 `json:"seed"`
	Version string `json:"version,omitempty"` // of the proxy
	// Lacking says that it has to be tried again by another call: it proved nothing, or could
	// not be run.
	Lacking bool `json:"lacking,omitempty"`
}

// most is how many seeds are tried until enough runs of a cell are proved.
const most = atlas.EnoughRuns + 2

// place names a run.
type place struct {
	scenario, subject string
	seed              uint64
}

func (d Done) place() place { return place{d.Scenario, d.Subject, d.Seed} }

// surveyor is a survey under way.
type surveyor struct {
	Question
	play    func(ctx context.Context, c run.Cell, seed uint64) run.Result
	expect  func(runs int)
	journal *journal.File[Done]
	log     func(string, ...any)

	mu      sync.Mutex
	tried   map[place]bool    // by this call
	refused map[string]string // what the proxy said, by the subject
}

// wanted is a run to make.
type wanted struct {
	run.Cell
	seed uint64
}

func (w wanted) place() place { return place{w.Scenario.Name, w.Subject.ID(), w.seed} }

// Answer runs what the journal lacks. What was run is there also if there is an error.
func Answer(ctx context.Context, lab *run.Lab, q Question, j *journal.File[Done], log func(string, ...any)) error {
	label := run.Labels(q.Cells)
	play := func(ctx context.Context, c run.Cell, seed uint64) run.Result {
		running := lab.BeginSeed(c, seed, label(c))
		result := running.Run(ctx)
		result.Err = errors.Join(result.Err, running.Close())
		return result
	}
	s := newSurveyor(q, play, j, log)
	s.expect = func(runs int) { lab.Expect(runs, q.Parallel) }
	return s.answer(ctx)
}

func newSurveyor(q Question, play func(context.Context, run.Cell, uint64) run.Result, j *journal.File[Done], log func(string, ...any)) *surveyor {
	return &surveyor{Question: q, play: play, expect: func(int) {}, journal: j, log: log, tried: map[place]bool{}, refused: map[string]string{}}
}

func (s *surveyor) answer(ctx context.Context) error {
	for round := 1; ; round++ {
		todo, err := s.next(round)
		if err != nil || len(todo) == 0 {
			return err
		}
		if round > 1 {
			s.log("%s, to see which changes are there in each of %d runs", english.Plural(len(todo), "more run", ""), atlas.EnoughRuns)
		}
		s.expect(len(todo))
		if err := s.run(ctx, todo); err != nil {
			return err
		}
	}
}

// next are the runs of a round: the first has each cell once, the others those that make the
// changes sure.
func (s *surveyor) next(round int) ([]wanted, error) {
	have := map[place]bool{}
	for _, d := range s.journal.Rows() {
		have[d.place()] = !d.Lacking && d.kept()
	}
	lacks := func(w wanted) bool { return !have[w.place()] && !s.tried[w.place()] }
	var todo []wanted
	if round == 1 {
		for _, c := range s.Cells {
			if w := (wanted{c, s.Seed}); lacks(w) {
				todo = append(todo, w)
			}
		}
		if len(todo) > 0 {
			return todo, nil
		}
	}
	cells, err := Cells(s.Question, s.journal)
	if err != nil {
		return nil, err
	}
	a := atlas.New(scenarios.AtlasRuns(cells))
	for _, key := range a.Unsure() {
		c, ok := s.cellOf(a, key)
		if !ok {
			continue
		}
		needs := atlas.EnoughRuns - a.Place(key).Runs
		for nth := range uint64(most) {
			if w := (wanted{c, s.Seed + nth}); needs > 0 && lacks(w) {
				todo, needs = append(todo, w), needs-1
			}
		}
	}
	return todo, nil
}

// cellOf is the cell of a place: on the first of the releases that have its version.
func (s *surveyor) cellOf(a atlas.Atlas, key atlas.Key) (run.Cell, bool) {
	for _, v := range a.Versions {
		if v.Version != key.Version {
			continue
		}
		for _, c := range s.Cells {
			subject := c.Subject.Recorded()
			if c.Scenario.Name == key.Scenario && scenarios.ConfigOf(subject) == key.Config && slices.Contains(v.Releases, scenarios.ReleaseOf(subject)) {
				return c, true
			}
		}
	}
	return run.Cell{}, false
}

// run makes runs, some at a time, and keeps each in the journal as it ends.
func (s *surveyor) run(ctx context.Context, todo []wanted) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(max(1, s.Parallel))
	for _, w := range todo {
		s.tried[w.place()] = true
		group.Go(func() error {
			result := s.one(ctx, w)
			if ctx.Err() != nil {
				return context.Cause(ctx) // what broke off says only that it was interrupted
			}
			done := Done{CellOutcome: scenarios.Outcome(result), Seed: w.seed, Version: result.Manifest.Image.Version}
			proved := result.Verdict.Result == judge.Pass || result.Verdict.Result == judge.Fail
			done.Lacking = !proved && !run.IsRejection(done.Err)
			s.mu.Lock()
			defer s.mu.Unlock()
			if run.IsRejection(done.Err) {
				s.refused[w.Subject.ID()] = done.Err
			}
			return s.journal.Append(done)
		})
	}
	return group.Wait()
}

// one makes a run. A config that the release has refused is not tried again.
func (s *surveyor) one(ctx context.Context, w wanted) run.Result {
	s.mu.Lock()
	said, refused := s.refused[w.Subject.ID()]
	s.mu.Unlock()
	if refused {
		return run.Result{Cell: w.Cell, Err: errors.New(said)}
	}
	return s.play(ctx, w.Cell, w.seed)
}

// Cells are the runs of a journal as the reports know them, of each cell and seed the last. A
// recording that somebody has removed is left out.
func Cells(q Question, j *journal.File[Done]) ([]reports.Cell, error) {
	asked := scenarios.Request{}
	for _, c := range q.Cells {
		asked.Scenarios, asked.Subjects = append(asked.Scenarios, c.Scenario), append(asked.Subjects, c.Subject)
	}
	last := map[place]Done{}
	for _, d := range j.Rows() {
		last[d.place()] = d
	}
	var cells []reports.Cell
	for _, row := range j.Rows() {
		d, ok := last[row.place()]
		delete(last, row.place())
		if !ok || !d.kept() {
			continue
		}
		cell, err := d.Cell(asked)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", d.Dir, err)
		}
		if cell.Manifest.Image.Version == "" {
			cell.Manifest.Image.Version = d.Version
		}
		cells = append(cells, cell)
	}
	return cells, nil
}

// kept says whether the recording of a run is still there, if it has made one.
func (d Done) kept() bool {
	if d.Err != "" || d.NotRun != "" {
		return true
	}
	_, err := os.Stat(filepath.Join(d.Dir, recording.VerdictFile))
	return err == nil
}
