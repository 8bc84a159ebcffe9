package scenarios

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/proxychaos/proxychaos/harness"
	"github.com/proxychaos/proxychaos/harness/judge"
	"github.com/proxychaos/proxychaos/harness/recording"
	"github.com/proxychaos/proxychaos/harness/run"
	"github.com/proxychaos/proxychaos/reports"
)

// Cells are results as the reports know them, with what the catalogue expects
// of each. What broke off is red: it stands as unproven, with its error as the
// reason.
func Cells(results []run.Result) []reports.Cell {
	cells := make([]reports.Cell, 0, len(results))
	for _, r := range results {
		cell := reports.Cell{Manifest: r.Manifest, Verdict: r.Verdict, Dir: r.Dir, NotRun: r.NotRun}
		if cell.Manifest.Scenario == "" {
			cell.Manifest.Scenario, cell.Manifest.Summary = r.Scenario.Name, r.Scenario.Summary
			cell.Manifest.Subject = recording.Subject{
				ID: r.Subject.ID(), Kind: string(r.Subject.Kind), Name: r.Subject.Name,
				Role: string(r.Subject.Role), Summary: r.Subject.Summary,
			}
		}
		if r.Err != nil {
			cell.Verdict.Result = judge.Unproven
			cell.Verdict.Reasons = []string{r.Err.Error()}
		}
		cell.Expect = Expectation(cell.Manifest)
		cells = append(cells, cell)
	}
	return cells
}

// CellOutcome is what a process that ran a cell leaves for the one that reports.
type CellOutcome struct {
	Scenario string `json:"scenario"`
	Subject  string `json:"subject"` // its ID
	Dir      string `json:"dir,omitempty"`
	NotRun   string `json:"not_run,omitempty"`
	Err      string `json:"error,omitempty"`
}

// Outcome is the CellOutcome of a result.
func Outcome(r run.Result) CellOutcome {
	o := CellOutcome{Scenario: r.Scenario.Name, Subject: r.Subject.ID(), Dir: r.Dir, NotRun: r.NotRun}
	if r.Err != nil {
		o.Err = r.Err.Error()
	}
	return o
}

// Cell reads the cell back from its recording.
func (o CellOutcome) Cell(asked Request) (reports.Cell, error) {
	r := run.Result{Dir: o.Dir, NotRun: o.NotRun}
	for _, s := range asked.Scenarios {
		if s.Name == o.Scenario {
			r.Scenario = s
		}
	}
	for _, s := range asked.Subjects {
		if s.ID() == o.Subject {
			r.Subject = s
		}
	}
	var err error
	switch {
	case o.Err != "":
		r.Err = errors.New(o.Err)
	case o.NotRun == "":
		r.Manifest, err = recording.ReadManifest(o.Dir)
		err = errors.Join(err, recording.ReadVerdict(o.Dir, &r.Verdict))
	}
	return Cells([]run.Result{r})[0], err
}

// Expectation is what the catalogue says of a run's subject in its scenario;
// nil for a config that is not in it, which has to pass.
func Expectation(m recording.Manifest) *judge.Expectation {
	if m.Subject.Role == string(harness.Own) {
		return nil // whatever it is called
	}
	for _, s := range Subjects() {
		if e, ok := s.Expect[m.Scenario]; ok && s.ID() == m.Subject.ID {
			if m.Plan.Clock == recording.ProductionClock {
				e = onProduction(e)
			}
			return &e
		}
	}
	return nil
}

// Write writes one report file into a folder and returns its path.
func Write(dir, name string, into func(io.Writer) error) (string, error) {
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return path, fmt.Errorf("writing a report: %w", err)
	}
	file, err := os.Create(path)
	if err != nil {
		return path, fmt.Errorf("writing a report: %w", err)
	}
	return path, errors.Join(into(file), file.Close())
}
