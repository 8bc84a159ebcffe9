// Package rollout runs two subjects, A and B, in blocks of A, B and A again, until the
// comparison has an answer, or the time is over.
package rollout

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/dustin/go-humanize/english"

	"github.com/proxychaos/proxychaos/harness"
	"github.com/proxychaos/proxychaos/harness/judge"
	"github.com/proxychaos/proxychaos/harness/run"
	"github.com/proxychaos/proxychaos/reports/compare"
)

// Question is what is compared, and for how long at most.
type Question struct {
	A, B      harness.Subject
	Scenarios []harness.Scenario // that suit both
	Rules     compare.Rules
	// Seed is that of the first block of each scenario; the next have the next ones.
	Seed uint64
	// Parallel is how many cells run at a time.
	Parallel int
	// For is after how long no block is begun any more.
	For time.Duration
}

// Played is a block that was run, with the folders of its recordings.
type Played struct {
	compare.Block
	Dirs [3]string     `json:"recordings"` // of A, B, and A again
	Took time.Duration `json:"took"`
}

// Journal keeps what was run, so that an interrupted comparison goes on from there.
type Journal interface {
	Blocks() []Played
	Append(Played) error
}

// ErrNotRun is in the error of a comparison of which the first block could not be run.
var ErrNotRun = errors.New("could not be run")

// runner is a comparison under way.
type runner struct {
	Question
	play     func(ctx context.Context, c run.Cell, seed uint64) run.Result
	journal  Journal
	slots    chan struct{} // one for each cell that may run
	deadline time.Time
	log      func(string, ...any)

	// giveUp ends all cells. The first that cannot be run asks for it while none has: it would
	// be so again.
	giveUp context.CancelCauseFunc
	proved atomic.Bool // a block is in the journal

	running map[string]int // blocks, by scenario
	begun   map[string]int // blocks, by scenario, with those of the journal
	blocks  int
}

// done is a block that has ended: the results of A, B, and A again.
type done struct {
	scenario string
	seed     uint64
	results  [3]run.Result
	took     time.Duration
}

// Answer runs blocks until there is a word, the time is over, or ctx has ended. What was
// run is in the journal also if there is an error.
func Answer(ctx context.Context, lab *run.Lab, q Question, journal Journal, log func(string, ...any)) error {
	label := run.Labels(q.Cells())
	play := func(ctx context.Context, c run.Cell, seed uint64) run.Result {
		running := lab.BeginSeed(c, seed, label(c))
		result := running.Run(ctx)
		result.Err = errors.Join(result.Err, running.Close())
		return result
	}
	return newRunner(q, play, journal, log).answer(ctx)
}

func newRunner(q Question, play func(context.Context, run.Cell, uint64) run.Result, journal Journal, log func(string, ...any)) *runner {
	return &runner{
		Question: q, play: play, journal: journal, log: log,
		slots: make(chan struct{}, max(1, q.Parallel)), deadline: time.Now().Add(q.For),
		running: map[string]int{}, begun: map[string]int{},
	}
}

func (r *runner) answer(ctx context.Context) error {
	for _, played := range r.journal.Blocks() {
		r.begun[played.A.Scenario]++
		r.proved.Store(true)
	}
	ctx, r.giveUp = context.WithCancelCause(ctx)
	defer r.giveUp(nil)
	ended := make(chan done)
	var errs error
	for {
		decision := r.Decide(r.journal)
		for r.blocks < AtATime(r.Parallel) && errs == nil && ctx.Err() == nil && r.timeFor() {
			name := decision.Next(r.running)
			if name == "" {
				break
			}
			r.begin(ctx, name, ended)
		}
		if r.blocks == 0 {
			return errors.Join(errs, context.Cause(ctx))
		}
		d := <-ended
		r.blocks--
		r.running[d.scenario]--
		if ctx.Err() != nil {
			continue // half of a block is none
		}
		if err := r.journal.Append(block(d)); err != nil {
			errs = errors.Join(errs, err)
			continue
		}
		r.proved.Store(true)
		r.tell(d.scenario)
	}
}

// timeFor says whether a block would be done in time, if it takes as long as the others.
func (r *runner) timeFor() bool {
	return time.Now().Add(Took(r.journal)).Before(r.deadline)
}

// AtATime is how many blocks keep all places taken: they have three cells each.
func AtATime(parallel int) int { return max(1, (parallel+2)/3) }

// Took is how long a block took on average; 0 if there is none.
func Took(journal Journal) time.Duration {
	blocks, sum := journal.Blocks(), time.Duration(0)
	for _, played := range blocks {
		sum += played.Took
	}
	return sum / time.Duration(max(1, len(blocks)))
}

// tell says how far the comparison is.
func (r *runner) tell(scenario string) {
	decision := r.Decide(r.journal)
	for _, s := range decision.Scenarios {
		if s.Name == scenario {
			r.log("%s: %s, %s; all together: %s", scenario, english.Plural(len(s.Blocks), "block", ""), s.Word, decision.Word)
		}
	}
}

// begin starts a block: its cells one after the other, as places get free.
func (r *runner) begin(ctx context.Context, name string, ended chan<- done) {
	var scenario harness.Scenario
	for _, s := range r.Scenarios {
		if s.Name == name {
			scenario = s
		}
	}
	seed := r.Seed + uint64(r.begun[name])
	r.blocks++
	r.running[name]++
	r.begun[name]++
	go func() {
		began := time.Now()
		var results [3]run.Result
		var cells sync.WaitGroup
		for i, subject := range []harness.Subject{r.A, r.B, r.A} {
			r.slots <- struct{}{}
			cells.Go(func() {
				defer func() { <-r.slots }()
				if ctx.Err() != nil {
					return
				}
				results[i] = r.play(ctx, run.Cell{Scenario: scenario, Subject: subject}, seed)
				if err := notRun(results[i]); err != nil && !r.proved.Load() && ctx.Err() == nil {
					r.giveUp(fmt.Errorf("%s %w in %s: %w", runNames[i], ErrNotRun, name, err))
				}
			})
		}
		cells.Wait()
		ended <- done{name, seed, results, time.Since(began)}
	}()
}

// runNames are what the three runs of a block are called.
var runNames = [3]string{"A", "B", "A again"}

// notRun says why a cell could not be run; nil if it was.
func notRun(r run.Result) error {
	if r.NotRun != "" {
		return errors.New(r.NotRun)
	}
	return r.Err
}

// block makes a block of three results.
func block(d done) Played {
	p := Played{Took: d.took}
	for i, into := range []*compare.Run{&p.A, &p.B, &p.Again} {
		result := d.results[i]
		p.Dirs[i] = result.Dir
		*into = compare.NewRun(result.Manifest, result.Verdict)
		if err := notRun(result); err != nil {
			*into = compare.Run{Scenario: d.scenario, Seed: d.seed, Result: judge.Unproven, Why: err.Error()}
		}
	}
	return p
}
