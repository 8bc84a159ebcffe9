package proxies

import (
	_ "embed"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/template"

	"github.com/proxychaos/proxychaos/harness"
	"github.com/proxychaos/proxychaos/harness/judge"
	"github.com/proxychaos/proxychaos/harness/kind"
	"github.com/proxychaos/proxychaos/scenarios"
)

//go:embed page.md.tmpl
var pageText string

// Page writes docs/proxies.md. It is made of the catalogue and the facts alone.
func Page(w io.Writer, f Facts) error {
	page := pageView{Nights: f.Nights}
	for _, name := range kind.Names() {
		subjects, err := subjectsOf(name, f)
		if err != nil {
			return err
		}
		if len(subjects) > 0 {
			page.Proxies = append(page.Proxies, proxyView{Name: string(name), subjects: subjects})
		}
	}
	made, err := template.New("page").Funcs(template.FuncMap{"cell": cell, "join": strings.Join}).Parse(pageText)
	if err != nil {
		return err
	}
	return made.Execute(w, page)
}

// pageView is what the template is filled with.
type pageView struct {
	Nights  []Night
	Proxies []proxyView
}

// Cells is how many runs the page is made of.
func (p pageView) Cells() int {
	n := 0
	for _, proxy := range p.Proxies {
		for _, s := range proxy.subjects {
			n += len(s.runs)
		}
	}
	return n
}

// String is a night in words.
func (n Night) String() string {
	return fmt.Sprintf("%s, build %.7s, seed %d, %d requests a second, a TTL of %g s, the %s clock, %d cores",
		n.Began.Format("2006-01-02"), n.Commit, n.Seed, n.Rate, n.TTL, n.Clock, n.Cores)
}

// proxyView is one proxy.
type proxyView struct {
	Name     string
	subjects []subject
}

// Best are the configs to use, the one for the newest version first.
func (p proxyView) Best() []bestView {
	var views []bestView
	for _, s := range best(p.subjects) {
		if last := len(views) - 1; last >= 0 && views[last].Name == s.Name {
			views[last].more = append(views[last].more, s)
			continue
		}
		views = append(views, bestView{subject: s, proxy: p.Name, of: p.subjects})
	}
	return views
}

// Versions are those that ran.
func (p proxyView) Versions() []string { return versions(p.subjects) }

func versions(of []subject) []string {
	var all []string
	for _, s := range of {
		if v := s.version(); v != "" && !slices.Contains(all, v) {
			all = append(all, v)
		}
	}
	slices.SortFunc(all, kind.CompareVersions)
	return all
}

// NotRun says what of the proxy was not run, and why.
func (p proxyView) NotRun() []string {
	of := map[string][]string{}
	var reasons []string
	for _, s := range p.subjects {
		why := s.notRun
		switch {
		case len(s.runs) > 0:
			continue
		case why == "":
			why = "no night has had this config yet"
		}
		if of[why] == nil {
			reasons = append(reasons, why)
		}
		of[why] = append(of[why], "`"+strings.TrimPrefix(s.ID(), p.Name+"/")+"`")
	}
	for i, why := range reasons {
		reasons[i] = strings.Join(of[why], ", ") + ": " + why
	}
	return reasons
}

// Subjects are all configs of the proxy.
func (p proxyView) Subjects() []subjectView {
	var views []subjectView
	for _, s := range p.subjects {
		if n := len(views) - 1; n >= 0 && views[n].Name == s.Name {
			views[n].of = append(views[n].of, s)
			continue
		}
		views = append(views, subjectView{Name: s.Name, of: []subject{s}})
	}
	return views
}

// Unproven are the cells whose runs said nothing.
func (p proxyView) Unproven() []string {
	var cells []string
	for _, s := range p.subjects {
		for _, name := range s.Scenarios {
			if runs := s.in(name); len(runs) > 0 && worst(runs).Result == judge.Unproven {
				cells = append(cells, fmt.Sprintf("`%s` in `%s`", strings.TrimPrefix(s.ID(), p.Name+"/"), name))
			}
		}
	}
	return cells
}

// Broken are the pitfalls that broke, and what is said to hold and lost the name.
func (p proxyView) Broken() []brokenView {
	var views []brokenView
	for _, s := range p.subjects {
		if n := len(views) - 1; n >= 0 && views[n].Name == s.Name {
			continue // another version of it
		}
		if s.Role != harness.Pitfall && p.isBest(s.Name) {
			continue
		}
		if i := slices.IndexFunc(s.runs, func(r Run) bool {
			return r.Result == judge.Fail && (s.Role == harness.Pitfall || about(r.Scenario) == scenarios.AboutAddresses)
		}); i >= 0 {
			views = append(views, brokenView{subject: s, Run: s.runs[i]})
		}
	}
	return views
}

func (p proxyView) isBest(name string) bool {
	return slices.ContainsFunc(best(p.subjects), func(s subject) bool { return s.Name == name })
}

// brokenView is how a subject broke, in the first scenario in which it did.
type brokenView struct {
	subject
	Run Run
}

// Between says in what scenarios versions of the proxy differ with the same config.
func (p proxyView) Between() []string {
	var lines []string
	for _, view := range p.Subjects() {
		for i := 1; i < len(view.of); i++ {
			older, newer := view.of[i-1], view.of[i]
			for _, way := range []struct {
				a, b subject
				word string
			}{{older, newer, "holds"}, {newer, older, "breaks"}} {
				if names := differ(way.a, way.b); len(names) > 0 {
					lines = append(lines, fmt.Sprintf("`%s` %s on %s and not on %s: %s", view.Name, way.word, newer.version(), older.version(), strings.Join(names, ", ")))
				}
			}
		}
	}
	return lines
}

// differ are the scenarios in which a broke and b did not.
func differ(a, b subject) []string {
	var names []string
	for _, name := range a.Scenarios {
		x, y := a.in(name), b.in(name)
		if len(x) > 0 && len(y) > 0 && worst(x).Result == judge.Fail && worst(y).Held() {
			names = append(names, "`"+name+"`")
		}
	}
	return names
}
