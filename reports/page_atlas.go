package reports

import (
	"fmt"
	"slices"
	"strings"

	"github.com/proxychaos/proxychaos/reports/atlas"
	"github.com/proxychaos/proxychaos/reports/compare"
)

// mostShown is how many cells the page of an atlas shows whole.
const mostShown = 24

// AtlasPage is the page of an atlas. Of its cells, it shows whole a run on both sides of each
// change that is sure; of a change that several scenarios show, the first of them.
func AtlasPage(a atlas.Atlas, cells []Cell) Page {
	p := Page{Atlas: &a, Title: fmt.Sprintf("%s %s", a.Proxy, a.Span())}
	var shown []atlas.Key
	for _, g := range a.Groups(true) {
		for _, version := range []string{g.From, g.To} {
			key := atlas.Key{Config: g.Config, Scenario: g.Scenarios[0], Version: version}
			i := slices.IndexFunc(cells, func(c Cell) bool { return c.Dir != "" && c.State() != Unproven && keyOf(c) == key })
			if i >= 0 && len(p.Cells) < mostShown && !slices.Contains(shown, key) {
				shown, p.Cells = append(shown, key), append(p.Cells, cells[i])
			}
		}
	}
	return p
}

// keyOf is the place of a cell in an atlas.
func keyOf(c Cell) atlas.Key {
	m := c.Manifest
	return atlas.Key{Config: m.Subject.Kind + "/" + m.Subject.Name, Scenario: m.Scenario, Version: m.Image.Version}
}

// atlasView is the head of the page of an atlas.
type atlasView struct {
	atlas.Atlas
	Sentence string
	Groups   []atlasGroup
	Doubtful []atlasGroup // what fewer runs show than it takes
	Configs  []atlasConfig
}

// atlasGroup is what changed of a config between two versions.
type atlasGroup struct {
	Between, Config string
	Lines           []string
}

type atlasConfig struct {
	Name, Role string
	Rows       []atlasRow
}

type atlasRow struct {
	Scenario string
	Places   []atlasPlace
}

type atlasPlace struct {
	Version string
	Anchor  string // empty if there is no article
	Text    string
	Class   string
	Title   string
	Changed bool // since the version before
}

func newAtlasView(a atlas.Atlas, cells []Cell) *atlasView {
	anchors := map[atlas.Key]string{}
	for i, c := range cells {
		anchors[keyOf(c)] = anchorOf(i)
	}
	changed := map[atlas.Key]bool{}
	for _, c := range a.Changes {
		if c.Sure {
			changed[atlas.Key{Config: c.Config, Scenario: c.Scenario, Version: c.To}] = true
		}
	}
	v := &atlasView{Atlas: a, Sentence: a.Sentence(), Groups: atlasGroups(a.Groups(true)), Doubtful: atlasGroups(a.Groups(false))}
	for _, row := range a.Rows {
		i := slices.IndexFunc(v.Configs, func(c atlasConfig) bool { return c.Name == row.Config })
		if i < 0 {
			i = len(v.Configs)
			v.Configs = append(v.Configs, atlasConfig{Name: row.Config, Role: row.Role})
		}
		shown := atlasRow{Scenario: row.Scenario}
		for j, place := range row.Places {
			key := atlas.Key{Config: row.Config, Scenario: row.Scenario, Version: a.Versions[j].Version}
			shown.Places = append(shown.Places, newAtlasPlace(place, key, anchors[key], changed[key]))
		}
		v.Configs[i].Rows = append(v.Configs[i].Rows, shown)
	}
	return v
}

// atlasGroups puts the changes of one config between two versions together.
func atlasGroups(groups []atlas.Group) []atlasGroup {
	var all []atlasGroup
	for _, g := range groups {
		between := g.From + " to " + g.To
		i := slices.IndexFunc(all, func(have atlasGroup) bool { return have.Between == between && have.Config == g.Config })
		if i < 0 {
			i = len(all)
			all = append(all, atlasGroup{Between: between, Config: g.Config})
		}
		all[i].Lines = append(all[i].Lines, groupLines(g)...)
	}
	return all
}

// groupLines says a change of one kind: in one line for all scenarios if they show the same.
func groupLines(g atlas.Group) []string {
	if g.Alike() {
		return []string{g.Changes[0].Words() + ", in " + strings.Join(g.Scenarios, ", ")}
	}
	var lines []string
	for _, c := range g.Changes {
		lines = append(lines, c.Words()+", in "+c.Scenario)
	}
	return lines
}

// atlasClasses are the colours of states.
var atlasClasses = map[atlas.State]State{
	atlas.Held: Expected, atlas.Broke: Unexpected, atlas.Differs: Unproven, atlas.Refused: Unproven, atlas.Unproven: NotRun, atlas.NotRun: NotRun,
}

func newAtlasPlace(p atlas.Place, key atlas.Key, anchor string, changed bool) atlasPlace {
	v := atlasPlace{Version: key.Version, Anchor: anchor, Text: string(p.State), Title: p.Why, Changed: changed}
	if p.State == atlas.Nothing {
		return v
	}
	v.Class = cssClass(atlasClasses[p.State])
	if p.Runs == 0 {
		return v
	}
	said := []string{count(p.Runs, "run")}
	for _, m := range compare.Measures {
		if values := p.Figures[m.Name]; len(values) > 0 {
			said = append(said, m.Name+" "+atlas.Figures(m, values))
		}
	}
	v.Title = strings.Join(said, "; ")
	if failed := p.Figures[compare.Measures[0].Name]; slices.Max(failed) > 0 {
		v.Text += ", " + atlas.Figures(compare.Measures[0], failed) + " failed"
	}
	return v
}
