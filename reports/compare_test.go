package reports

import (
	"strings"
	"testing"

	"github.com/proxychaos/proxychaos/harness/judge"
	"github.com/proxychaos/proxychaos/harness/recording"
)

func span(s recording.Seconds) *recording.Seconds { return &s }

// judged is a cell of the scenario with that many failures; recovered is how
// long after the retirement they ended, negative for never.
func judged(scenario, result string, failed int, recovered recording.Seconds) Cell {
	v := judge.Verdict{Result: result, Sent: 4000, Failed: failed, Window: 6}
	if failed > 0 {
		v.ByKind = map[string]int{"503": failed}
		v.NeverRecovered = recovered < 0
		v.Recovery = span(max(recovered, 0))
	}
	if result == judge.Unproven {
		v.Reasons = []string{"old-silent was not proved"}
	}
	return Cell{Manifest: recording.Manifest{Scenario: scenario}, Verdict: v}
}

func TestCompareOnePair(t *testing.T) {
	skipped := Cell{Manifest: recording.Manifest{Scenario: "s"}, NotRun: "needs 2.4.59"}
	for name, c := range map[string]struct {
		a, b Cell
		want string
		exit int
	}{
		"pass beats fail":                {judged("s", judge.Fail, 900, -1), judged("s", judge.Pass, 0, 0), Better, 0},
		"fail after pass":                {judged("s", judge.Pass, 0, 0), judged("s", judge.Fail, 900, -1), Worse, 1},
		"one failed more decides a pass": {judged("s", judge.Pass, 0, 0), judged("s", judge.Fail, 1, 0.1), Worse, 1},
		"both clean":                     {judged("s", judge.Pass, 0, 0), judged("s", judge.Pass, 0, 0), NoDifference, 0},
		"three more are noise":           {judged("s", judge.Pass, 0, 0), judged("s", judge.Pass, 3, 0.1), NoDifference, 0},
		"four more are not":              {judged("s", judge.Pass, 0, 0), judged("s", judge.Pass, 4, 0.1), Worse, 1},
		"a tenth is noise":               {judged("s", judge.Fail, 900, -1), judged("s", judge.Fail, 1000, -1), NoDifference, 0},
		"more than a tenth is not":       {judged("s", judge.Fail, 899, -1), judged("s", judge.Fail, 1000, -1), Worse, 1},
		"a fifth fewer":                  {judged("s", judge.Fail, 1000, -1), judged("s", judge.Fail, 800, -1), Better, 0},
		"half a second is noise":         {judged("s", judge.Fail, 100, 2), judged("s", judge.Fail, 100, 2.5), NoDifference, 0},
		"later recovery":                 {judged("s", judge.Fail, 100, 2), judged("s", judge.Fail, 100, 2.6), Worse, 1},
		"recovered against never":        {judged("s", judge.Fail, 100, 5.9), judged("s", judge.Fail, 100, -1), Worse, 1},
		"never against recovered":        {judged("s", judge.Fail, 100, -1), judged("s", judge.Fail, 100, 5.9), Better, 0},
		"fewer failed before recovery":   {judged("s", judge.Fail, 1000, 2), judged("s", judge.Fail, 100, 4), Better, 0},
		"A unproven":                     {judged("s", judge.Unproven, 0, 0), judged("s", judge.Pass, 0, 0), string(Unproven), 2},
		"B unproven":                     {judged("s", judge.Fail, 9, 1), judged("s", judge.Unproven, 0, 0), string(Unproven), 2},
		"B not run":                      {judged("s", judge.Pass, 0, 0), skipped, string(Unproven), 2},
		"neither run":                    {skipped, skipped, NotCompared, 2},
	} {
		t.Run(name, func(t *testing.T) {
			got := Compare([]Cell{c.a}, []Cell{c.b})
			if len(got.Pairs) != 1 || got.Pairs[0].Result != c.want || len(got.Pairs[0].Reasons) == 0 {
				t.Errorf("got %+v, want %s with a reason", got.Pairs, c.want)
			}
			if got.ExitCode() != c.exit || got.Worse() != (c.exit == 1) {
				t.Errorf("exit %d, worse %v, want exit %d", got.ExitCode(), got.Worse(), c.exit)
			}
		})
	}
}

// How many requests a sudden end costs is decided by where it meets the timers
// of the proxy, up to the time that it is allowed.
func TestChanceWhereRecoveryIsAllowed(t *testing.T) {
	within := func(c Cell, span recording.Seconds) Cell {
		c.Manifest.Plan.Rate, c.Manifest.Plan.Budget.RecoverWithin = 100, span
		return c
	}
	for name, c := range map[string]struct {
		a, b Cell
		want string
	}{
		"the same config, another moment": {within(judged("s", judge.Pass, 23, 0.2), 5), within(judged("s", judge.Pass, 392, 3.9), 5), NoDifference},
		"more than fits":                  {within(judged("s", judge.Pass, 23, 0.2), 5), within(judged("s", judge.Pass, 600, 5), 5), Worse},
		"one that looks every 30 s":       {within(judged("s", judge.Pass, 2500, 25), 32), within(judged("s", judge.Pass, 300, 3), 5), Better},
		"no time is allowed":              {within(judged("s", judge.Pass, 23, 0.2), 0), within(judged("s", judge.Pass, 392, 3.9), 0), Worse},
	} {
		if got := Compare([]Cell{c.a}, []Cell{c.b}).Pairs[0].Result; got != c.want {
			t.Errorf("%s: got %s, want %s", name, got, c.want)
		}
	}
}

func TestComparePairsByScenario(t *testing.T) {
	a := []Cell{judged("alb-ip-rotate", judge.Fail, 9, 1), judged("alias-switch", judge.Pass, 0, 0), judged("alias-switch", judge.Pass, 0, 0)}
	b := []Cell{judged("alias-switch", judge.Pass, 0, 0), judged("alb-ip-rotate", judge.Pass, 0, 0), judged("alb-ip-abrupt", judge.Pass, 0, 0)}
	c := Compare(a, b)
	var got []string
	for _, p := range c.Pairs {
		got = append(got, p.Scenario+" "+p.Result)
	}
	want := "alb-ip-rotate better|alias-switch no difference|alias-switch unproven|alb-ip-abrupt unproven"
	if strings.Join(got, "|") != want {
		t.Errorf("got %s, want %s", strings.Join(got, "|"), want)
	}
	if c.Overall() != string(Unproven) {
		t.Errorf("overall %s: an unproven pair must outweigh a better one", c.Overall())
	}
	if Compare(nil, nil).ExitCode() != 2 {
		t.Error("a comparison of nothing does not exit 2")
	}
}

func TestWorseOutweighsUnproven(t *testing.T) {
	a := []Cell{judged("x", judge.Pass, 0, 0), judged("y", judge.Unproven, 0, 0)}
	b := []Cell{judged("x", judge.Fail, 9, 1), judged("y", judge.Pass, 0, 0)}
	if c := Compare(a, b); c.ExitCode() != 1 || !strings.HasPrefix(c.Sentence(), "B is worse: ") {
		t.Errorf("exit %d, %q: want 1 and worse", c.ExitCode(), c.Sentence())
	}
}

func TestCompareWithItselfAndSwapped(t *testing.T) {
	cells := syntheticSuite(t)
	var proven []Cell
	for _, c := range cells {
		if s := c.State(); s != Unproven && s != NotRun {
			proven = append(proven, c)
		}
	}
	if c := Compare(proven, proven); c.Overall() != NoDifference {
		t.Errorf("a suite against itself: %s", c.Sentence())
	}
	for i := range proven {
		for j := range proven {
			there, back := Compare(proven[i:i+1], proven[j:j+1]), Compare(proven[j:j+1], proven[i:i+1])
			swapped := map[string]string{Better: Worse, Worse: Better, NoDifference: NoDifference}
			if back.Overall() != swapped[there.Overall()] {
				t.Errorf("%s against %s is %s, the other way round %s", proven[i].Manifest.Subject.ID, proven[j].Manifest.Subject.ID, there.Overall(), back.Overall())
			}
		}
	}
}

func TestComparisonTable(t *testing.T) {
	root := t.TempDir()
	all := catalogue()
	a, b := synthesize(t, root, "alb-ip-rotate", all[4], 1), synthesize(t, root, "alb-ip-rotate", all[6], 2)
	a.Manifest.Config.Path, b.Manifest.Config.Path = "./now.conf", "./next\x1b[2J.conf"
	c := Compare([]Cell{a}, []Cell{b})
	var text strings.Builder
	must(t, c.Table(&text))
	t.Log("\n" + text.String())
	for _, want := range []string{"A: ./now.conf", `B: ./next\x1b[2J.conf`, "better", "A is fail, B is pass", "A: resolved once at start", "B is better: better in 1,"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("the table lacks %q", want)
		}
	}
	for line := range strings.SplitSeq(text.String(), "\n") {
		if len(line) > tableWidth {
			t.Errorf("%d columns: %s", len(line), line)
		}
	}
}
