package scenarios_test

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	. "github.com/onsi/gomega"

	"github.com/proxychaos/proxychaos/harness"
	"github.com/proxychaos/proxychaos/harness/judge"
	"github.com/proxychaos/proxychaos/harness/recording"
	"github.com/proxychaos/proxychaos/harness/run"
	"github.com/proxychaos/proxychaos/reports"
	"github.com/proxychaos/proxychaos/scenarios"
)

func TestCellsHoldWhatIsExpected(t *testing.T) {
	g := NewWithT(t)
	static := subjectOf(t, "nginx/static")
	whole := recording.Manifest{Scenario: "alb-ip-rotate", Subject: recording.Subject{ID: "nginx/static", Role: "pitfall"}}
	cells := scenarios.Cells([]run.Result{
		{Cell: run.Cell{Scenario: scenarios.ALBIPRotate, Subject: static}, Manifest: whole, Verdict: judge.Verdict{Result: judge.Pass}},
		{Cell: run.Cell{Scenario: scenarios.ALBIPRotate, Subject: static}, Err: errors.New("the engine is gone")},
		{Cell: run.Cell{Scenario: scenarios.ALBIPRotate, Subject: static}, NotRun: "image not available"},
	})
	g.Expect(cells[0].Expect.Verdict).To(Equal(judge.Fail))
	g.Expect(cells[0].State()).To(Equal(reports.Unexpected), "a pitfall that passes is red")
	g.Expect(cells[1].State()).To(Equal(reports.Unproven), "what broke off is red")
	g.Expect(cells[1].Verdict.Reasons).To(Equal([]string{"the engine is gone"}))
	g.Expect(cells[1].Manifest.Scenario).To(Equal("alb-ip-rotate"), "it has its row in the table")
	g.Expect(cells[1].Manifest.Subject.ID).To(Equal("nginx/static"))
	g.Expect(cells[2].State()).To(Equal(reports.NotRun), "neither red nor green")
}

func subjectOf(t *testing.T, id string) harness.Subject {
	t.Helper()
	for _, s := range scenarios.Subjects() {
		if s.ID() == id {
			return s
		}
	}
	t.Fatalf("no subject %s", id)
	return harness.Subject{}
}

// A config of one's own has to pass, even one that is called like a pitfall.
func TestExpectation(t *testing.T) {
	g := NewWithT(t)
	of := func(scenario, id string, role harness.Role) *judge.Expectation {
		return scenarios.Expectation(recording.Manifest{Scenario: scenario, Subject: recording.Subject{ID: id, Role: string(role)}})
	}
	g.Expect(of("alb-ip-rotate", "nginx/static", harness.Pitfall).Verdict).To(Equal(judge.Fail))
	g.Expect(of("alb-ip-rotate", "nginx/static", harness.Own)).To(BeNil())
	g.Expect(of("alb-ip-rotate", "nginx/other", harness.Fix)).To(BeNil())
	g.Expect(of("other", "nginx/static", harness.Pitfall)).To(BeNil())
}

// On the production clock nginx's pitfall breaks by timeouts, without the log line of the
// scaled one: CLOCK=production RATE=20, nginx 1.26.3, 2026-11-29.
func TestExpectationOnTheProductionClock(t *testing.T) {
	g := NewWithT(t)
	m := recording.Manifest{Scenario: "alb-ip-rotate", Subject: recording.Subject{ID: "nginx/static", Role: string(harness.Pitfall)}}
	broke := judge.Verdict{
		Result: judge.Fail, Sent: 4640, Failed: 2591, ByKind: map[string]int{recording.Timeout: 2591},
		Findings: []judge.Finding{{Code: judge.ResolvedOnce}},
	}
	g.Expect(scenarios.Expectation(m).Check(broke)).NotTo(BeEmpty())
	m.Plan.Clock = recording.ProductionClock
	g.Expect(scenarios.Expectation(m).Check(broke)).To(BeEmpty())
	g.Expect(scenarios.Expectation(m).Check(judge.Verdict{Result: judge.Pass})).NotTo(BeEmpty())
	m.Plan.Clock = recording.ScaledClock
	g.Expect(scenarios.Expectation(m).Check(broke)).NotTo(BeEmpty(), "the catalogue itself is left as it is")
}

// A run leaves the reports of the one before as they are, and the link leads to its own.
func TestReportsAreNeverOverwritten(t *testing.T) {
	g := NewWithT(t)
	runs := filepath.Join(t.TempDir(), "a", "b")
	say := func(text string) scenarios.File {
		return scenarios.File{Name: "report.html", Write: scenarios.Into(func(w io.Writer) error { _, err := io.WriteString(w, text); return err })}
	}
	first, err := scenarios.Write(runs, say("first"))
	g.Expect(err).NotTo(HaveOccurred())
	second, err := scenarios.Write(runs, say("second"))
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(second).NotTo(Equal(first))
	for path, want := range map[string]string{
		filepath.Join(first, "report.html"):                     "first",
		filepath.Join(second, "report.html"):                    "second",
		filepath.Join(runs, "report.html"):                      "second",
		filepath.Join(runs, "reports", "latest", "report.html"): "second",
	} {
		g.Expect(os.ReadFile(path)).To(BeEquivalentTo(want), path)
	}
	g.Expect(os.Rename(runs, runs+"-moved")).To(Succeed())
	g.Expect(os.ReadFile(filepath.Join(runs+"-moved", "report.html"))).To(BeEquivalentTo("second"), "the links are relative")
}

// A file of this name that an earlier version wrote is replaced by the link.
func TestReportsOfAnEarlierVersion(t *testing.T) {
	g := NewWithT(t)
	runs := t.TempDir()
	g.Expect(os.WriteFile(filepath.Join(runs, "report.md"), []byte("old"), 0o600)).To(Succeed())
	_, err := scenarios.Write(runs, scenarios.Files(reports.Suite{})...)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(os.ReadFile(filepath.Join(runs, "report.md"))).To(ContainSubstring("proxychaos"))
	g.Expect(filepath.Join(runs, "report.json")).To(BeARegularFile())
}

// What cannot be written is said, and keeps no other report from being written.
func TestReportThatCannotBeWritten(t *testing.T) {
	g := NewWithT(t)
	runs, broken := t.TempDir(), errors.New("no")
	folder, err := scenarios.Write(runs,
		scenarios.File{Name: "x.html", Write: func(string) error { return broken }},
		scenarios.File{Name: "y.html", Write: func(path string) error { return os.WriteFile(path, nil, 0o600) }})
	g.Expect(err).To(And(MatchError(broken), MatchError(ContainSubstring(filepath.Join(folder, "x.html")))))
	g.Expect(filepath.Join(runs, "x.html")).NotTo(BeAnExistingFile())
	g.Expect(filepath.Join(runs, "y.html")).To(BeARegularFile())
	_, err = scenarios.Write(filepath.Join(runs, "y.html"), scenarios.Files(reports.Suite{})...)
	g.Expect(err).To(MatchError(ContainSubstring("make a folder for the reports")))
}

// Of a release that the catalogue does not run a config on it expects nothing.
func TestExpectationOnAnotherRelease(t *testing.T) {
	g := NewWithT(t)
	m := recording.Manifest{Scenario: "alb-ip-rotate", Subject: recording.Subject{ID: "nginx/static@oldoldstable", Kind: "nginx", Name: "static", Role: string(harness.Pitfall)}}
	for _, result := range []string{judge.Pass, judge.Fail} {
		g.Expect(scenarios.Expectation(m).Check(judge.Verdict{Result: result})).To(BeEmpty())
	}
	m.Subject.ID = "nginx/static@testing"
	g.Expect(scenarios.Expectation(m).Check(judge.Verdict{Result: judge.Pass})).NotTo(BeEmpty())
}
