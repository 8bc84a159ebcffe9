package claims

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/proxychaos/proxychaos/harness"
	"github.com/proxychaos/proxychaos/harness/judge"
	"github.com/proxychaos/proxychaos/harness/kind"
	"github.com/proxychaos/proxychaos/harness/recording"
	"github.com/proxychaos/proxychaos/harness/run"
	"github.com/proxychaos/proxychaos/harness/wayin"
	"github.com/proxychaos/proxychaos/scenarios"
)

// Task is an experiment on one release: a cell, as `make scenario` would run it.
type Task struct {
	// Name is the claim and the name of its run there; those of the first, if several claims
	// have the same.
	Name string
	Experiment
	Release string
	cell    run.Cell
	options run.Options
}

// Tasks are the experiments of the claims on their releases, each once. The configurations
// of the claims are written below the folder of the recordings, so that the line that runs a
// cell again finds them. common are the words that all share.
func Tasks(all []Claim, common func(string) (string, bool)) ([]Task, error) {
	var tasks []Task
	planned := map[string]bool{}
	add := func(c Claim, name string, e Experiment, release string) error {
		key := e.Key() + "@" + release
		if planned[key] {
			return nil
		}
		planned[key] = true
		t := Task{Name: c.ID + "/" + name, Experiment: e, Release: release}
		err := t.plan(common)
		tasks = append(tasks, t)
		if err != nil {
			return fmt.Errorf("claim %s, run %s: %w", c.ID, name, err)
		}
		return nil
	}
	for _, c := range all {
		for _, release := range c.releases() {
			for _, name := range c.names() {
				if err := add(c, name, c.Runs[name], release); err != nil {
					return tasks, err // one is enough: a wrong word is wrong for all
				}
			}
		}
		for _, name := range c.besideNames() {
			if err := add(c, name, c.Beside[name], c.usual()); err != nil {
				return tasks, err
			}
		}
	}
	return tasks, nil
}

// plan makes the cell of a task.
func (t *Task) plan(common func(string) (string, bool)) error {
	runs, ok := common("RUNS")
	if !ok {
		runs = "runs"
	}
	runs = filepath.Join(runs, "claims", filepath.FromSlash(t.Name))
	own := map[string]string{"NAME": t.Scenario, "PROXY": string(t.Proxy), "RELEASE": t.Release}
	if t.Subject != "" {
		own["SUBJECT"] = t.Subject
		if t.Release != "" && t.Release != harness.Stable {
			own["SUBJECT"] += "@" + t.Release
		}
	} else {
		config, err := t.write(filepath.Join(runs, "config"))
		if err != nil {
			return err
		}
		own["CONFIG"] = config
	}
	maps.Copy(own, t.Variables)
	asked, err := scenarios.FromEnvironment(func(word string) (string, bool) {
		if value, ok := own[word]; ok {
			return value, true
		}
		return common(word)
	})
	if err != nil {
		return err
	}
	cells := asked.Cells(asked.Scenarios[0])
	if len(cells) != 1 {
		return fmt.Errorf("%s makes %d cells, want one", t.Experiment, len(cells))
	}
	t.cell, t.options = cells[0], asked.Options
	t.options.Runs = runs
	if len(t.Timeline) > 0 {
		t.cell.Scenario = t.retimed(t.cell.Scenario)
		t.options.Claim, _, _ = strings.Cut(t.Name, "/")
	}
	return t.cell.Scenario.Check()
}

// write puts the claim's configuration into a folder, and names what CONFIG= is: the file, if
// there is one only, or the folder.
func (t *Task) write(dir string) (string, error) {
	for name, text := range t.Config {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
			return "", err
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			return "", err
		}
	}
	if len(t.Config) > 1 {
		return dir, nil
	}
	for name := range t.Config {
		dir = filepath.Join(dir, filepath.FromSlash(name))
	}
	return dir, nil
}

// Came is the result of a task.
type Came struct {
	Task
	Stored Stored
	// Err says why there is nothing to store: the run was unproven or broke off, or could not
	// be run here.
	Err error
}

// ErrNotRun says that there is no image of the release here, which is neither red nor green.
var ErrNotRun = errors.New("not run")

// Run runs the tasks, so many at a time, on a lab.
func Run(ctx context.Context, lab *run.Lab, tasks []Task, parallel int) []Came {
	came := make([]Came, len(tasks))
	lab.Fetch(ctx, cellsOf(tasks))
	lab.Expect(len(tasks), parallel)
	var group errgroup.Group
	group.SetLimit(max(1, parallel))
	for i, t := range tasks {
		group.Go(func() error {
			running := lab.BeginAs(t.cell, t.options, t.label())
			result := running.Run(ctx)
			came[i] = t.came(result, running.Close())
			return nil
		})
	}
	_ = group.Wait() // every error is in its task
	return came
}

func cellsOf(tasks []Task) []run.Cell {
	var cells []run.Cell
	for _, t := range tasks {
		cells = append(cells, t.cell)
	}
	return cells
}

// label is the task's name in the progress.
func (t Task) label() string {
	text := t.Name
	if t.Release != "" {
		text += "@" + t.Release
	}
	return fmt.Sprintf("%-36s", text)
}

// came takes the figures of a result.
func (t Task) came(r run.Result, closing error) Came {
	m := r.Manifest
	c := Came{Task: t, Stored: Stored{
		Experiment: t.Key(), Version: m.Image.Version, Image: m.Image.Source,
		Commit: m.Tool.Commit, Day: m.Began.Format("2006-01-02"), Seed: m.Plan.Seed,
	}}
	var rejected *run.ConfigError
	var noWay *wayin.NoWayError
	switch {
	case closing != nil:
		c.Err = closing
	case r.NotRun != "":
		c.Err = fmt.Errorf("%w: %s", ErrNotRun, r.NotRun)
	case errors.As(r.Err, &rejected):
		c.Stored.Took = Figures{Result: Rejected, Words: rejected.Words}
	case errors.As(r.Err, &noWay):
		c.Stored.Took = Figures{Result: Unreachable, Words: tried(noWay)}
	case r.Err != nil:
		c.Err = r.Err
	case r.Verdict.Result == judge.Unproven:
		c.Err = errors.New("unproven: " + cmp.Or(slices.Concat(r.Verdict.Reasons, []string{""})...))
	default:
		recorded, err := recording.Open(r.Dir)
		if err != nil {
			c.Err = err
			return c
		}
		c.Stored.Took = measure(r.Verdict, recorded)
	}
	return c
}

// tried is the result at the first port, without the advice for users.
func tried(err *wayin.NoWayError) string {
	lines := strings.Split(err.Error(), "\n")
	return strings.TrimSpace(lines[min(1, len(lines)-1)])
}

// usual is the release on which experiments are run if no other is named.
func (c Claim) usual() string {
	for _, e := range c.experiments() {
		if k, err := kind.Of(e.Proxy); err == nil {
			return k.Usual
		}
	}
	return harness.Stable
}
