package scenarios

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/proxychaos/proxychaos/harness"
	"github.com/proxychaos/proxychaos/harness/judge"
	"github.com/proxychaos/proxychaos/harness/recording"
	"github.com/proxychaos/proxychaos/reports"
)

// ReportJSON is the report for programs.
const ReportJSON = "report.json"

// ErrNoReport is the error of Stored for a folder that has recordings and no report of them.
var ErrNoReport = errors.New("it has no " + ReportJSON + ", so its run was killed or is still going on")

// Stored reads the cells of a run back from the folder of its recordings, which may have been
// moved, or from one of the folders of reports in it. Of a run that was killed, and so made no
// report, it returns the cells that were recorded to their end, and ErrNoReport.
func Stored(dir string) ([]reports.Cell, error) {
	path := filepath.Join(dir, ReportJSON)
	text, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		cells, err := recorded(dir)
		if err == nil {
			err = fmt.Errorf("%s: %w", dir, ErrNoReport)
		}
		return cells, err
	}
	if err != nil {
		return nil, err
	}
	var s reports.Summary
	if err := json.Unmarshal(text, &s); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if s.Schema < 1 || s.Schema > reports.SummarySchema {
		return nil, fmt.Errorf("%s: got a report of schema %d, want 1 to %d: it is of another version of proxychaos", path, s.Schema, reports.SummarySchema)
	}
	runs, err := runsOf(path)
	if err != nil {
		return nil, err
	}
	cells := make([]reports.Cell, 0, len(s.Cells))
	for _, c := range s.Cells {
		cell, err := storedCell(runs, c)
		if err != nil {
			return nil, fmt.Errorf("%s: %s %s: %w", path, c.Scenario, c.Subject, err)
		}
		cells = append(cells, cell)
	}
	return cells, nil
}

// runsOf is the folder of the recordings of a report. The report may be a link there, or a copy.
func runsOf(path string) (string, error) {
	file, err := filepath.EvalSymlinks(path)
	dir := filepath.Dir(file)
	if filepath.Base(filepath.Dir(dir)) == reportsFolder {
		return filepath.Dir(filepath.Dir(dir)), err
	}
	return dir, err
}

// storedCell reads the recording of a cell. What broke off has none that was judged: what the
// report says of it is all.
func storedCell(runs string, c reports.CellSummary) (reports.Cell, error) {
	cell := reports.Cell{NotRun: c.NotRun}
	dir := filepath.Join(runs, c.Scenario, filepath.FromSlash(c.Subject), filepath.Base(c.Dir))
	if c.Dir != "" && c.State != reports.NotRun {
		var err error
		if cell, err = readCell(dir); err == nil {
			return cell, nil
		}
		if !errors.Is(err, os.ErrNotExist) || c.State != reports.Unproven {
			return cell, err
		}
	}
	if c.State != reports.NotRun {
		cell.Verdict = judge.Verdict{Result: judge.Unproven, Reasons: c.Why}
		if len(c.Why) == 0 { // a report of schema 1
			cell.Verdict.Reasons = c.Reasons
		}
	}
	named(&cell.Manifest, c.Scenario, c.Subject)
	cell.Manifest.World.Cloud = c.Cloud
	cell.Manifest.Image.Version, cell.Manifest.Image.Digest = c.Version, c.Digest
	cell.Expect = Expectation(cell.Manifest)
	return cell, nil
}

// readCell reads a recording that was judged.
func readCell(dir string) (reports.Cell, error) {
	m, err := recording.ReadManifest(dir)
	if err != nil {
		return reports.Cell{}, err
	}
	cell := reports.Cell{Manifest: m, Dir: dir, Expect: Expectation(m)}
	return cell, recording.ReadVerdict(dir, &cell.Verdict)
}

// named fills in what the catalogue knows of a cell that left no manifest.
func named(m *recording.Manifest, scenario, subject string) {
	m.Scenario, m.Subject.ID = scenario, subject
	if s, err := Named(scenario); err == nil {
		m.Summary = s.Summary
	}
	if s, err := Catalogued(subject); err == nil {
		m.Subject = s.Recorded()
	}
}

// recorded are the cells below a folder that were judged, of each the last.
func recorded(dir string) ([]reports.Cell, error) {
	last := map[string]string{} // the newest stamp, by the folder of its cell
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && entry.Name() == recording.VerdictFile {
			run := filepath.Dir(path)
			last[filepath.Dir(run)] = max(last[filepath.Dir(run)], filepath.Base(run))
		}
		return err
	})
	var cells []reports.Cell
	for of, stamp := range last {
		cell, readErr := readCell(filepath.Join(of, stamp))
		if err = errors.Join(err, readErr); readErr == nil {
			cells = append(cells, cell)
		}
	}
	inOrder(cells)
	return cells, err
}

// inOrder sorts cells as the catalogue has them.
func inOrder(cells []reports.Cell) {
	subjects := Subjects()
	place := func(c reports.Cell) (scenario, subject int) {
		return slices.IndexFunc(All, func(s harness.Scenario) bool { return s.Name == c.Manifest.Scenario }),
			slices.IndexFunc(subjects, func(s harness.Subject) bool { return s.ID() == c.Manifest.Subject.ID })
	}
	slices.SortStableFunc(cells, func(x, y reports.Cell) int {
		scenarioX, subjectX := place(x)
		scenarioY, subjectY := place(y)
		return cmp.Or(cmp.Compare(scenarioX, scenarioY), cmp.Compare(subjectX, subjectY))
	})
}
