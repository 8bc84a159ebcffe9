package reports

import (
	"strings"
	"testing"

	"github.com/proxychaos/proxychaos/harness/judge"
	"github.com/proxychaos/proxychaos/harness/recording"
)

func TestCheck(t *testing.T) {
	failed := judge.Verdict{
		Result: judge.Fail, Sent: 4000, Failed: 1996, ByKind: map[string]int{"503": 1990, "timeout": 6},
		Reasons: []string{"1,996 of 4,000 requests failed, 0 may"},
		Findings: []judge.Finding{
			{Code: judge.ResolvedOnce, Text: "resolved once at start"},
			{Code: judge.LogEvidence, Text: "the proxy's log shows it", Evidence: []string{"proxy.log:31 AH00957: http: attempt to connect to 10.10.2.55:80 failed"}},
		},
	}
	passed := judge.Verdict{Result: judge.Pass, Sent: 4000}
	unproven := judge.Verdict{Result: judge.Unproven, Reasons: []string{"the load missed its floor"}}
	for name, c := range map[string]struct {
		want    Expectation
		got     judge.Verdict
		reasons string // joined with "|"
	}{
		"broke as said":         {Expectation{Verdict: judge.Fail, Outcomes: []string{"502", "503"}, Findings: []string{judge.ResolvedOnce}, Log: `AH0095[0-9]:.*failed`}, failed, ""},
		"passed as said":        {Expectation{Verdict: judge.Pass}, passed, ""},
		"did not break":         {Expectation{Verdict: judge.Fail}, passed, "expected fail, got pass: 0 of 4,000 requests failed"},
		"did not hold":          {Expectation{Verdict: judge.Pass}, failed, "expected pass, got fail: 1,996 of 4,000 requests failed, 0 may"},
		"another class":         {Expectation{Verdict: judge.Fail, Outcomes: []string{"502", "504"}}, failed, "expected failures of class 502 or 504, got 503 1,990, timeout 6"},
		"another finding":       {Expectation{Verdict: judge.Fail, Findings: []string{judge.PooledOld}}, failed, "expected finding pooled-kept-old, got resolved-once, proxy-log"},
		"no such line":          {Expectation{Verdict: judge.Fail, Log: "AH01114"}, failed, `expected evidence that matches "AH01114", found none`},
		"either, failed":        {Expectation{Verdict: Either, Outcomes: []string{"502", "503"}}, failed, ""},
		"either, passed":        {Expectation{Verdict: Either, Outcomes: []string{"502", "503"}}, passed, ""},
		"either, other class":   {Expectation{Verdict: Either, Outcomes: []string{"502"}}, failed, "expected failures of class 502, got 503 1,990, timeout 6"},
		"either, no finding":    {Expectation{Verdict: Either, Findings: []string{judge.PooledOld}}, passed, "expected finding pooled-kept-old, got none"},
		"either, unproven":      {Expectation{Verdict: Either}, unproven, "expected either, got unproven: the load missed its floor"},
		"unproven is not fail":  {Expectation{Verdict: judge.Fail}, unproven, "expected fail, got unproven: the load missed its floor"},
		"unproven is not pass":  {Expectation{Verdict: judge.Pass}, unproven, "expected pass, got unproven: the load missed its floor"},
		"no verdict":            {Expectation{Verdict: judge.Pass}, judge.Verdict{}, "expected pass, got none: nothing was tested"},
		"nobody expects that":   {Expectation{Verdict: judge.Unproven}, unproven, `the catalogue expects verdict "unproven": want "pass", "fail" or "either"`},
		"empty expectation":     {Expectation{}, passed, `the catalogue expects verdict "": want "pass", "fail" or "either"`},
		"pattern without sense": {Expectation{Verdict: judge.Fail, Log: "("}, failed, "the catalogue's log pattern \"(\" cannot be read: error parsing regexp: missing closing ): `(`"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := strings.Join(Check(c.want, c.got), "|"); got != c.reasons {
				t.Errorf("got  %s\nwant %s", got, c.reasons)
			}
		})
	}
}

func TestPhrase(t *testing.T) {
	expect := func(verdict string) *Expectation { return &Expectation{Verdict: verdict} }
	for _, c := range []struct {
		role   string
		expect *Expectation
		got    string
		want   string
		state  State
	}{
		{"pitfall", expect(judge.Fail), judge.Fail, "pitfall broke, as expected", Expected},
		{"pitfall", expect(judge.Fail), judge.Pass, "PITFALL DID NOT BREAK", Unexpected},
		{"pitfall", expect(judge.Pass), judge.Pass, "pitfall no longer breaks, as expected", Expected},
		{"pitfall", &Expectation{Verdict: judge.Fail, Findings: []string{judge.PooledOld}}, judge.Fail, "pitfall broke, NOT AS EXPECTED", Unexpected},
		{"fix", expect(judge.Pass), judge.Pass, "fix held, as expected", Expected},
		{"fix", expect(judge.Pass), judge.Fail, "FIX DID NOT HOLD", Unexpected},
		{"fix", expect(judge.Fail), judge.Fail, "fix did not hold, as expected", Expected},
		{"fix", expect(judge.Pass), judge.Unproven, "UNPROVEN", Unproven},
		{"reference", expect(judge.Pass), judge.Fail, "REFERENCE DID NOT HOLD", Unexpected},
		{"fix", expect(Either), judge.Fail, "fix did not hold, as either is", Expected},
		{"fix", expect(Either), judge.Pass, "fix held, as either is", Expected},
		{"fix", &Expectation{Verdict: Either, Findings: []string{judge.PooledOld}}, judge.Pass, "fix held, NOT AS EXPECTED", Unexpected},
		{"own", nil, judge.Pass, "held", Expected},
		{"own", nil, judge.Fail, "BROKE", Unexpected},
	} {
		cell := Cell{Manifest: recording.Manifest{Subject: recording.Subject{Role: c.role}}, Expect: c.expect, Verdict: judge.Verdict{Result: c.got}}
		if got := cell.Phrase(); got != c.want || cell.State() != c.state {
			t.Errorf("%s, %s: got %q (%s), want %q (%s)", c.role, c.got, got, cell.State(), c.want, c.state)
		}
	}
}
