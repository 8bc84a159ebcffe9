package corpus

import (
	"fmt"
	"slices"
	"strings"

	"github.com/proxychaos/proxychaos/harness/judge"
	"github.com/proxychaos/proxychaos/harness/run"
)

// Came is the result of a case, and how it differs from the expected one.
type Came struct {
	Case   string `json:"case"`
	Got    string `json:"got"`
	NotRun string `json:"not_run,omitempty"` // why it could not be run here, which is neither red nor green
	// Wrong says what is not as expected, one line each; none if all is.
	Wrong   []string `json:"wrong,omitempty"`
	Seconds float64  `json:"seconds"` // from the start of its testbed to the judge's word
	Dir     string   `json:"dir,omitempty"`
}

// Refused is a case that was refused before a testbed was started.
func (c Case) Refused(err error) Came {
	return Came{Case: c.Name, Got: Error + ": " + c.firstLines(err), Wrong: c.Expect.broke(err, false)}
}

// Ran is a case that was run.
func (c Case) Ran(r run.Result) Came {
	came := Came{Case: c.Name, NotRun: r.NotRun, Dir: r.Dir}
	if !r.Manifest.Ended.IsZero() {
		came.Seconds = r.Manifest.Ended.Sub(r.Manifest.Began).Seconds()
	}
	switch {
	case r.NotRun != "":
		came.Got = "not run: " + r.NotRun
	case r.Err != nil:
		came.Got = Error + ": " + c.firstLines(r.Err)
		came.Wrong = c.Expect.broke(r.Err, !r.Manifest.T0.IsZero())
	default:
		came.Got, came.Wrong = summary(r.Verdict), c.Expect.judged(r.Verdict)
	}
	return came
}

// broke compares an error with the expectation.
func (e Expect) broke(err error, loaded bool) []string {
	switch {
	case e.Result != Error:
		return []string{"expected " + e.String() + ", but it ended with an error: " + err.Error()}
	case loaded:
		return []string{"it ended with the expected error, but only after the load had begun: " + err.Error()}
	}
	return e.unsaid(err.Error())
}

// judged compares a verdict with the expectation.
func (e Expect) judged(v judge.Verdict) []string {
	said := v.Reasons
	for _, f := range v.Findings {
		said = append(slices.Clone(said), f.Text)
	}
	switch e.Result {
	case Error:
		return []string{"expected an error before the load, got " + summary(v) + ": " + strings.Join(v.Reasons, "; ")}
	case judge.Unproven:
		if v.Result != judge.Unproven {
			return []string{"expected unproven, got " + summary(v)}
		}
		return e.unsaid(strings.Join(said, "\n"))
	}
	wrong := judge.Expectation{Verdict: e.Result, Outcomes: e.Outcomes, Findings: e.Findings, Log: e.Log}.Check(v)
	return append(wrong, e.unsaid(strings.Join(said, "\n"))...)
}

// unsaid are the words that a text has not.
func (e Expect) unsaid(text string) []string {
	var wrong []string
	for _, word := range e.Says {
		if !strings.Contains(strings.ToLower(text), strings.ToLower(word)) {
			wrong = append(wrong, fmt.Sprintf("it does not say %q, but: %s", word, text))
		}
	}
	return wrong
}

// summary is a verdict in a line.
func summary(v judge.Verdict) string {
	words := []string{v.Result}
	if v.Result == judge.Unproven && len(v.Reasons) > 0 {
		return v.Result + ": " + v.Reasons[0]
	}
	for kind := range v.ByKind {
		words = append(words, kind)
	}
	slices.Sort(words[1:])
	for _, f := range v.Findings {
		if f.Code != judge.LogEvidence && !slices.Contains(words, f.Code) {
			words = append(words, f.Code)
		}
	}
	return fmt.Sprintf("%s (%d/%d failed)", strings.Join(words, " "), v.Failed, v.Sent)
}

// firstLines are the first two of an error that has many, with the files as the case has
// them.
func (c Case) firstLines(err error) string {
	lines := strings.Split(strings.ReplaceAll(err.Error(), c.Dir+"/", ""), "\n")
	for i, line := range lines {
		lines[i] = strings.TrimSpace(line)
	}
	return strings.Join(lines[:min(2, len(lines))], " ")
}
