//go:build scenario

package suite_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/proxychaos/proxychaos/harness/run"
	"github.com/proxychaos/proxychaos/scenarios"
	"github.com/proxychaos/proxychaos/scenarios/corpus"
	"github.com/proxychaos/proxychaos/scenarios/suite"
)

// base is what all cases share: where recordings go, how many run at a time.
var base, baseErr = scenarios.FromEnvironment(func(name string) (string, bool) {
	switch name {
	case "KIT", "RUNS", "PARALLEL":
		return scenarios.Environment(name)
	}
	return "", false
})

var cases, casesErr = corpus.Read(filepath.Join(suite.Root(), "scenarios", "corpus", "cases"))

// shared is what the first process has opened.
var shared []byte

func TestCorpus(t *testing.T) {
	RegisterFailHandler(Fail)
	RunSpecs(t, "proxychaos corpus")
}

var _ = ReportBeforeSuite(suite.Count)

var _ = SynchronizedBeforeSuite(func(ctx SpecContext) []byte {
	Expect(baseErr).NotTo(HaveOccurred())
	Expect(casesErr).NotTo(HaveOccurred())
	return suite.Open(ctx, base.Options, chosen())
}, func(_ SpecContext, text []byte) { shared = text })

// chosen are the cells of the cases that the label filter leaves.
func chosen() []run.Cell {
	var cells []run.Cell
	for _, c := range cases {
		if r, err := c.Request(scenarios.Environment); err == nil && Label(c.Labels()...).MatchesLabelFilter(GinkgoLabelFilter()) {
			cells = append(cells, r.Cells(r.Scenarios[0])...)
		}
	}
	return cells
}

// entry names what a spec leaves for the table.
const entry = "came"

// One spec is one case.
var _ = Describe("corpus", func() {
	for _, c := range cases {
		It(c.Name, Label(c.Labels()...), func(ctx SpecContext) {
			came := play(ctx, c)
			AddReportEntry(entry, came, ReportEntryVisibilityNever)
			if came.NotRun != "" {
				Skip(came.NotRun)
			}
			if len(came.Wrong) > 0 {
				Fail(strings.Join(append(came.Wrong, "again: make corpus CASE="+c.Name), "\n"))
			}
		})
	}
})

// play runs a case as make would.
func play(ctx SpecContext, c corpus.Case) corpus.Came {
	r, err := c.Request(scenarios.Environment)
	if err != nil {
		return c.Refused(err)
	}
	running := suite.Join(r.Options, shared).Begin(r.Cells(r.Scenarios[0])[0], c.Name)
	DeferCleanup(running.Close)
	return c.Ran(running.Run(ctx))
}

// The table, also of a suite that was interrupted.
var _ = ReportAfterSuite("table", func(report Report) {
	if config, _ := GinkgoConfiguration(); config.DryRun {
		return
	}
	var all []corpus.Came
	for _, spec := range report.SpecReports {
		var came corpus.Came
		if suite.Entry(spec, entry, &came) {
			all = append(all, came)
		}
	}
	out, err := suite.Table()
	Expect(err).NotTo(HaveOccurred())
	if out != os.Stdout {
		defer func() { _ = out.Close() }()
	}
	Expect(corpus.Table(out, cases, all)).To(Succeed())
	path := filepath.Join(suite.Runs(base.Options.Runs), "corpus.md")
	file, err := os.Create(path)
	Expect(err).NotTo(HaveOccurred())
	defer func() { _ = file.Close() }()
	Expect(corpus.Table(file, cases, all)).To(Succeed())
	Expect(suite.Told(report, entry)).To(Succeed())
})
