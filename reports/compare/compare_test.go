package compare

import (
	"math"
	"slices"
	"testing"

	"github.com/proxychaos/proxychaos/harness/judge"
	"github.com/proxychaos/proxychaos/harness/recording"
)

func ms(n recording.Seconds) *recording.Seconds { n /= 1000; return &n }

// clean is a run that lost nothing.
func clean() Run {
	return Run{
		Scenario: "s", Result: judge.Pass, Sent: 2000, Posts: 10, Window: 8,
		Before: ms(3), During: ms(3), After: ms(4), Lateness: 0.002, Connections: 0.05, Queries: 1,
	}
}

// with changes a clean run.
func with(change func(*Run)) Run {
	r := clean()
	change(&r)
	return r
}

func lost(failed int, recovery recording.Seconds) Run {
	return with(func(r *Run) { r.Failed, r.Recovery, r.Result = failed, recovery, judge.Fail })
}

// times are blocks of the same three runs.
func times(n int, a, b Run) []Block { return slices.Repeat([]Block{{A: a, B: b, Again: a}}, n) }

func TestWords(t *testing.T) {
	never := with(func(r *Run) { r.Failed, r.Never, r.Recovery, r.Result = 800, true, 7.9, judge.Fail })
	unproven := with(func(r *Run) { r.Result, r.Why = judge.Unproven, "the machine was busy" })
	for name, c := range map[string]struct {
		blocks []Block
		want   Word
	}{
		"nothing was run":                   {nil, CannotTell},
		"two blocks are too few":            {times(2, clean(), clean()), CannotTell},
		"three of the same":                 {times(3, clean(), clean()), NoDifference},
		"900 more, seven times":             {times(7, clean(), lost(900, 5)), Worse},
		"900 more, six times":               {times(6, clean(), lost(900, 5)), CannotTell},
		"900 fewer":                         {times(7, lost(900, 5), clean()), Better},
		"900 fewer, three times":            {times(3, lost(900, 5), clean()), NotWorse},
		"five more":                         {times(7, clean(), lost(5, 0)), Worse},
		"four more do not count":            {times(7, clean(), lost(4, 0)), NoDifference},
		"0.3 s later":                       {times(7, lost(100, 1), lost(100, 1.3)), Worse},
		"0.25 s later does not count":       {times(7, lost(100, 1), lost(100, 1.25)), NoDifference},
		"never against never":               {times(7, never, never), NoDifference},
		"never against 7 s":                 {times(7, with(func(r *Run) { *r = never; r.Never, r.Recovery = false, 7 }), never), Worse},
		"one POST sent twice":               {times(7, clean(), with(func(r *Run) { r.PostsTwice = 1 })), Worse},
		"a p99 of 50 % more":                {times(8, with(func(r *Run) { r.After = ms(100) }), with(func(r *Run) { r.After = ms(150) })), Worse},
		"a p99 of 15 % more does not count": {times(7, with(func(r *Run) { r.After = ms(100) }), with(func(r *Run) { r.After = ms(115) })), NoDifference},
		"less than 10 ms do not count":      {times(7, with(func(r *Run) { r.After = ms(1) }), with(func(r *Run) { r.After = ms(9) })), NoDifference},
		"the machine was late itself":       {times(7, with(func(r *Run) { r.After = ms(20) }), with(func(r *Run) { r.After, r.Lateness = ms(90), 0.1 })), NoDifference},
		"a connection per request":          {times(8, clean(), with(func(r *Run) { r.Connections = 1 })), Worse},
		"DNS asked 99 times less":           {times(8, with(func(r *Run) { r.Queries = 100 }), clean()), Better},
		"one request in ten again":          {times(8, clean(), with(func(r *Run) { r.Retries = 0.1 })), Worse},
		"what is lost decides before what it costs": {
			times(7, lost(900, 5), with(func(r *Run) { r.Queries, r.Connections = 100, 1 })), Better,
		},
		"what is lost has to be known before": {
			slices.Concat(times(4, clean(), with(func(r *Run) { r.Connections = 1 })), times(4, clean(), with(func(r *Run) { r.Failed, r.Connections = 300, 1 }))), CannotTell,
		},
		// It lost fewer since it was watched for less time.
		"never in a shorter run": {times(7, with(func(r *Run) { *r = never; r.Failed, r.Window = 900, 9 }), with(func(r *Run) { *r = never; r.Never, r.Failed, r.Recovery, r.Window = false, 3000, 30, 39 })), CannotTell},
		// It lost more though it was watched for less time.
		"never in a shorter run, beside one that held": {times(7, with(func(r *Run) { r.Window = 300 }), with(func(r *Run) { *r = never; r.Failed, r.Window = 900, 38 })), Worse},
		"never in runs of nearly the same time":        {times(7, with(func(r *Run) { *r = never; r.Window = 8.5 }), never), NoDifference},
		"unproven blocks do not count":                 {slices.Concat(times(3, clean(), clean()), times(9, clean(), unproven)), NoDifference},
		"a latency that wanders by itself": {
			slices.Concat(times(2, with(func(r *Run) { r.After = ms(50) }), with(func(r *Run) { r.After = ms(90) })), []Block{{A: with(func(r *Run) { r.After = ms(300) }), B: with(func(r *Run) { r.After = ms(60) }), Again: with(func(r *Run) { r.After = ms(40) })}}), NoDifference,
		},
		"one that is always longer, too": {
			slices.Repeat([]Block{{A: with(func(r *Run) { r.After = ms(300) }), B: with(func(r *Run) { r.After = ms(900) }), Again: with(func(r *Run) { r.After = ms(40) })}}, 8), Worse,
		},
		"nothing but unproven blocks": {times(9, clean(), unproven), CannotTell},
		// 300 requests lost in one run of three is no shift of all runs, and is found.
		"now and then": {slices.Concat(times(14, clean(), clean()), times(8, clean(), lost(300, 1))), Worse},
		"A's own runs stand out as often": {
			slices.Concat(times(8, clean(), lost(300, 1)), slices.Repeat([]Block{{A: lost(300, 1), B: clean(), Again: clean()}, {A: clean(), B: clean(), Again: lost(300, 1)}}, 8)), CannotTell,
		},
	} {
		t.Run(name, func(t *testing.T) {
			got := Compare(DefaultRules(), []string{"s"}, c.blocks)
			if got.Word != c.want || got.Scenarios[0].Word != c.want {
				t.Errorf("got %s, in the scenario %s, want %s", got.Word, got.Scenarios[0].Word, c.want)
				for _, e := range got.Scenarios[0].Evidence {
					t.Logf("%s: %s, p %.4f worse, %.4f better, %.4f not worse, %.4f not better", e.Measure.Name, e.Word, e.PWorse, e.PBetter, e.PNotWorse, e.PNotBetter)
				}
			}
		})
	}
}

// What is corrected for many scenarios takes more blocks; one bad scenario makes it worse.
func TestSeveralScenarios(t *testing.T) {
	in := func(scenario string, blocks []Block) []Block {
		for i := range blocks {
			for _, r := range []*Run{&blocks[i].A, &blocks[i].B, &blocks[i].Again} {
				r.Scenario = scenario
			}
		}
		return blocks
	}
	names := []string{"s", "u", "v", "w"}
	calm := slices.Concat(in("u", times(3, clean(), clean())), in("v", times(3, clean(), clean())), in("w", times(3, clean(), clean())))
	for n, want := range map[int]Word{7: CannotTell, 8: Worse} {
		if got := Compare(DefaultRules(), names, append(times(n, clean(), lost(900, 5)), calm...)); got.Word != want {
			t.Errorf("%d blocks: %s, want %s", n, got.Word, want)
		}
	}
	mixed := slices.Concat(times(8, lost(900, 5), clean()), in("u", times(8, clean(), lost(900, 5))))
	if got := Compare(DefaultRules(), names[:2], mixed); got.Word != Worse || got.Scenarios[0].Word != Better {
		t.Errorf("better in one and worse in another: %s", got.Word)
	}
	if got := Compare(DefaultRules(), names, times(9, clean(), clean())); got.Word != CannotTell {
		t.Errorf("three scenarios were not run: %s", got.Word)
	}
}

func TestFailedRuns(t *testing.T) {
	blocks := append(times(9, clean(), clean()), Block{A: lost(3, 1), B: clean(), Again: clean()})
	a, ofA, b, ofB, atMost := Compare(DefaultRules(), []string{"s"}, blocks).Scenarios[0].FailedRuns()
	if a != 1 || ofA != 20 || b != 0 || ofB != 10 || math.Abs(atMost-0.26) > 0.005 {
		t.Errorf("got %d of %d and %d of %d, at most %v", a, ofA, b, ofB, atMost)
	}
}

// Each scenario once, then the one that leans worse, then those that need least.
func TestTheOrderThatDecidesSoonest(t *testing.T) {
	rules, names := DefaultRules(), []string{"s", "u"}
	none := map[string]int{}
	if got := Compare(rules, names, nil).Next(none); got != "s" {
		t.Errorf("at first: %q", got)
	}
	if got := Compare(rules, names, nil).Next(map[string]int{"s": 1}); got != "u" {
		t.Errorf("while s runs: %q", got)
	}
	u := times(1, clean(), lost(900, 5))
	u[0].A.Scenario = "u"
	both := append(times(1, clean(), clean()), u...)
	if got := Compare(rules, names, both).Next(none); got != "u" {
		t.Errorf("u leans worse: %q", got)
	}
	if got := Compare(rules, names, both).Next(map[string]int{"u": 7}); got != "s" {
		t.Errorf("enough of u is running: %q", got)
	}
	if c := Compare(rules, names[:1], times(3, clean(), clean())); c.Next(none) != "" || c.Further(c.Scenarios[0]) != 0 {
		t.Errorf("settled: %q", c.Next(none))
	}
	unproven := with(func(r *Run) { r.Result, r.Why = judge.Unproven, "the machine was busy" })
	if got := Compare(rules, names[:1], times(3, clean(), unproven)).Next(none); got != "" {
		t.Errorf("nothing of s is ever proved: %q", got)
	}
	// Whoever is about to be better in what users lose need not wait for what it costs.
	dear := times(4, lost(900, 5), with(func(r *Run) { r.Connections = 1 }))
	for i := range dear {
		dear[i].B.Queries = 0.3 * float64(i) // and scatters
	}
	if c := Compare(rules, names[:1], dear); c.Further(c.Scenarios[0]) != 3 || c.Open(c.Scenarios[0])[0].Measure.Name != "failed requests" {
		t.Errorf("after 4 of 7 blocks: %d more", c.Further(c.Scenarios[0]))
	}
	c := Compare(rules, names[:1], times(2, clean(), lost(900, 5)))
	if got := c.Further(c.Scenarios[0]); got != 5 {
		t.Errorf("after 2 of 7 blocks: %d more", got)
	}
}

// Runs that were repeated alone on a quiet machine are quicker than those beside other cells,
// whichever side is slower.
func TestLatenciesOfRunsAloneAreNotHeldAgainstOthers(t *testing.T) {
	beside := with(func(r *Run) { r.After = ms(100) })
	alone := with(func(r *Run) { r.After, r.Alone = ms(20), true })
	uneven := times(8, beside, alone)
	got := Compare(DefaultRules(), []string{"s"}, uneven)
	if s := got.Scenarios[0]; got.Word != NoDifference || s.Uneven != 8 || slices.ContainsFunc(s.Evidence, func(e Evidence) bool { return e.Measure.Concern == Waited }) {
		t.Errorf("one of three was alone: got %s, %d uneven blocks, want no difference, 8, and no latency", got.Word, s.Uneven)
	}
	if got := Compare(DefaultRules(), []string{"s"}, slices.Concat(uneven, times(8, beside, with(func(r *Run) { r.After = ms(150) })))); got.Word != Worse {
		t.Errorf("blocks of runs beside others count beside them: got %s, want worse", got.Word)
	}
	all := times(8, alone, with(func(r *Run) { r.After, r.Alone = ms(40), true }))
	if got := Compare(DefaultRules(), []string{"s"}, all); got.Word != Worse || got.Scenarios[0].Uneven != 0 {
		t.Errorf("all three were alone: got %s, want worse", got.Word)
	}
	if got := Compare(DefaultRules(), []string{"s"}, times(7, clean(), with(func(r *Run) { r.Failed, r.Alone, r.Result = 900, true, judge.Fail }))); got.Word != Worse {
		t.Errorf("what is lost is lost alone too: got %s, want worse", got.Word)
	}
}
