//go:build scenario

package scenarios_test

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/proxychaos/proxychaos/harness/recording"
	"github.com/proxychaos/proxychaos/harness/run"
	"github.com/proxychaos/proxychaos/reports"
)

// reportCell is a result as the reports know it. What broke off is red: it
// stands as unproven, with its error as the reason.
func reportCell(r run.Result) reports.Cell {
	cell := reports.Cell{Manifest: r.Manifest, Verdict: r.Verdict, Dir: r.Dir, NotRun: r.NotRun}
	if cell.Manifest.Scenario == "" {
		cell.Manifest.Scenario, cell.Manifest.Summary = r.Scenario.Name, r.Scenario.Summary
		cell.Manifest.Subject = recording.Subject{
			ID: r.Subject.ID(), Kind: string(r.Subject.Kind), Name: r.Subject.Name,
			Role: string(r.Subject.Role), Summary: r.Subject.Summary,
		}
	}
	if r.Err != nil {
		cell.Verdict.Result = "unproven"
		cell.Verdict.Reasons = []string{r.Err.Error()}
	}
	if e, ok := r.Subject.Expect[r.Scenario.Name]; ok {
		want := reports.Expectation(e)
		cell.Expect = &want
	}
	return cell
}

func reportCells(results []run.Result) []reports.Cell {
	cells := make([]reports.Cell, 0, len(results))
	for _, r := range results {
		cells = append(cells, reportCell(r))
	}
	return cells
}

// writeReports writes the page and what machines read beside the recordings.
func writeReports(cells []reports.Cell) error {
	write := func(name string, into func(io.Writer) error) error {
		path := filepath.Join(asked.options.Runs, name)
		file, err := os.Create(path)
		if err != nil {
			return fmt.Errorf("writing a report: %w", err)
		}
		err = errors.Join(into(file), file.Close())
		if err == nil {
			fmt.Fprintln(os.Stdout, "wrote", path)
		}
		return err
	}
	return errors.Join(
		write("report.html", func(w io.Writer) error { return reports.HTML(w, reports.Page{Cells: cells}) }),
	)
}
