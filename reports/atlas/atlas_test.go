package atlas

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/proxychaos/proxychaos/harness/judge"
	"github.com/proxychaos/proxychaos/reports/compare"
)

// ran is a run of a made-up nginx that loses nothing.
func ran(release, version, config, scenario string, change func(*Ran)) Ran {
	r := Ran{Kind: "nginx", Config: config, Role: "fix", Release: release}
	r.Run = compare.Run{Scenario: scenario, Version: version, Result: judge.Pass, Sent: 2000, Window: 8, Connections: 1}
	change(&r)
	return r
}

func same(*Ran) {}

func broke(failed int, outcome, cause string) func(*Ran) {
	return func(r *Ran) {
		r.Result, r.Failed, r.Never = judge.Fail, failed, true
		r.ByKind, r.Cause = map[string]int{outcome: failed, "connection": 1}, cause
	}
}

// times is one run for each of some changes.
func times(release, version string, changes ...func(*Ran)) []Ran {
	var all []Ran
	for _, change := range changes {
		all = append(all, ran(release, version, "nginx/static", "move", change))
	}
	return all
}

func said(a Atlas, sure bool) []string {
	all := []string{}
	for _, c := range a.Changes {
		if c.Sure == sure {
			all = append(all, fmt.Sprintf("%s to %s, %s", c.From, c.To, c))
		}
	}
	return all
}

// What counts as a change between two versions, and what does not.
func TestChanges(t *testing.T) {
	three := func(change func(*Ran)) []func(*Ran) { return []func(*Ran){change, change, change} }
	lost := func(n int) func(*Ran) { return broke(n, "502", judge.ResolvedOnce) }
	for name, c := range map[string]struct {
		old, new []func(*Ran)
		want     []string
		unsure   int // changes
		again    int // places that need more runs
	}{
		"nothing":                                {old: three(same), new: three(same)},
		"a verdict":                              {old: three(same), new: three(lost(800)), want: []string{"held became broke (failed requests 800)"}},
		"one that heals":                         {old: three(lost(800)), new: three(same), want: []string{"broke (failed requests 800) became held"}},
		"a verdict, in one run each":             {old: []func(*Ran){same}, new: []func(*Ran){lost(800)}, unsure: 1, again: 2},
		"a verdict that differs from run to run": {old: []func(*Ran){same, lost(4), same}, new: three(same)},
		"an outcome":                             {old: three(lost(800)), new: three(broke(800, "timeout", judge.ResolvedOnce)), want: []string{"requests failed with 502, and now with timeout"}},
		"an outcome of some runs":                {old: three(lost(800)), new: []func(*Ran){lost(800), broke(800, "timeout", judge.ResolvedOnce), lost(800)}},
		"a cause":                                {old: three(lost(800)), new: three(broke(800, "502", judge.PooledOld)), want: []string{"the cause was resolved-once, and is now pooled-kept-old"}},
		"a figure": {
			old: three(same), new: three(func(r *Ran) { r.Connections = 0.02 }),
			want: []string{"connections per request 1 became 0.02"},
		},
		"a figure by less than counts": {old: three(same), new: three(func(r *Ran) { r.Connections = 0.95 })},
		"a figure that wanders":        {old: []func(*Ran){lost(757), lost(800), lost(840)}, new: []func(*Ran){lost(850), lost(870), lost(900)}},
		"a figure in one run each":     {old: []func(*Ran){lost(757)}, new: []func(*Ran){lost(900)}, unsure: 1, again: 2},
		"one that refuses the config": {
			old: []func(*Ran){func(r *Ran) { r.Result, r.Refused = judge.Unproven, "unknown directive" }}, new: []func(*Ran){same},
			want: []string{"refused became held"},
		},
		"what proved nothing": {old: three(same), new: []func(*Ran){func(r *Ran) { r.Result, r.Why = judge.Unproven, "late" }}},
	} {
		t.Run(name, func(t *testing.T) {
			a := New(slices.Concat(times("testing", "1.30.6", c.new...), times("stable", "1.26.3", c.old...)))
			want := []string{}
			for _, words := range c.want {
				want = append(want, "1.26.3 to 1.30.6, nginx/static in move: "+words)
			}
			if got := said(a, true); !slices.Equal(got, want) {
				t.Errorf("got %q, want %q", got, want)
			}
			if got := said(a, false); len(got) != c.unsure {
				t.Errorf("unsure: %q, want %d", got, c.unsure)
			}
			if got := a.Unsure(); len(got) != c.again {
				t.Errorf("again: %v, want %d", got, c.again)
			}
		})
	}
}

// Versions are in their order and not in that of their releases; one that was not available is
// said; a change is between versions of which nothing known lies between.
func TestVersions(t *testing.T) {
	var all []Ran
	for range EnoughRuns {
		all = append(all,
			ran("testing", "2.4.69", "nginx/static", "move", broke(800, "503", "x")),
			ran("stable", "2.4.71", "nginx/static", "move", broke(800, "503", "x")),
			ran("oldstable", "2.4.9", "nginx/static", "move", same),
			ran("oldoldstable", "2.4.62", "nginx/static", "move", func(r *Ran) { r.Result, r.Why = judge.Unproven, "late" }),
			ran("2.4.58", "", "nginx/static", "move", func(r *Ran) { r.NotRun = "no registry" }),
			ran("oldstable", "", "nginx/static", "other", func(r *Ran) { r.NotRun = "no IPv6" }),
		)
	}
	a := New(all)
	var versions []string
	for _, v := range a.Versions {
		versions = append(versions, v.String())
	}
	if want := []string{"2.4.9 (oldstable)", "2.4.62 (oldoldstable)", "2.4.69 (testing)", "2.4.71 (stable)"}; !slices.Equal(versions, want) {
		t.Errorf("got %q, want %q", versions, want)
	}
	if want := []Missing{{"2.4.58", "no registry"}}; !reflect.DeepEqual(a.Missing, want) {
		t.Errorf("missing: %v", a.Missing)
	}
	if got := said(a, true); len(got) != 1 || !strings.HasPrefix(got[0], "2.4.9 to 2.4.69, ") {
		t.Errorf("got %q", got)
	}
	if want := "nginx 2.4.9 to 2.4.71: of 2 behaviours changed 1 between 2.4.9 and 2.4.69"; a.Sentence() != want {
		t.Errorf("got %q, want %q", a.Sentence(), want)
	}
	if p := a.Place(Key{"nginx/static", "other", "2.4.9"}); p.State != NotRun || p.Why != "no IPv6" {
		t.Errorf("got %+v", p)
	}
	slices.Reverse(all)
	if other := New(all); !reflect.DeepEqual(a.Changes, other.Changes) {
		t.Errorf("the order of the runs decides: %v, and %v", a.Changes, other.Changes)
	}
}

// A change that several scenarios show is one group.
func TestGroups(t *testing.T) {
	var all []Ran
	for range EnoughRuns {
		for _, scenario := range []string{"move", "outage"} {
			all = append(all,
				ran("stable", "1.26.3", "nginx/static", scenario, same),
				ran("testing", "1.30.6", "nginx/static", scenario, func(r *Ran) { r.Connections = 0.02 }))
		}
		all = append(all,
			ran("stable", "1.26.3", "nginx/variable", "move", same),
			ran("testing", "1.30.6", "nginx/variable", "move", func(r *Ran) { r.Queries = 9 }))
	}
	groups := New(all).Groups(true)
	if len(groups) != 2 || !slices.Equal(groups[0].Scenarios, []string{"move", "outage"}) || !groups[0].Alike() || groups[1].Aspect != "DNS queries per second" {
		t.Errorf("got %+v", groups)
	}
}
