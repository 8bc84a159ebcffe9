package atlas

import (
	"fmt"
	"slices"
	"strings"

	"github.com/proxychaos/proxychaos/reports/compare"
)

// Aspect is what of a behaviour changed: Start, Verdict, Failures, Cause, or the name of a
// measure.
type Aspect string

// The aspects that are no measures.
const (
	Start    Aspect = "start"    // one of the two versions refuses the config
	Verdict  Aspect = "verdict"  // it held with one, and broke with the other
	Failures Aspect = "failures" // requests fail in another way
	Cause    Aspect = "cause"    // they fail for another reason
)

// Change is a difference between two versions of which nothing known lies between.
type Change struct {
	From     string `json:"from"` // the older version
	To       string `json:"to"`
	Config   string `json:"config"`
	Scenario string `json:"scenario"`
	Aspect   Aspect `json:"aspect"`
	Was      string `json:"was"` // with the older version
	Is       string `json:"is"`
	// Sure says that each version had EnoughRuns, or that one refuses the config.
	Sure bool `json:"sure"`
}

// String is "nginx/static in zone-flap: held became broke".
func (c Change) String() string {
	return fmt.Sprintf("%s in %s: %s", c.Config, c.Scenario, c.Words())
}

// Words are what changed without where: "connections per request 1 became 0.02".
func (c Change) Words() string {
	switch c.Aspect {
	case Start, Verdict:
		return c.Was + " became " + c.Is
	case Failures:
		return "requests failed with " + c.Was + ", and now with " + c.Is
	case Cause:
		return "the cause was " + c.Was + ", and is now " + c.Is
	}
	return string(c.Aspect) + " " + c.Was + " became " + c.Is
}

func (a Atlas) changes() []Change {
	var all []Change
	for to := range a.Versions {
		for _, row := range a.Rows {
			from := to - 1
			for from >= 0 && !row.Places[from].State.Known() {
				from--
			}
			if from < 0 || !row.Places[to].State.Known() {
				continue
			}
			for _, c := range differences(row.Places[from], row.Places[to]) {
				c.From, c.To, c.Config, c.Scenario = a.Versions[from].Version, a.Versions[to].Version, row.Config, row.Scenario
				all = append(all, c)
			}
		}
	}
	return all
}

// differences are in what two places differ. If the verdict is another one, how much was lost
// is no news, and neither is what it cost meanwhile.
func differences(was, is Place) []Change {
	if (was.State == Refused) != (is.State == Refused) {
		return []Change{{Aspect: Start, Was: was.words(), Is: is.words(), Sure: true}}
	}
	if was.State == Refused {
		return nil
	}
	sure := was.Runs >= EnoughRuns && is.Runs >= EnoughRuns
	if was.State != is.State && was.State != Differs && is.State != Differs {
		return []Change{{Aspect: Verdict, Was: was.words(), Is: is.words(), Sure: sure}}
	}
	var all []Change
	for _, of := range []struct {
		aspect   Aspect
		was, now []string
	}{{Failures, was.Outcomes, is.Outcomes}, {Cause, was.Causes, is.Causes}} {
		if len(of.was) == was.Runs && len(of.now) == is.Runs && disjoint(of.was, of.now) {
			all = append(all, Change{Aspect: of.aspect, Was: alternatives(of.was), Is: alternatives(of.now), Sure: sure})
		}
	}
	for _, m := range measures() {
		if before, now := was.Figures[m.Name], is.Figures[m.Name]; apart(before, now, m.Size(compare.DefaultSizes())) {
			all = append(all, Change{Aspect: Aspect(m.Name), Was: Figures(m, before), Is: Figures(m, now), Sure: sure})
		}
	}
	return all
}

// words are the state with what was lost: "broke (812 failed requests)".
func (p Place) words() string {
	lost := compare.Measures[0] // failed requests
	failed, ok := p.Figures[lost.Name]
	if p.State == Refused || !ok || slices.Max(failed) == 0 {
		return string(p.State)
	}
	return fmt.Sprintf("%s (%s %s)", p.State, lost.Name, Figures(lost, failed))
}

// Figures are the values of a figure: "812", or "757 to 840" if they differ.
func Figures(m compare.Measure, values []float64) string {
	low, high := m.Figure(slices.Min(values)), m.Figure(slices.Max(values))
	if low == high {
		return low
	}
	return low + " to " + high
}

// alternatives are the different words of some: "502", or "502 or timeout".
func alternatives(words []string) string {
	return strings.Join(slices.Compact(slices.Sorted(slices.Values(words))), " or ")
}

func disjoint(a, b []string) bool {
	return !slices.ContainsFunc(a, func(s string) bool { return slices.Contains(b, s) })
}

// apart says whether each value of the one is out of the band of the other, and the other way
// round.
func apart(a, b []float64, size float64) bool {
	return len(a) > 0 && len(b) > 0 && outside(a, b, size) && outside(b, a, size)
}

// share is the part of a figure by which it has to differ at least: one of 800 failed requests
// more or less is due to when the fault met the proxy's timers.
const share = 0.1

func outside(values, of []float64, size float64) bool {
	low, high := slices.Min(of), slices.Max(of)
	// A hair less, by which floating point may miss the size.
	wider := max(size*(1-1e-9), high-low, share*high)
	return slices.Min(values) > high+wider || slices.Max(values) < low-wider
}

// Unsure are the places that need more runs before the changes between them are sure: of each
// a config, a scenario and a version.
func (a Atlas) Unsure() []Key {
	var all []Key
	for _, c := range a.Changes {
		if c.Sure {
			continue
		}
		for _, version := range []string{c.From, c.To} {
			key := Key{c.Config, c.Scenario, version}
			if a.Place(key).Runs < EnoughRuns && !slices.Contains(all, key) {
				all = append(all, key)
			}
		}
	}
	return all
}

// Key names a place.
type Key struct{ Config, Scenario, Version string }

// Place is the one of a key; an empty one if there is none.
func (a Atlas) Place(k Key) Place {
	column := slices.IndexFunc(a.Versions, func(v Version) bool { return v.Version == k.Version })
	row := slices.IndexFunc(a.Rows, func(r Row) bool { return r.Config == k.Config && r.Scenario == k.Scenario })
	if column < 0 || row < 0 {
		return Place{}
	}
	return a.Rows[row].Places[column]
}

// Group is one change that several scenarios show of a config.
type Group struct {
	From, To  string
	Config    string
	Aspect    Aspect
	Changes   []Change
	Scenarios []string
}

// Groups are the changes that are sure, or those that are not, put together by versions,
// config and aspect.
func (a Atlas) Groups(sure bool) []Group {
	var all []Group
	for _, c := range a.Changes {
		if c.Sure != sure {
			continue
		}
		i := slices.IndexFunc(all, func(g Group) bool {
			return g.From == c.From && g.To == c.To && g.Config == c.Config && g.Aspect == c.Aspect
		})
		if i < 0 {
			i = len(all)
			all = append(all, Group{From: c.From, To: c.To, Config: c.Config, Aspect: c.Aspect})
		}
		all[i].Changes, all[i].Scenarios = append(all[i].Changes, c), append(all[i].Scenarios, c.Scenario)
	}
	return all
}

// Alike says whether all scenarios of a group show the same figures.
func (g Group) Alike() bool {
	return !slices.ContainsFunc(g.Changes, func(c Change) bool { return c.Words() != g.Changes[0].Words() })
}

// Sentence says where behaviour changed, in a line.
func (a Atlas) Sentence() string {
	if len(a.Versions) < 2 {
		return fmt.Sprintf("%s %s: with one version there is nothing to compare", a.Proxy, a.Span())
	}
	behaviours, changed := len(a.Rows), map[string]int{}
	var order []string
	for _, c := range a.Changes {
		if !c.Sure {
			continue
		}
		between := c.From + " and " + c.To
		if changed[between]++; changed[between] == 1 {
			order = append(order, between)
		}
	}
	if len(order) == 0 {
		return fmt.Sprintf("%s %s: no change in %d behaviours", a.Proxy, a.Span(), behaviours)
	}
	var parts []string
	for _, between := range order {
		parts = append(parts, fmt.Sprintf("%d between %s", a.changedBetween(between), between))
	}
	return fmt.Sprintf("%s %s: of %d behaviours changed %s", a.Proxy, a.Span(), behaviours, strings.Join(parts, ", "))
}

// changedBetween counts the rows, each once, that changed between two versions.
func (a Atlas) changedBetween(between string) int {
	seen := map[Key]bool{}
	for _, c := range a.Changes {
		if c.Sure && c.From+" and "+c.To == between {
			seen[Key{Config: c.Config, Scenario: c.Scenario}] = true
		}
	}
	return len(seen)
}
