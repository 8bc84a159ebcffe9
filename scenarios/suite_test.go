//go:build scenario

package scenarios_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"testing"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/proxychaos/proxychaos/harness/run"
	"github.com/proxychaos/proxychaos/reports"
	"github.com/proxychaos/proxychaos/scenarios"
)

// asked is what the environment asks for. It is read before the specs are
// made, since they are made from it.
var asked, askedErr = scenarios.FromEnvironment(os.LookupEnv)

// results are those of each scenario, in the order of asked.Cells.
var results = map[string][]run.Result{}

// TestScenarios runs every cell, several at a time, shows what came of them,
// and then has one spec a cell hold the verdict against the catalogue. The
// cells run before Ginkgo does: it would answer an interrupt with the stacks of
// all goroutines, where a user wants the cells that were done.
func TestScenarios(t *testing.T) {
	if askedErr != nil {
		fmt.Fprintln(os.Stderr, askedErr)
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	fmt.Println() // Ginkgo's command has left its own line unfinished
	cells, err := runCells(ctx)
	err = errors.Join(err, show(cells))
	if ctx.Err() != nil {
		fmt.Fprintln(os.Stderr, "interrupted; everything that was started is removed")
		os.Exit(130)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	RegisterFailHandler(Fail)
	RunSpecs(t, "proxychaos scenarios")
}

// runCells runs the cells of all scenarios as one list, so that no place stands
// empty while the last cells of a scenario end.
func runCells(ctx context.Context) (shown []reports.Cell, err error) {
	lab, err := run.Open(ctx, asked.Options)
	defer func() { err = errors.Join(err, lab.Close()) }()
	if err != nil {
		return nil, err
	}
	var cells []run.Cell
	for _, scenario := range asked.Scenarios {
		cells = append(cells, asked.Cells(scenario)...)
	}
	ran := lab.Run(ctx, cells)
	for _, r := range ran {
		name := r.Scenario.Name
		results[name] = append(results[name], r)
	}
	return scenarios.Cells(ran), nil
}

// show prints the table and writes what is read afterwards.
func show(cells []reports.Cell) error {
	if len(cells) == 0 {
		return nil
	}
	fmt.Println()
	errs := []error{reports.Table(os.Stdout, cells)}
	for _, file := range []struct {
		name string
		into func(io.Writer) error
	}{
		{"report.html", func(w io.Writer) error { return reports.HTML(w, reports.Page{Cells: cells}) }},
		{"report.json", func(w io.Writer) error { return reports.JSON(w, cells) }},
		{"report.md", func(w io.Writer) error { return reports.Markdown(w, cells) }},
		{"junit.xml", func(w io.Writer) error { return reports.JUnit(w, cells) }},
	} {
		path, err := scenarios.Write(asked.Options.Runs, file.name, file.into)
		errs = append(errs, err)
		fmt.Println("wrote", path)
	}
	return errors.Join(errs...)
}

var _ = Describe("scenario", func() {
	for _, scenario := range asked.Scenarios {
		Describe(scenario.Name, func() {
			for i, cell := range asked.Cells(scenario) {
				It(cell.Subject.ID(), func() { judgeCell(results[scenario.Name][i]) })
			}
		})
	}
	It("ran enough cells to prove something", func() {
		ran := 0
		for _, of := range results {
			ran += reports.Count(scenarios.Cells(of)).Run
		}
		Expect(ran).To(BeNumerically(">=", asked.Floor), "cells that ran; fewer than FLOOR are red")
	})
})

// judgeCell is green where the cell came to what the catalogue expects.
func judgeCell(r run.Result) {
	if r.NotRun != "" {
		Skip(r.NotRun)
	}
	if r.Err != nil {
		Fail(r.Err.Error())
	}
	cell := scenarios.Cells([]run.Result{r})[0]
	if reasons := cell.Reasons(); len(reasons) > 0 {
		Fail(strings.Join(append(reasons, cell.FirstFinding(), "again: "+r.Manifest.Replay), "\n"))
	}
}
