package judge_test

import (
	"strings"
	"testing"

	"github.com/proxychaos/proxychaos/harness/judge"
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
	unproven := judge.Verdict{Result: judge.Unproven, Reasons: []string{"the load was late"}}
	unexplained := judge.Verdict{Result: judge.Fail, Sent: 4000, Failed: 5, Findings: []judge.Finding{
		{Code: judge.ConnectionPerRequest, Text: "every request opens a connection"},
		{Code: judge.Unexplained, Text: "no cause was found: this is a defect of proxychaos"},
	}}
	for name, c := range map[string]struct {
		want    judge.Expectation
		got     judge.Verdict
		reasons string // joined with "|"
	}{
		"broke as said":         {judge.Expectation{Verdict: judge.Fail, Outcomes: []string{"502", "503"}, Findings: []string{judge.ResolvedOnce}, Log: `AH0095[0-9]:.*failed`}, failed, ""},
		"passed as said":        {judge.Expectation{Verdict: judge.Pass}, passed, ""},
		"did not break":         {judge.Expectation{Verdict: judge.Fail}, passed, "expected fail, got pass: 0 of 4,000 requests failed"},
		"did not hold":          {judge.Expectation{Verdict: judge.Pass}, failed, "expected pass, got fail: 1,996 of 4,000 requests failed, 0 may"},
		"another class":         {judge.Expectation{Verdict: judge.Fail, Outcomes: []string{"502", "504"}}, failed, "expected failures of class 502 or 504, got 1,990 503, 6 timeout"},
		"another finding":       {judge.Expectation{Verdict: judge.Fail, Findings: []string{judge.PooledOld}}, failed, "expected finding pooled-kept-old, got resolved-once, proxy-log"},
		"no such line":          {judge.Expectation{Verdict: judge.Fail, Log: "AH01114"}, failed, `expected evidence that matches "AH01114", found none`},
		"either, failed":        {judge.Expectation{Verdict: judge.Either, Outcomes: []string{"502", "503"}}, failed, ""},
		"either, passed":        {judge.Expectation{Verdict: judge.Either, Outcomes: []string{"502", "503"}}, passed, ""},
		"either, other class":   {judge.Expectation{Verdict: judge.Either, Outcomes: []string{"502"}}, failed, "expected failures of class 502, got 1,990 503, 6 timeout"},
		"either, few":           {judge.Expectation{Verdict: judge.Either, Most: 1996}, failed, ""},
		"either, too many":      {judge.Expectation{Verdict: judge.Either, Most: 1995}, failed, "expected at most 1,995 requests to fail, got 1,996"},
		"either, no finding":    {judge.Expectation{Verdict: judge.Either, Findings: []string{judge.PooledOld}}, passed, "expected finding pooled-kept-old, got none"},
		"either, unproven":      {judge.Expectation{Verdict: judge.Either}, unproven, "expected either, got unproven: the load was late"},
		"unproven is not fail":  {judge.Expectation{Verdict: judge.Fail}, unproven, "expected fail, got unproven: the load was late"},
		"unproven is not pass":  {judge.Expectation{Verdict: judge.Pass}, unproven, "expected pass, got unproven: the load was late"},
		"no verdict":            {judge.Expectation{Verdict: judge.Pass}, judge.Verdict{}, "expected pass, got none: nothing was tested"},
		"nobody expects that":   {judge.Expectation{Verdict: judge.Unproven}, unproven, `the catalogue expects verdict "unproven": want "pass", "fail" or "either"`},
		"empty expectation":     {judge.Expectation{}, passed, `the catalogue expects verdict "": want "pass", "fail" or "either"`},
		"without a cause":       {judge.Expectation{Verdict: judge.Fail}, unexplained, "no cause was found: this is a defect of proxychaos"},
		"either without one":    {judge.Expectation{Verdict: judge.Either}, unexplained, "no cause was found: this is a defect of proxychaos"},
		"pattern without sense": {judge.Expectation{Verdict: judge.Fail, Log: "("}, failed, "the catalogue's log pattern \"(\" cannot be read: error parsing regexp: missing closing ): `(`"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := strings.Join(c.want.Check(c.got), "|"); got != c.reasons {
				t.Errorf("got  %s\nwant %s", got, c.reasons)
			}
		})
	}
}
