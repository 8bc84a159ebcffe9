package reports

import (
	"strings"
	"testing"

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
