package scenarios

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/proxychaos/proxychaos/fakealb/cloud"
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
			cell.Manifest.Subject, cell.Manifest.World.Cloud = r.Subject.Recorded(), r.Scenario.World.Cloud
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

// Complaint says why a cell is red, from what, and how it is run again; empty if it is not.
func Complaint(c reports.Cell) string {
	lines := c.Reasons()
	if len(lines) == 0 {
		return ""
	}
	if finding := c.FirstFinding(); finding != "" {
		lines = append(lines, finding)
	}
	if c.Manifest.Replay != "" {
		lines = append(lines, "again: "+c.Manifest.Replay)
	}
	return strings.Join(lines, "\n")
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

// Expectation is what the catalogue says of a run's subject in its scenario; nil for a config
// that is not in it, which has to pass. Of a release that the catalogue does not run a config
// on it says nothing: either verdict is right.
func Expectation(m recording.Manifest) *judge.Expectation {
	if m.Subject.Role == string(harness.Own) {
		return nil // whatever it is called
	}
	known, released := false, false
	for _, s := range Subjects() {
		known = known || string(s.Kind) == m.Subject.Kind && s.Name == m.Subject.Name
		if s.ID() != m.Subject.ID {
			continue
		}
		released = true
		if e, ok := s.Expect[m.Scenario]; ok {
			if m.Plan.Clock == recording.ProductionClock {
				e = onProduction(e)
			}
			if m.World.Cloud != "" {
				e = onAnotherCloud(e, cloud.Name(m.World.Cloud))
				if m.Scenario == ALBIPAbrupt.Name && healsAtOneAddress(s) {
					e.Verdict = judge.Either
				}
			}
			return &e
		}
	}
	if known && !released {
		return &judge.Expectation{Verdict: judge.Either}
	}
	return nil
}

// File is a report, in one file.
type File struct {
	Name  string
	Write func(path string) error
}

// Files are the reports of a run.
func Files(suite reports.Suite) []File {
	return []File{
		{"report.html", Into(func(w io.Writer) error { return reports.HTML(w, reports.Page{Cells: suite.Cells}) })},
		{ReportJSON, Into(func(w io.Writer) error { return reports.JSON(w, suite) })},
		{"report.md", Into(func(w io.Writer) error { return reports.Markdown(w, suite) })},
	}
}

// Into is for a report that is written to an open file.
func Into(report func(io.Writer) error) func(path string) error {
	return func(path string) error {
		file, err := os.Create(path) //nolint:gosec // the caller's choice
		if err != nil {
			return err
		}
		return errors.Join(report(file), file.Close())
	}
}

// Wrote says in a line where the reports are.
func Wrote(folder string, files []File) string {
	line := "wrote " + filepath.Join(folder, files[0].Name)
	var beside []string
	for _, f := range files[1:] {
		beside = append(beside, f.Name)
	}
	if len(beside) > 0 {
		line += "; beside it: " + strings.Join(beside, ", ")
	}
	return line
}

// reportsFolder has the reports of all runs, one folder for each, beside the recordings.
const reportsFolder = "reports"

// Write writes the reports of one run to <runs>/reports/<UTC stamp> and returns that
// folder. The reports of earlier runs stay: a link of the file's name in runs leads to
// the last one of that name.
func Write(runs string, files ...File) (string, error) {
	folder, err := recording.NewFolder(filepath.Join(runs, reportsFolder), time.Now())
	if err != nil {
		return folder, fmt.Errorf("make a folder for the reports: %w", err)
	}
	errs := []error{recording.Link(folder, filepath.Join(runs, reportsFolder, recording.LatestLink))}
	for _, file := range files {
		path := filepath.Join(folder, file.Name)
		if err := file.Write(path); err != nil {
			errs = append(errs, fmt.Errorf("write the report %s: %w", path, err))
			continue
		}
		errs = append(errs, recording.Link(path, filepath.Join(runs, file.Name)))
	}
	return folder, errors.Join(errs...)
}
