package reports

import (
	"fmt"
	"slices"

	"github.com/proxychaos/proxychaos/harness/judge"
	"github.com/proxychaos/proxychaos/harness/recording"
)

// What a comparison can say of B against A.
const (
	Better       = "better"
	Worse        = "worse"
	NoDifference = "no difference"
	// NotCompared: neither was run, for a reason that both share.
	NotCompared = "not run"
	// An Unproven pair, as an unproven cell, is red.
)

// Two runs of one configuration are never quite alike. What is less than this
// counts as no difference.
const (
	// failedNoise is a number of failed requests. At 200 requests a second it
	// is 15 ms of the phase between the faults and the proxy's timers.
	failedNoise = 3
	// failedNoiseShare is a share of the larger of both numbers. The failures
	// of a proxy that does not recover scale with how soon each request fails.
	failedNoiseShare = 0.10
	// recoveryNoise is a difference of recovery times: half of the period of
	// the resolver that looks once a second.
	recoveryNoise = recording.Seconds(0.5)
)

// noise is the rule in words.
var noise = fmt.Sprintf("No difference: equal verdicts, failed requests that differ by at most %d or by at most %.0f %%, and recovery within %s of each other; if a scenario allows a time to recover, what fits into it is chance.",
	failedNoise, failedNoiseShare*100, seconds(recoveryNoise))

// Comparison is two configurations, A and B, over the same scenarios.
type Comparison struct {
	A, B  string // what they are called: the path of the configuration
	Pairs []Pair
}

// Pair is one scenario run with A and with B.
type Pair struct {
	Scenario string
	A, B     Cell
	Result   string   // of B: Better, Worse, NoDifference, Unproven or NotCompared
	Reasons  []string // why, one line each
}

// Compare pairs the cells of a and b by scenario, in the order of a; where a
// scenario was run several times, the first of a with the first of b, and so
// on. A cell without a partner makes an unproven pair.
//
// The verdict decides: pass beats fail. With equal verdicts the one with fewer
// failed requests is better, if the difference is more than 3 and more than
// a tenth of the larger number; else the one that recovered sooner by more
// than 0.5 s. Where the scenario allows a time to recover, differences within
// it are chance as well.
func Compare(a, b []Cell) Comparison {
	c := Comparison{A: calledAs(a), B: calledAs(b)}
	for _, name := range scenarios(slices.Concat(a, b)) {
		ofA, ofB := ofScenario(a, name), ofScenario(b, name)
		for i := range max(len(ofA), len(ofB)) {
			c.Pairs = append(c.Pairs, newPair(name, partner(ofA, i, name, ofB), partner(ofB, i, name, ofA)))
		}
	}
	return c
}

// partner is the i-th cell, or one that says that there is none.
func partner(cells []Cell, i int, scenario string, other []Cell) Cell {
	if i < len(cells) {
		return cells[i]
	}
	m := recording.Manifest{Scenario: scenario, Subject: other[i].Manifest.Subject}
	return Cell{Manifest: m, NotRun: "the other configuration has a run that this one lacks"}
}

func calledAs(cells []Cell) string {
	for _, c := range cells {
		if c.Manifest.Config.Path != "" {
			return c.Manifest.Config.Path
		}
	}
	if len(cells) > 0 {
		return cells[0].Manifest.Subject.ID
	}
	return "nothing"
}

func newPair(scenario string, a, b Cell) Pair {
	p := Pair{Scenario: scenario, A: a, B: b}
	p.Result, p.Reasons = compareCells(a, b)
	return p
}

func compareCells(a, b Cell) (string, []string) {
	if a.NotRun != "" && a.NotRun == b.NotRun {
		return NotCompared, []string{a.NotRun}
	}
	var unproven []string
	for _, side := range []struct {
		name string
		cell Cell
	}{{"A", a}, {"B", b}} {
		switch side.cell.State() {
		case NotRun:
			unproven = append(unproven, side.name+" was not run: "+side.cell.NotRun)
		case Unproven:
			why := append(slices.Clone(side.cell.Verdict.Reasons), "nothing was tested")
			unproven = append(unproven, side.name+" is unproven: "+why[0])
		case Expected, Unexpected:
		}
	}
	if len(unproven) > 0 {
		return string(Unproven), unproven
	}
	return compareVerdicts(a.Verdict, b.Verdict, phaseSpread(a.Manifest.Plan, b.Manifest.Plan))
}

// spread is by how much two runs of one configuration may differ only because the fault
// met the proxy's own timers at another moment.
type spread struct {
	failed   int
	recovery recording.Seconds
}

// phaseSpread is the spread in a scenario that allows a time to recover: a proxy that
// looks a name up every 3 s may lose anything from 0 to 3 s. Of two such times
// the shorter counts, so that a config that looks seldom cannot hide behind it.
func phaseSpread(a, b recording.Plan) spread {
	within := min(a.Budget.RecoverWithin, b.Budget.RecoverWithin)
	return spread{failed: int(float64(within) * float64(max(a.Rate, b.Rate))), recovery: within}
}

func compareVerdicts(a, b judge.Verdict, by spread) (string, []string) {
	failed := fmt.Sprintf("%s failed with A, %s with B", thousands(a.Failed), thousands(b.Failed))
	if a.Result != b.Result {
		return betterIf(b.Result == judge.Pass), []string{fmt.Sprintf("A is %s, B is %s", a.Result, b.Result), failed}
	}
	allowed := max(failedNoise, float64(by.failed), failedNoiseShare*float64(max(a.Failed, b.Failed)))
	if diff := b.Failed - a.Failed; float64(max(diff, -diff)) > allowed {
		return betterIf(diff < 0), []string{failed}
	}
	recovered := fmt.Sprintf("A recovered after %s, B after %s", recovery(a), recovery(b))
	later := recoveredAfter(b) - recoveredAfter(a)
	if a.NeverRecovered != b.NeverRecovered || max(later, -later) > max(recoveryNoise, by.recovery) {
		better := later < 0
		if a.NeverRecovered != b.NeverRecovered {
			better = a.NeverRecovered
		}
		return betterIf(better), []string{recovered}
	}
	if a.Failed == 0 && b.Failed == 0 {
		return NoDifference, []string{"both are " + a.Result + ", none failed"}
	}
	return NoDifference, []string{"both are " + a.Result + ", " + failed}
}

// recoveredAfter is 0 if no request failed after a loss, and does not tell two that never
// recovered apart.
func recoveredAfter(v judge.Verdict) recording.Seconds {
	if v.Recovery == nil || v.NeverRecovered {
		return 0
	}
	return *v.Recovery
}

func betterIf(better bool) string {
	if better {
		return Better
	}
	return Worse
}

// Overall is what the pairs come to: worse if B is worse in any scenario,
// else unproven if any pair is or none was compared, else better if B is
// better in any, else no difference.
func (c Comparison) Overall() string {
	compared := slices.ContainsFunc(c.Pairs, func(p Pair) bool { return p.Result != NotCompared })
	switch {
	case c.Worse():
		return Worse
	case c.any(string(Unproven)) || !compared:
		return string(Unproven)
	case c.any(Better):
		return Better
	default:
		return NoDifference
	}
}

// Worse says whether B is worse in any scenario.
func (c Comparison) Worse() bool { return c.any(Worse) }

// ExitCode is 1 if B is worse in any scenario, else 2 if the comparison
// is unproven, else 0.
func (c Comparison) ExitCode() int {
	switch c.Overall() {
	case Worse:
		return 1
	case string(Unproven):
		return 2
	default:
		return 0
	}
}

// Sentence is the outcome in words.
func (c Comparison) Sentence() string {
	tally := map[string]int{}
	for _, p := range c.Pairs {
		tally[p.Result]++
	}
	detail := fmt.Sprintf("better in %d, no difference in %d, worse in %d, unproven in %d of %s",
		tally[Better], tally[NoDifference], tally[Worse], tally[string(Unproven)], count(len(c.Pairs), "scenario"))
	if n := tally[NotCompared]; n > 0 {
		detail += fmt.Sprintf(" (%d not run)", n)
	}
	switch c.Overall() {
	case Worse:
		return "B is worse: " + detail
	case Better:
		return "B is better: " + detail
	case NoDifference:
		return "no difference: " + detail
	default:
		return "the comparison is unproven: " + detail
	}
}

func (c Comparison) any(result string) bool {
	return slices.ContainsFunc(c.Pairs, func(p Pair) bool { return p.Result == result })
}
