package reports

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/proxychaos/proxychaos/reports/compare"
)

// comparisonOf is a comparison in which each run of A came out as a, and each of B as b, n
// times over.
func comparisonOf(n int, a, b []Cell) Comparison {
	var blocks []compare.Block
	var names []string
	last := map[string][2]Cell{}
	for i := range a {
		name := a[i].Manifest.Scenario
		names, last[name] = append(names, name), [2]Cell{a[i], b[i]}
		runA, runB := compare.NewRun(a[i].Manifest, a[i].Verdict), compare.NewRun(b[i].Manifest, b[i].Verdict)
		blocks = append(blocks, slices.Repeat([]compare.Block{{A: runA, B: runB, Again: runA}}, n)...)
	}
	return NewComparison(a[0].Manifest.Config.Path, b[0].Manifest.Config.Path, compare.Compare(compare.DefaultRules(), names, blocks), last)
}

// Of the suite of the tests, one that broke and one that held in the same scenario.
func brokeAndHeld(t *testing.T) (broke, held Cell) {
	all := catalogue()
	root := t.TempDir()
	broke, held = synthesize(t, root, "alb-ip-rotate", all[4], 1), synthesize(t, root, "alb-ip-rotate", all[6], 2)
	broke.Manifest.Config.Path, held.Manifest.Config.Path = "./now.conf", "./next\x1b[2J.conf"
	return broke, held
}

func TestTheFirstLineSaysWhatToDo(t *testing.T) {
	broke, held := brokeAndHeld(t)
	for name, c := range map[string]struct {
		n    int
		a, b Cell
		want string
		exit int
	}{
		"worse":       {8, held, broke, "do not roll out: B is worse: failed requests 0 with A, ", 1},
		"better":      {8, broke, held, "roll out: B is better: failed requests ", 0},
		"the same":    {3, held, held, "roll out: no difference that counts in 1 scenario", 0},
		"cannot tell": {2, held, broke, "cannot tell: failed requests, recovery in alb-ip-rotate: about 5 more blocks would tell", 2},
		"none":        {0, held, broke, "cannot tell: alb-ip-rotate: about 3 more blocks would tell", 2},
	} {
		t.Run(name, func(t *testing.T) {
			got := comparisonOf(c.n, []Cell{c.a}, []Cell{c.b})
			if !strings.HasPrefix(got.Sentence(), c.want) || got.ExitCode() != c.exit {
				t.Errorf("exit %d, %q: want %d, %q", got.ExitCode(), got.Sentence(), c.exit, c.want)
			}
		})
	}
	cheap := held
	cheap.Verdict.ConnectionsPerRequest, cheap.Verdict.DNSBefore, cheap.Verdict.DNSAfter = broke.Verdict.ConnectionsPerRequest, broke.Verdict.DNSBefore, broke.Verdict.DNSAfter
	if got := comparisonOf(3, []Cell{broke}, []Cell{cheap}); !strings.HasPrefix(got.Sentence(), "roll out: B is not worse; whether it is better was not seen: ") || got.ExitCode() != 0 {
		t.Errorf("exit %d, %q", got.ExitCode(), got.Sentence())
	}
	slow := comparisonOf(2, []Cell{held}, []Cell{broke})
	slow.PerBlock = time.Minute
	if got := slow.Sentence(); !strings.HasSuffix(got, "about 5 more blocks would tell, FOR=5m") {
		t.Errorf("%q does not say how long it would take", got)
	}
}

func TestComparisonTable(t *testing.T) {
	broke, held := brokeAndHeld(t)
	c := comparisonOf(8, []Cell{broke}, []Cell{held})
	c.Changes = "-proxy_pass http://backend;\n+proxy_pass http://$backend;\n"
	var text strings.Builder
	must(t, c.Table(&text))
	t.Log("\n" + text.String())
	for _, want := range []string{
		"roll out: B is better", "A: ./now.conf", `B: ./next\x1b[2J.conf`, "failed requests", "better", "recovery",
		"8 blocks; requests failed in 16 of 16 runs of A and 0 of 8 of B, so with 95 % in at most 31",
		"    +proxy_pass http://$backend;\n",
	} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("the table lacks %q", want)
		}
	}
	first, _, _ := strings.Cut(text.String(), "\n")
	if !strings.HasPrefix(first, "roll out") {
		t.Errorf("the first line is %q", first)
	}
	for line := range strings.SplitSeq(text.String(), "\n") {
		if len(line) > tableWidth && line != first {
			t.Errorf("%d columns: %s", len(line), line)
		}
	}
}
