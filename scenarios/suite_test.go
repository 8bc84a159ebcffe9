//go:build scenario

package scenarios_test

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/proxychaos/proxychaos/harness"
	"github.com/proxychaos/proxychaos/harness/run"
	"github.com/proxychaos/proxychaos/reports"
	"github.com/proxychaos/proxychaos/scenarios"
)

func TestScenarios(t *testing.T) {
	if asked.err != nil {
		fmt.Fprintln(os.Stderr, asked.err)
		os.Exit(2)
	}
	RegisterFailHandler(Fail)
	RunSpecs(t, "proxychaos scenarios")
}

// asked is what the environment asks for. It is read before the specs are
// made, since they are made from it.
var asked = readRequest()

type request struct {
	options   run.Options
	scenarios []harness.Scenario
	subjects  []harness.Subject
	floor     int // of cells that have to run
	err       error
}

func readRequest() (r request) {
	r.options, r.scenarios, r.subjects, r.err = scenarios.FromEnvironment(os.LookupEnv)
	if text := os.Getenv("FLOOR"); text != "" && r.err == nil {
		r.floor, r.err = strconv.Atoi(text)
	}
	return r
}

var (
	lab  *run.Lab
	done []reports.Cell // of all scenarios, for the page
)

var _ = BeforeSuite(func(ctx SpecContext) {
	fmt.Println() // Ginkgo has left its own line unfinished
	var err error
	lab, err = run.Open(ctx, asked.options)
	DeferCleanup(func() error { return lab.Close() })
	Expect(err).NotTo(HaveOccurred())
})

var _ = AfterSuite(func() {
	if len(done) == 0 {
		return
	}
	fmt.Println()
	var summary strings.Builder
	Expect(reports.Markdown(&summary, done)).To(Succeed())
	if path := os.Getenv("GITHUB_STEP_SUMMARY"); path != "" {
		Expect(os.WriteFile(path, []byte(summary.String()), 0o600)).To(Succeed())
	}
	for name, into := range map[string]func(io.Writer) error{
		"report.html": func(w io.Writer) error { return reports.HTML(w, reports.Page{Cells: done}) },
		"junit.xml":   func(w io.Writer) error { return reports.JUnit(w, done) },
		"report.json": func(w io.Writer) error { return reports.JSON(w, done) },
	} {
		path, err := scenarios.Write(asked.options.Runs, name, into)
		Expect(err).NotTo(HaveOccurred())
		fmt.Println("wrote", path)
	}
	Expect(reports.Count(done).Run).To(BeNumerically(">=", asked.floor), "cells that ran: fewer than FLOOR prove too little")
})

// Each scenario runs all its cells first, several at a time, and has then one
// spec a cell, which holds the verdict against the catalogue.
var _ = Describe("scenario", func() {
	for _, scenario := range asked.scenarios {
		Describe(scenario.Name, Ordered, ContinueOnFailure, func() {
			var results []run.Result
			BeforeAll(func(ctx SpecContext) {
				var cells []run.Cell
				for _, s := range asked.subjects {
					cells = append(cells, run.Cell{Scenario: scenario, Subject: s})
				}
				results = lab.Run(ctx, cells)
				shown := scenarios.Cells(results)
				done = append(done, shown...)
				if slices.ContainsFunc(results, func(r run.Result) bool { return r.Err == nil }) {
					fmt.Println()
					Expect(reports.Table(os.Stdout, shown)).To(Succeed())
				}
			})
			for i, subject := range asked.subjects {
				It(subject.ID(), func() {
					r := results[i]
					if r.NotRun != "" {
						Skip(r.NotRun)
					}
					if r.Err != nil {
						Fail(r.Err.Error())
					}
					cell := scenarios.Cells([]run.Result{r})[0]
					if reasons := cell.Reasons(); len(reasons) > 0 {
						Fail(strings.Join(reasons, "\n") + "\n" + cell.FirstFinding() + "\nagain: " + r.Manifest.Replay)
					}
				})
			}
		})
	}
})
