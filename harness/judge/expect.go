package judge

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Either is the verdict to expect if the seed's draw, such as the order of the DNS
// answers, decides between pass and fail. A fail must still be of the expected
// outcomes.
const Either = "either"

// Expectation is what the catalogue says a subject does in a scenario, as runs have shown
// it. A field that is empty expects nothing.
type Expectation struct {
	Verdict string // Pass, Fail or Either
	// Outcomes are classes of failure ("502", "timeout", ...) of which one at
	// least must have occurred, unless the verdict is Either and it passed.
	Outcomes []string
	// Most is how many requests may have failed if the verdict is Either; 0 is any number.
	Most int
	// Findings are codes of findings of which one at least must be there.
	Findings []string
	// Log is a regular expression (Go syntax) that must match the text or an
	// evidence row of a finding: the line of the proxy's own log.
	Log string
}

// Check compares a verdict with the expectation and returns why it is not as expected, one
// line each; none if it is. A verdict that proved nothing is never as expected, and
// neither is a failed run without a cause, whatever the catalogue says.
func (e Expectation) Check(got Verdict) []string {
	want := e
	if !slices.Contains([]string{Pass, Fail, Either}, want.Verdict) {
		return []string{fmt.Sprintf("the catalogue expects verdict %q: want %q, %q or %q", want.Verdict, Pass, Fail, Either)}
	}
	if got.Result != Pass && got.Result != Fail {
		return mismatch(want, got, "nothing was tested")
	}
	var reasons []string
	if want.Verdict == Either {
		if got.Result == Pass {
			want.Outcomes = nil
		}
		if want.Most > 0 && got.Failed > want.Most {
			reasons = append(reasons, fmt.Sprintf("expected at most %s to fail, got %s", requests(want.Most), comma(got.Failed)))
		}
	} else if got.Result != want.Verdict {
		reasons = mismatch(want, got, fmt.Sprintf("%s of %s failed", comma(got.Failed), requests(got.Sent)))
	}
	if len(want.Outcomes) > 0 && !slices.ContainsFunc(want.Outcomes, func(kind string) bool { return got.ByKind[kind] > 0 }) {
		reasons = append(reasons, fmt.Sprintf("expected failures of class %s, got %s",
			strings.Join(want.Outcomes, " or "), cmp.Or(byKind(got.ByKind), "none")))
	}
	if len(want.Findings) > 0 && !slices.ContainsFunc(got.Findings, func(f Finding) bool { return slices.Contains(want.Findings, f.Code) }) {
		reasons = append(reasons, fmt.Sprintf("expected finding %s, got %s", strings.Join(want.Findings, " or "), cmp.Or(findingCodes(got), "none")))
	}
	for _, f := range got.Findings {
		if f.Code == Unexplained {
			reasons = append(reasons, f.Text)
		}
	}
	if want.Log != "" {
		if reason := checkLog(want.Log, got.Findings); reason != "" {
			reasons = append(reasons, reason)
		}
	}
	return reasons
}

// mismatch says that the verdict is another, and why by the judge's own word,
// or else by the given one.
func mismatch(want Expectation, got Verdict, why string) []string {
	reasons := []string{why}
	if len(got.Reasons) > 0 {
		reasons = slices.Clone(got.Reasons)
	}
	reasons[0] = fmt.Sprintf("expected %s, got %s: %s", want.Verdict, cmp.Or(got.Result, "none"), reasons[0])
	return reasons
}

func checkLog(pattern string, findings []Finding) string {
	expr, err := regexp.Compile(pattern)
	if err != nil {
		return fmt.Sprintf("the catalogue's log pattern %q cannot be read: %v", pattern, err)
	}
	for _, finding := range findings {
		if expr.MatchString(finding.Text) || slices.ContainsFunc(finding.Evidence, expr.MatchString) {
			return ""
		}
	}
	return fmt.Sprintf("expected evidence that matches %q, found none", pattern)
}

func findingCodes(v Verdict) string {
	codes := make([]string, len(v.Findings))
	for i, finding := range v.Findings {
		codes[i] = finding.Code
	}
	return strings.Join(codes, ", ")
}
