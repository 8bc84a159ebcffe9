// Package atlas says how a proxy behaved in each of its versions, and between which two of
// them that changed. It is a pure function of the figures of runs.
//
// A behaviour is that of one config in one scenario: whether the version takes the config,
// whether it held, how its requests failed and why, and the figures by which configs are
// compared (compare.Measures), but for latencies, which depend on the machine. Two versions
// that follow one another differ in it if no run of the one came out as any of the other. A
// figure differs if each of the one's values is out of the other's band, and the other way
// round; a band is that of a baseline: from the smallest to the largest value, wider on both
// sides by that width, by the size that counts, and by a tenth of the value at least.
package atlas

import (
	"cmp"
	"slices"
	"strings"

	"github.com/proxychaos/proxychaos/harness/judge"
	"github.com/proxychaos/proxychaos/harness/kind"
	"github.com/proxychaos/proxychaos/reports/compare"
)

// Schema is the version of the JSON of an Atlas, which atlas.schema.json describes.
const Schema = 1

// EnoughRuns is how many runs each of two versions has to have for a change between them to be
// sure: with fewer, a figure that differs from run to run looks like one.
const EnoughRuns = 3

// Ran is a run of a config in a scenario.
type Ran struct {
	compare.Run
	Kind    string // of the proxy
	Config  string // without its release: nginx/static
	Role    string // of the config
	Release string
	ByKind  map[string]int // failed requests, by their outcome
	Cause   string         // the code of the first finding of a run in which requests failed
	// Refused says why the proxy does not start with the config, in its own words.
	Refused string
	// NotRun says why there was no run.
	NotRun string
}

// State is what became of a config in a scenario with one version.
type State string

// The states. Differs: it held in some runs and broke in others.
const (
	Held     State = "held"
	Broke    State = "broke"
	Differs  State = "differs"
	Refused  State = "refused" // the proxy does not start with the config
	Unproven State = "unproven"
	NotRun   State = "not run"
	Nothing  State = "" // there is nothing of it
)

// Known says whether something is known of the proxy.
func (s State) Known() bool { return s == Held || s == Broke || s == Differs || s == Refused }

// Atlas is the behaviour of a kind of proxy by its version.
type Atlas struct {
	Schema   int       `json:"schema"`
	Proxy    string    `json:"proxy"`    // the kind
	Versions []Version `json:"versions"` // the oldest first
	// Missing are releases that were not available.
	Missing []Missing `json:"missing"`
	Rows    []Row     `json:"rows"`
	// Changes are in the order of the versions and of the rows.
	Changes []Change `json:"changes"`
}

// Version is one that was run.
type Version struct {
	Version  string   `json:"version"`
	Releases []string `json:"releases"` // that have it
}

// Missing is a release that was not available.
type Missing struct {
	Release string `json:"release"`
	Why     string `json:"why"`
}

// Row is a config in a scenario, with a place for each of the versions.
type Row struct {
	Config   string  `json:"config"`
	Role     string  `json:"role"`
	Scenario string  `json:"scenario"`
	Places   []Place `json:"places"`
}

// Place is a config in a scenario with one version, in all runs.
type Place struct {
	State State `json:"state"`
	// Why it was refused, or is not known.
	Why  string `json:"why,omitempty"`
	Runs int    `json:"runs"` // that were proved
	// Figures are their values, by the name of the measure.
	Figures  map[string][]float64 `json:"figures,omitempty"`
	Outcomes []string             `json:"outcomes,omitempty"` // of each run, how most of its failed requests failed
	Causes   []string             `json:"causes,omitempty"`   // of each run in which requests failed, a code of package judge
}

// New makes the atlas of one kind of proxy, of runs in the order in which rows are shown.
func New(runs []Ran) Atlas {
	a := Atlas{Schema: Schema, Versions: []Version{}, Missing: []Missing{}, Rows: []Row{}, Changes: []Change{}}
	for _, r := range runs {
		a.Proxy = r.Kind
		a.addVersion(r)
	}
	slices.SortFunc(a.Versions, func(x, y Version) int { return kind.CompareVersions(x.Version, y.Version) })
	a.addMissing(runs)
	for _, r := range runs {
		a.row(r).add(a.column(r), r)
	}
	for i := range a.Rows {
		for j := range a.Rows[i].Places {
			a.Rows[i].Places[j].settle()
		}
	}
	a.Changes = append(a.Changes, a.changes()...)
	return a
}

func (a *Atlas) addVersion(r Ran) {
	if r.Version == "" {
		return
	}
	i := slices.IndexFunc(a.Versions, func(v Version) bool { return v.Version == r.Version })
	if i < 0 {
		i = len(a.Versions)
		a.Versions = append(a.Versions, Version{Version: r.Version})
	}
	if v := &a.Versions[i]; !slices.Contains(v.Releases, r.Release) {
		v.Releases = append(v.Releases, r.Release)
	}
}

// addMissing notes the releases of which no run says a version.
func (a *Atlas) addMissing(runs []Ran) {
	for _, r := range runs {
		known := slices.ContainsFunc(a.Versions, func(v Version) bool { return slices.Contains(v.Releases, r.Release) })
		noted := slices.ContainsFunc(a.Missing, func(m Missing) bool { return m.Release == r.Release })
		if !known && !noted {
			a.Missing = append(a.Missing, Missing{r.Release, cmp.Or(r.NotRun, r.Refused, r.Why)})
		}
	}
}

// column is where a run's version stands; that of its release if the run does not say it, and
// -1 if that is not known.
func (a *Atlas) column(r Ran) int {
	return slices.IndexFunc(a.Versions, func(v Version) bool {
		return v.Version == r.Version || r.Version == "" && slices.Contains(v.Releases, r.Release)
	})
}

func (a *Atlas) row(r Ran) *Row {
	i := slices.IndexFunc(a.Rows, func(row Row) bool { return row.Config == r.Config && row.Scenario == r.Scenario })
	if i < 0 {
		i = len(a.Rows)
		a.Rows = append(a.Rows, Row{Config: r.Config, Role: r.Role, Scenario: r.Scenario, Places: make([]Place, len(a.Versions))})
	}
	return &a.Rows[i]
}

// add adds a run to its place. What is known counts, and beside it what is not does not.
func (row *Row) add(column int, r Ran) {
	if column < 0 {
		return
	}
	p := &row.Places[column]
	switch {
	case r.Refused != "":
		p.State, p.Why = Refused, r.Refused
	case r.NotRun != "":
		p.lacks(NotRun, r.NotRun)
	case r.Result != judge.Pass && r.Result != judge.Fail:
		p.lacks(Unproven, r.Why)
	default:
		p.addFigures(r)
	}
}

// lacks says why nothing is known, unless something is.
func (p *Place) lacks(state State, why string) {
	if !p.State.Known() {
		p.State, p.Why = state, why
	}
}

func (p *Place) addFigures(r Ran) {
	state := Held
	if r.Result == judge.Fail {
		state = Broke
	}
	if p.State.Known() && p.State != state {
		state = Differs
	}
	p.State, p.Why, p.Runs = state, "", p.Runs+1
	if p.Figures == nil {
		p.Figures = map[string][]float64{}
	}
	for _, m := range measures() {
		if x, ok := m.Of(r.Run); ok {
			p.Figures[m.Name] = append(p.Figures[m.Name], x)
		}
	}
	if r.Failed > 0 {
		p.Outcomes, p.Causes = append(p.Outcomes, most(r.ByKind)), append(p.Causes, r.Cause)
	}
}

// settle puts what was added in an order that does not depend on that of the runs.
func (p *Place) settle() {
	slices.Sort(p.Outcomes)
	slices.Sort(p.Causes)
	for _, values := range p.Figures {
		slices.Sort(values)
	}
}

// most is the outcome that most requests had; of several the first by its name.
func most(byKind map[string]int) string {
	found := ""
	for kind, n := range byKind {
		if n > byKind[found] || n == byKind[found] && kind < found {
			found = kind
		}
	}
	return found
}

// measures are those whose figures are compared.
func measures() []compare.Measure {
	return slices.DeleteFunc(slices.Clone(compare.Measures), func(m compare.Measure) bool { return m.Concern == compare.Waited })
}

// Span is "1.18.0 to 1.30.6", or the only version.
func (a Atlas) Span() string {
	if len(a.Versions) == 0 {
		return "no version"
	}
	first, last := a.Versions[0].Version, a.Versions[len(a.Versions)-1].Version
	if first == last {
		return first
	}
	return first + " to " + last
}

// String is a version with the releases that have it: "1.26.3 (stable)".
func (v Version) String() string {
	return v.Version + " (" + strings.Join(v.Releases, ", ") + ")"
}
