//go:build scenario

package suite_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	. "github.com/onsi/ginkgo/v2"
	"github.com/onsi/ginkgo/v2/types"
	. "github.com/onsi/gomega"

	"github.com/proxychaos/proxychaos/harness"
	"github.com/proxychaos/proxychaos/harness/run"
	"github.com/proxychaos/proxychaos/reports"
	"github.com/proxychaos/proxychaos/scenarios"
)

// asked is what the environment asks for. It is read before the specs are
// made, since they are made from it.
var asked, askedErr = scenarios.FromEnvironment(os.LookupEnv)

// lab is this process's part of what all cells share.
var lab *run.Lab

func TestScenarios(t *testing.T) {
	if askedErr != nil {
		fmt.Fprintln(os.Stderr, askedErr)
		os.Exit(2)
	}
	RegisterFailHandler(Fail)
	RunSpecs(t, "proxychaos scenarios")
}

// The first process opens the engine, makes the image of the agents and starts the
// reaper; the others join it.
var _ = SynchronizedBeforeSuite(func(ctx SpecContext) []byte {
	first, err := run.Open(ctx, options())
	DeferCleanup(first.Close)
	Expect(err).NotTo(HaveOccurred())
	shared, err := json.Marshal(first.Shared())
	Expect(err).NotTo(HaveOccurred())
	go first.Fetch(context.WithoutCancel(ctx), chosen()) // each cell waits for its own image
	return shared
}, func(_ SpecContext, text []byte) {
	var shared run.Shared
	Expect(json.Unmarshal(text, &shared)).To(Succeed())
	var err error
	lab, err = run.Join(options(), shared)
	DeferCleanup(lab.Close)
	Expect(err).NotTo(HaveOccurred())
})

// root is the folder of the checkout, where make puts recordings and programs; the
// current one if this is none.
func root() string {
	dir, err := os.Getwd()
	Expect(err).NotTo(HaveOccurred())
	for at := dir; at != filepath.Dir(at); at = filepath.Dir(at) {
		if _, err := os.Stat(filepath.Join(at, "go.mod")); err == nil {
			return at
		}
	}
	return dir
}

// runs is the folder of the recordings.
func runs() string {
	if filepath.IsAbs(asked.Options.Runs) {
		return asked.Options.Runs
	}
	return filepath.Join(root(), asked.Options.Runs)
}

// options are what the environment asks for, with the progress where it can be read
// while the suite runs: Ginkgo keeps what parallel processes print until the end.
func options() run.Options {
	opt := asked.Options
	opt.Runs = runs()
	if path := os.Getenv("PROGRESS"); path != "" {
		progress, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(progress.Close)
		opt.Log = progress
	}
	return opt
}

// chosen are the cells that the label filter leaves.
func chosen() []run.Cell {
	var cells []run.Cell
	for _, scenario := range asked.Scenarios {
		for _, cell := range asked.Cells(scenario) {
			labels := append(scenarios.Labels(scenario), scenarios.SubjectLabels(cell.Subject)...)
			if Label(labels...).MatchesLabelFilter(GinkgoLabelFilter()) {
				cells = append(cells, cell)
			}
		}
	}
	return cells
}

// One spec is one cell: a scenario on a subject.
var _ = func() bool {
	var all []run.Cell
	for _, scenario := range asked.Scenarios {
		all = append(all, asked.Cells(scenario)...)
	}
	label := run.Labels(all)
	for _, scenario := range asked.Scenarios {
		cells := asked.Cells(scenario)
		if len(cells) == 0 {
			continue
		}
		Describe(scenario.Name, Label(scenarios.Labels(scenario)...), func() {
			for _, cell := range cells {
				It(cell.Subject.ID(), Label(scenarios.SubjectLabels(cell.Subject)...), func(ctx SpecContext) { runCell(ctx, cell, label(cell)) })
			}
		})
	}
	return true
}()

// entry names what a spec leaves for the reports.
const entry = "cell"

// runCell is green if the cell comes to what the catalogue expects.
func runCell(ctx SpecContext, cell run.Cell, label string) {
	running := lab.Begin(cell, label)
	DeferCleanup(running.Close)
	result := running.Run(ctx)
	AddReportEntry(entry, scenarios.Outcome(result), ReportEntryVisibilityNever)
	if result.NotRun != "" {
		Skip(result.NotRun)
	}
	if result.Err != nil {
		Fail(result.Err.Error())
	}
	shown := scenarios.Cells([]run.Result{result})[0]
	if reasons := shown.Reasons(); len(reasons) > 0 {
		Fail(strings.Join(append(reasons, shown.FirstFinding(), "again: "+result.Manifest.Replay), "\n"))
	}
}

// The table, and the files that are read afterwards, also of a suite that was
// interrupted.
var _ = ReportAfterSuite("reports", func(report Report) {
	if config, _ := GinkgoConfiguration(); config.DryRun {
		return
	}
	cells := cellsOf(report)
	Expect(show(cells)).To(Succeed())
	if report.SpecialSuiteFailureReasons == nil {
		Expect(reports.Count(cells).Run).To(BeNumerically(">=", asked.Floor), "cells that ran; fewer than FLOOR are red")
	}
})

// cellsOf are the cells that the specs left, in the order of the catalogue.
func cellsOf(report types.Report) []reports.Cell {
	var found []scenarios.CellOutcome
	for _, spec := range report.SpecReports {
		for _, e := range spec.ReportEntries {
			if e.Name != entry {
				continue
			}
			var outcome scenarios.CellOutcome
			Expect(json.Unmarshal([]byte(jsonOf(e.Value)), &outcome)).To(Succeed())
			found = append(found, outcome)
		}
	}
	slices.SortStableFunc(found, func(a, b scenarios.CellOutcome) int { return place(a) - place(b) })
	var cells []reports.Cell
	for _, outcome := range found {
		cell, err := outcome.Cell(asked)
		Expect(err).NotTo(HaveOccurred())
		cells = append(cells, cell)
	}
	return cells
}

// jsonOf is the value of an entry, whether it comes from this process or another.
func jsonOf(value types.ReportEntryValue) string {
	if value.AsJSON != "" {
		return value.AsJSON
	}
	text, err := json.Marshal(value.GetRawValue())
	Expect(err).NotTo(HaveOccurred())
	return string(text)
}

// place is where a cell stands in the catalogue.
func place(outcome scenarios.CellOutcome) int {
	scenario := slices.IndexFunc(asked.Scenarios, func(s harness.Scenario) bool { return s.Name == outcome.Scenario })
	subject := slices.IndexFunc(asked.Subjects, func(s harness.Subject) bool { return s.ID() == outcome.Subject })
	return scenario*len(asked.Subjects) + subject
}

// tableFile is where the table goes: Ginkgo frames what is printed here.
func tableFile() (*os.File, error) {
	if path := os.Getenv("TABLE"); path != "" {
		return os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	}
	return os.Stdout, nil
}

// show prints the table and writes what is read afterwards.
func show(cells []reports.Cell) error {
	if len(cells) == 0 {
		return nil
	}
	out, err := tableFile()
	if err != nil {
		return err
	}
	if out != os.Stdout {
		defer func() { _ = out.Close() }()
	}
	fmt.Fprintln(out)
	errs := []error{reports.Table(out, cells)}
	for _, file := range []struct {
		name string
		into func(io.Writer) error
	}{
		{"report.html", func(w io.Writer) error { return reports.HTML(w, reports.Page{Cells: cells}) }},
		{"report.json", func(w io.Writer) error { return reports.JSON(w, cells) }},
		{"report.md", func(w io.Writer) error { return reports.Markdown(w, cells) }},
	} {
		path, err := scenarios.Write(runs(), file.name, file.into)
		errs = append(errs, err)
		fmt.Fprintln(out, "wrote", path)
	}
	return errors.Join(errs...)
}
