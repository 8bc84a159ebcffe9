package reports

import (
	"bytes"
	"strings"
	"testing"

	. "github.com/onsi/gomega"

	"github.com/proxychaos/proxychaos/harness/judge"
	"github.com/proxychaos/proxychaos/harness/recording"
)

func TestPhrase(t *testing.T) {
	expect := func(verdict string) *judge.Expectation { return &judge.Expectation{Verdict: verdict} }
	for _, c := range []struct {
		role   string
		expect *judge.Expectation
		got    string
		want   string
		state  State
	}{
		{"pitfall", expect(judge.Fail), judge.Fail, "pitfall broke, as expected", Expected},
		{"pitfall", expect(judge.Fail), judge.Pass, "PITFALL HELD", Unexpected},
		{"pitfall", expect(judge.Pass), judge.Pass, "pitfall held, as expected", Expected},
		{"pitfall", &judge.Expectation{Verdict: judge.Fail, Findings: []string{judge.PooledOld}}, judge.Fail, "pitfall broke, NOT AS EXPECTED", Unexpected},
		{"fix", expect(judge.Pass), judge.Pass, "fix held, as expected", Expected},
		{"fix", expect(judge.Pass), judge.Fail, "FIX BROKE", Unexpected},
		{"fix", expect(judge.Fail), judge.Fail, "fix broke, as expected", Expected},
		{"fix", expect(judge.Pass), judge.Unproven, "UNPROVEN", Unproven},
		{"reference", expect(judge.Pass), judge.Fail, "REFERENCE BROKE", Unexpected},
		{"fix", expect(judge.Either), judge.Fail, "fix broke, either expected", Expected},
		{"fix", expect(judge.Either), judge.Pass, "fix held, either expected", Expected},
		{"fix", &judge.Expectation{Verdict: judge.Either, Findings: []string{judge.PooledOld}}, judge.Pass, "fix held, NOT AS EXPECTED", Unexpected},
		{"own", nil, judge.Pass, "held", Expected},
		{"own", nil, judge.Fail, "BROKE", Unexpected},
	} {
		cell := Cell{Manifest: recording.Manifest{Subject: recording.Subject{Role: c.role}}, Expect: c.expect, Verdict: judge.Verdict{Result: c.got}}
		if got := cell.Phrase(); got != c.want || cell.State() != c.state {
			t.Errorf("%s, %s: got %q (%s), want %q (%s)", c.role, c.got, got, cell.State(), c.want, c.state)
		}
	}
}

// A failed run without a cause is a defect of proxychaos: nothing that is expected of a
// subject makes it green.
func TestAFailureWithoutACauseIsNeverExpected(t *testing.T) {
	v := judge.Verdict{Result: judge.Fail, Sent: 100, Failed: 5, Findings: []judge.Finding{{Code: judge.Unexplained, Text: "no cause was found: this is a defect of proxychaos"}}}
	for _, want := range []string{judge.Fail, judge.Either} {
		c := Cell{Manifest: recording.Manifest{Subject: recording.Subject{Role: "pitfall"}}, Expect: &judge.Expectation{Verdict: want}, Verdict: v}
		if c.State() != Unexpected || c.Phrase() != "pitfall broke, NOT AS EXPECTED" || !strings.Contains(strings.Join(c.Reasons(), "\n"), "defect of proxychaos") {
			t.Errorf("expected %s: %s, %q, %q", want, c.State(), c.Phrase(), c.Reasons())
		}
	}
}

// A scenario with the load balancers of another cloud is another one in every report.
func TestCloudsAreKeptApart(t *testing.T) {
	g := NewWithT(t)
	on := func(cloud string) Cell {
		m := recording.Manifest{Scenario: "alb-ip-rotate", Summary: "The name moves.", Subject: recording.Subject{ID: "nginx/own", Kind: "nginx"}}
		m.World.Cloud = cloud
		m.Plan.Duration, m.Plan.TTL = 20, 1
		return Cell{Manifest: m, Verdict: judge.Verdict{Result: judge.Pass}}
	}
	cells := []Cell{on(""), on("azure")}
	var table, page, markdown, report bytes.Buffer
	g.Expect(Table(&table, cells)).To(Succeed())
	g.Expect(HTML(&page, Page{Cells: cells})).To(Succeed())
	g.Expect(Markdown(&markdown, Suite{Cells: cells})).To(Succeed())
	g.Expect(JSON(&report, Suite{Cells: cells})).To(Succeed())
	for name, text := range map[string]string{"table": table.String(), "page": page.String(), "markdown": markdown.String()} {
		g.Expect(text).To(ContainSubstring("alb-ip-rotate (azure)"), name)
	}
	g.Expect(table.String()).To(ContainSubstring("alb-ip-rotate: The name moves."))
	g.Expect(strings.Count(page.String(), "the name of a real ALB has a TTL of 60.0 s")).To(Equal(1), "only one of the two has an ALB")
	g.Expect(page.String()).To(ContainSubstring("the name of a load balancer is taken to have a TTL of 60.0 s"))
	g.Expect(strings.Count(report.String(), `"cloud": "azure"`)).To(Equal(1))
}
