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

func TestWrite(t *testing.T) {
	g := NewWithT(t)
	dir := filepath.Join(t.TempDir(), "a", "b")
	path, err := scenarios.Write(dir, "x.txt", func(w io.Writer) error { _, err := io.WriteString(w, "hello"); return err })
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(os.ReadFile(path)).To(BeEquivalentTo("hello"))
	broken := errors.New("no")
	_, err = scenarios.Write(dir, "y.txt", func(io.Writer) error { return broken })
	g.Expect(err).To(MatchError(broken))
	_, err = scenarios.Write(path, "z.txt", func(io.Writer) error { return nil })
	g.Expect(err).To(MatchError(ContainSubstring("writing a report")))
}
