package junit_test

import (
	"encoding/xml"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/onsi/ginkgo/v2/reporters"
	. "github.com/onsi/gomega"

	"github.com/proxychaos/proxychaos/harness/judge"
	"github.com/proxychaos/proxychaos/harness/recording"
	"github.com/proxychaos/proxychaos/reports"
	"github.com/proxychaos/proxychaos/scenarios/junit"
)

// read writes the file of some cells and reads it again.
func read(t *testing.T, cells []reports.Cell, wrong error) reporters.JUnitTestSuite {
	t.Helper()
	g := NewWithT(t)
	path := filepath.Join(t.TempDir(), "junit.xml")
	g.Expect(junit.File(junit.Of(cells, time.Now()), wrong).Write(path)).To(Succeed())
	text, err := os.ReadFile(path)
	g.Expect(err).NotTo(HaveOccurred())
	var all reporters.JUnitTestSuites
	g.Expect(xml.Unmarshal(text, &all)).To(Succeed())
	g.Expect(all.TestSuites).To(HaveLen(1))
	return all.TestSuites[0]
}

func cell(subject string, c reports.Cell) reports.Cell {
	c.Manifest.Scenario, c.Manifest.Subject.ID = "alb-ip-rotate", subject
	return c
}

// Each cell is a test of the name that Ginkgo gives to its spec, with what is wrong with it.
func TestCells(t *testing.T) {
	g := NewWithT(t)
	began := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	suite := read(t, []reports.Cell{
		cell("nginx/variable", reports.Cell{
			Manifest: recording.Manifest{Began: began, Ended: began.Add(20 * time.Second)},
			Verdict:  judge.Verdict{Result: judge.Pass},
		}),
		cell("nginx/static", reports.Cell{
			Manifest: recording.Manifest{Replay: "proxychaos run x"}, Verdict: judge.Verdict{Result: judge.Fail, Reasons: []string{"600 failed"}},
		}),
		cell("apache/pooled", reports.Cell{NotRun: "no image"}),
	}, nil)
	g.Expect([]int{suite.Tests, suite.Failures, suite.Skipped}).To(Equal([]int{3, 1, 1}))
	g.Expect(suite.TestCases[0].Name).To(Equal("[It] alb-ip-rotate nginx/variable [alb-ip-rotate, addresses, nginx, fix, variable, stable]"))
	g.Expect(suite.TestCases[0].Time).To(BeEquivalentTo(20))
	g.Expect(suite.TestCases[1].Failure.Message).To(And(ContainSubstring("600 failed"), ContainSubstring("again: proxychaos run x")))
	g.Expect(suite.TestCases[2].Skipped.Message).To(ContainSubstring("no image"))
}

// What is wrong with the run as a whole is a failure too.
func TestTooFewCells(t *testing.T) {
	g := NewWithT(t)
	suite := read(t, nil, errors.New("0 cells ran"))
	g.Expect(suite.Failures).To(Equal(1))
	g.Expect(suite.TestCases[0].Name).To(Equal("[ReportAfterSuite] reports"))
	g.Expect(suite.TestCases[0].Failure.Message).To(Equal("0 cells ran"))
}
