package corpus_test

import (
	"errors"
	"slices"
	"testing"

	. "github.com/onsi/gomega"

	"github.com/proxychaos/proxychaos/harness/judge"
	"github.com/proxychaos/proxychaos/harness/recording"
	"github.com/proxychaos/proxychaos/harness/run"
	"github.com/proxychaos/proxychaos/scenarios/corpus"
)

func read(t *testing.T) []corpus.Case {
	t.Helper()
	cases, err := corpus.Read("cases")
	if err != nil {
		t.Fatal(err)
	}
	return cases
}

// Every case can be asked for, and is of the size that the project promises.
func TestEveryCaseCanBeRun(t *testing.T) {
	g := NewWithT(t)
	groups, gate := map[string]int{}, 0
	for _, c := range read(t) {
		groups[c.Group]++
		if c.Gate {
			gate++
		}
		r, err := c.Request(func(string) (string, bool) { return "", false })
		if c.Expect.Result == corpus.Error {
			continue // it may be refused here already
		}
		g.Expect(err).NotTo(HaveOccurred(), c.Name)
		g.Expect(r.Cells(r.Scenarios[0])).To(HaveLen(1), c.Name)
	}
	for _, group := range corpus.Groups {
		g.Expect(groups[group]).To(BeNumerically(">=", 4), group)
	}
	g.Expect(gate).To(BeNumerically("~", 5, 1), "CI runs a few")
}

// The outcome is compared with the expected one: each of these would be told.
func TestWhatIsNotAsExpectedIsTold(t *testing.T) {
	fail := judge.Verdict{Result: judge.Fail, Failed: 9, Sent: 20, ByKind: map[string]int{"502": 9}, Reasons: []string{"9 of 20 failed"}, Findings: []judge.Finding{{Code: judge.ResolvedOnce, Text: "resolved once at start"}}}
	pass := judge.Verdict{Result: judge.Pass, Sent: 20, Reasons: []string{"0 of 20 failed"}}
	late := judge.Verdict{Result: judge.Unproven, Reasons: []string{"the load came late"}}
	broke := errors.New("port 80: the proxy itself answers 404")
	once := corpus.Expect{Result: judge.Fail, Outcomes: []string{"502"}, Findings: []string{judge.ResolvedOnce}}
	refused := corpus.Expect{Result: corpus.Error, Says: []string{"Answers 404"}}
	limit := corpus.Expect{Result: judge.Unproven, Says: []string{"itself refused"}}
	for name, tc := range map[string]struct {
		expect corpus.Expect
		got    run.Result
		wrong  string // empty if it is right
	}{
		"a fail with its cause":         {once, run.Result{Verdict: fail}, ""},
		"a pass instead":                {once, run.Result{Verdict: pass}, "expected fail, got pass"},
		"another class":                 {corpus.Expect{Result: judge.Fail, Outcomes: []string{"503"}, Findings: []string{judge.ResolvedOnce}}, run.Result{Verdict: fail}, "class 503"},
		"another cause":                 {corpus.Expect{Result: judge.Fail, Outcomes: []string{"502"}, Findings: []string{judge.PooledOld}}, run.Result{Verdict: fail}, "expected finding"},
		"nothing proved":                {once, run.Result{Verdict: late}, "got unproven"},
		"an error instead":              {once, run.Result{Err: broke}, "ended with an error"},
		"a sentence":                    {refused, run.Result{Err: broke}, ""},
		"another sentence":              {refused, run.Result{Err: errors.New("no space left")}, "does not say"},
		"a sentence, but after a load":  {refused, run.Result{Err: broke, Manifest: recording.Manifest{T0: recording.Manifest{}.Began.AddDate(1, 0, 0)}}, "after the load"},
		"a verdict instead":             {refused, run.Result{Verdict: pass}, "expected an error before the load"},
		"unproven for another reason":   {limit, run.Result{Verdict: late}, "does not say"},
		"a verdict where none can come": {limit, run.Result{Verdict: pass}, "expected unproven"},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			came := corpus.Case{Name: "x", Expect: tc.expect}.Ran(tc.got)
			if tc.wrong == "" {
				g.Expect(came.Wrong).To(BeEmpty())
				return
			}
			g.Expect(came.Wrong).To(ContainElement(ContainSubstring(tc.wrong)))
		})
	}
}

// A case is found by its name: it begins with the proxy. No two are of one shape.
func TestNamesSayWhatTheyAre(t *testing.T) {
	g := NewWithT(t)
	var shapes []string
	for _, c := range read(t) {
		g.Expect(c.Name).To(MatchRegexp(`^` + string(c.Proxy) + `(-[a-z0-9]+)+$`))
		g.Expect(slices.Contains(shapes, c.Shape)).To(BeFalse(), c.Shape)
		shapes = append(shapes, c.Shape)
	}
}
