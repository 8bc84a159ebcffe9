package reports

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/proxychaos/proxychaos/harness/judge"
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
		"cannot tell": {2, held, broke, "cannot tell yet: B looks worse in alb-ip-rotate (failed requests 0 with A, ", 2},
		"none":        {0, held, broke, "cannot tell yet: nothing is known so far; 1 scenario undecided: alb-ip-rotate; it would take about 3 more blocks", 2},
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
	for longer, want := range map[string]string{"": "FOR=5m", "--for ": "--for 5m"} {
		slow.Longer = longer
		if got := slow.Sentence(); !strings.HasSuffix(got, " with B, after 2 blocks); 1 scenario undecided: alb-ip-rotate; it would take about 5 more blocks, "+want) {
			t.Errorf("%q does not say how long it would take", got)
		}
	}
}

// What was not compared is said where the answer is.
func TestTheFirstLineSaysWhereLatenciesWereNotCompared(t *testing.T) {
	_, held := brokeAndHeld(t)
	alone := held
	alone.Manifest.Alone = true
	got := comparisonOf(3, []Cell{held}, []Cell{alone})
	if want := "roll out: no difference that counts in 1 scenario; latencies not compared, since some runs were repeated alone on a busy machine: alb-ip-rotate"; got.Sentence() != want {
		t.Errorf("got  %s\nwant %s", got.Sentence(), want)
	}
	var text strings.Builder
	must(t, got.Table(&text))
	if !strings.Contains(text.String(), "latencies of 3 blocks not compared") {
		t.Errorf("the table does not say which blocks:\n%s", text.String())
	}
	if got := comparisonOf(3, []Cell{alone}, []Cell{alone}).Sentence(); strings.Contains(got, "latencies") {
		t.Errorf("all were alone: %s", got)
	}
}

// While some scenarios are open, the first line says what the others have shown.
func TestTheFirstLineSaysWhatIsKnownSoFar(t *testing.T) {
	broke, held := brokeAndHeld(t)
	in := func(name string, n int, a, b Cell) []compare.Block {
		a.Manifest.Scenario, b.Manifest.Scenario = name, name
		runA, runB := compare.NewRun(a.Manifest, a.Verdict), compare.NewRun(b.Manifest, b.Verdict)
		return slices.Repeat([]compare.Block{{A: runA, B: runB, Again: runA}}, n)
	}
	unproven := held
	unproven.Verdict.Result, unproven.Verdict.Reasons = judge.Unproven, []string{"the machine was busy"}
	names := []string{"alb-ip-rotate", "alias-switch", "dns-silence", "zone-flap", "tls-hang"}
	for name, tc := range map[string]struct {
		blocks []compare.Block
		want   []string // regular expressions, in this order
	}{
		"better in one, proved": {
			slices.Concat(in(names[0], 12, broke, held), in(names[1], 1, held, held)),
			[]string{`^cannot tell yet: B is better in alb-ip-rotate \(failed requests [1-9][\d,]* with A, 0 with B, after 12 blocks\), nowhere worse so far; 4 scenarios undecided: alias-switch, dns-silence, zone-flap and 1 more; it would take about 11 more blocks$`},
		},
		"better in two, not proved": {
			slices.Concat(in(names[0], 1, broke, held), in(names[1], 1, broke, held)),
			[]string{`^cannot tell yet: B looks better in alb-ip-rotate and 1 more \(failed requests [1-9][\d,]* with A, 0 with B, after 1 block\), nowhere worse so far; 5 scenarios undecided: `},
		},
		"better in one, and worse in another, not proved": {
			slices.Concat(in(names[0], 1, broke, held), in(names[1], 1, held, broke)),
			[]string{`^cannot tell yet: B looks better in alb-ip-rotate \(.*\), B looks worse in alias-switch \(failed requests 0 with A, .* after 1 block\); 5 scenarios`},
		},
		"alike so far": {in(names[0], 1, held, held), []string{`^cannot tell yet: nowhere worse so far; `}},
		"nothing proved in one": {
			slices.Concat(in(names[0], 1, held, held), in(names[1], 3, held, unproven)),
			[]string{`^cannot tell yet: nowhere worse so far; `, `; nothing was proved in alias-switch: B: the machine was busy; it would take `},
		},
	} {
		t.Run(name, func(t *testing.T) {
			got := NewComparison("a", "b", compare.Compare(compare.DefaultRules(), names, tc.blocks), nil)
			for _, want := range tc.want {
				if !regexp.MustCompile(want).MatchString(got.Sentence()) {
					t.Errorf("got  %s\nwant %s", got.Sentence(), want)
				}
			}
		})
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
