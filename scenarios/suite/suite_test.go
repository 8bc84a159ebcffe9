//go:build scenario

package suite_test

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"testing"

	. "github.com/onsi/ginkgo/v2"
	"github.com/onsi/ginkgo/v2/types"
	. "github.com/onsi/gomega"

	"github.com/proxychaos/proxychaos/harness"
	"github.com/proxychaos/proxychaos/harness/run"
	"github.com/proxychaos/proxychaos/reports"
	"github.com/proxychaos/proxychaos/scenarios"
	"github.com/proxychaos/proxychaos/scenarios/junit"
	"github.com/proxychaos/proxychaos/scenarios/suite"
)

// asked is what the environment asks for. It is read before the specs are
// made, since they are made from it.
var asked, askedErr = scenarios.FromEnvironment(scenarios.Environment)

// lab is this process's part of what all cells share.
var lab *run.Lab

func TestScenarios(t *testing.T) {
	if askedErr != nil {
		fmt.Fprintln(os.Stderr, askedErr)
		os.Exit(2)
	}
	asked.Options.Shown = true // by the table
	RegisterFailHandler(Fail)
	RunSpecs(t, "proxychaos scenarios")
}

var _ = ReportBeforeSuite(suite.Count)

// The first process opens the engine, makes the image of the agents and starts the
// reaper; the others join it.
var _ = SynchronizedBeforeSuite(func(ctx SpecContext) []byte {
	return suite.Open(ctx, asked.Options, chosen())
}, func(_ SpecContext, text []byte) {
	lab = suite.Join(asked.Options, text)
})

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
		Describe(scenario.World.Titled(scenario.Name), Label(scenarios.Labels(scenario)...), func() {
			for _, cell := range cells {
				It(cell.Subject.ID(), Label(scenarios.SubjectLabels(cell.Subject)...), func(ctx SpecContext) { runCell(ctx, cell, label(cell)) })
			}
		})
	}
	return true
}()

// entry names what a spec leaves for the reports.
const entry = "cell"

// runCell is green if the result of the cell is what the catalogue expects.
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
	if wrong := scenarios.Complaint(scenarios.Cells([]run.Result{result})[0]); wrong != "" {
		Fail(wrong)
	}
}

// The table, and the files that are read afterwards, also of a suite that was
// interrupted.
var _ = ReportAfterSuite("reports", func(report Report) {
	if config, _ := GinkgoConfiguration(); config.DryRun {
		return
	}
	cells := cellsOf(report)
	whole := reports.Suite{Cells: cells}
	if len(report.SpecialSuiteFailureReasons) == 0 {
		whole = asked.Suite(cells)
	}
	Expect(show(whole, junit.File(report, whole.Wrong()))).To(Succeed())
	Expect(whole.Wrong()).NotTo(HaveOccurred())
	Expect(suite.Told(report, entry)).To(Succeed())
})

// cellsOf are the cells that the specs left, in the order of the catalogue.
func cellsOf(report types.Report) []reports.Cell {
	var found []scenarios.CellOutcome
	for _, spec := range report.SpecReports {
		var outcome scenarios.CellOutcome
		if suite.Entry(spec, entry, &outcome) {
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

// place is where a cell stands in the catalogue.
func place(outcome scenarios.CellOutcome) int {
	scenario := slices.IndexFunc(asked.Scenarios, func(s harness.Scenario) bool { return s.Name == outcome.Scenario })
	subject := slices.IndexFunc(asked.Subjects, func(s harness.Subject) bool { return s.ID() == outcome.Subject })
	return scenario*len(asked.Subjects) + subject
}

// show prints the table and writes what is read afterwards.
func show(whole reports.Suite, tests scenarios.File) error {
	files, runs := append(scenarios.Files(whole), tests), suite.Runs(asked.Options.Runs)
	if len(whole.Cells) == 0 { // what went wrong before the first is in the JUnit file
		_, err := scenarios.Write(runs, tests)
		return err
	}
	out, err := suite.Table()
	if err != nil {
		return err
	}
	if out != os.Stdout {
		defer func() { _ = out.Close() }()
	}
	fmt.Fprintln(out)
	err = errors.Join(reports.Table(out, whole.Cells), whole.Remarks(out))
	folder, writeErr := scenarios.Write(runs, files...)
	fmt.Fprintln(out, scenarios.Wrote(folder, files))
	return errors.Join(err, writeErr)
}
