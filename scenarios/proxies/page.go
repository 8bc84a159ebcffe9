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

// bestView is a config to use.
type bestView struct {
	subject
	proxy string
	more  []subject // the same on older versions
	of    []subject // all of the proxy
}

// Heading names the proxy, the versions and the config, as no other heading of the page does.
func (b bestView) Heading() string {
	on := versions(append([]subject{b.subject}, b.more...))
	return strings.TrimSpace(b.proxy+" "+strings.Join(on, ", ")) + ": " + b.Name
}

// Anchor is where the heading is found: lower case, without all but letters, digits and
// hyphens, each space a hyphen.
func (b bestView) Anchor() string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == ' ':
			return '-'
		case r == '-', r == '_', r >= 'a' && r <= 'z', r >= '0' && r <= '9':
			return r
		}
		return -1
	}, strings.ToLower(b.Heading()))
}

// Each is the same config on each version for which it is the best, the newest first.
func (b bestView) Each() []bestView {
	views := []bestView{b}
	for _, s := range b.more {
		views = append(views, bestView{subject: s, proxy: b.proxy, of: b.of})
	}
	return views
}

// Version is the newest on which it is the best; empty if it was not run.
func (b bestView) Version() string { return b.version() }

// Tally says in how many scenarios with a label it held.
func (b bestView) Tally(label string) string { return b.tally(label).String() }

// Costs are what it costs; nil if it was not run.
func (b bestView) Costs() *costView {
	r, ran := b.costs()
	if !ran {
		return nil
	}
	return &costView{figure(r.Connections), queries(r.Queries)}
}

// costView is what a config costs.
type costView struct{ Connections, Queries string }

// Files are those of the config.
func (b bestView) Files() []fileView {
	var views []fileView
	for _, f := range b.files {
		views = append(views, fileView{f.Name, strings.TrimRight(string(f.Content), "\n")})
	}
	return views
}

// fileView is one file of a config.
type fileView struct{ Name, Text string }

// Pitfall is what it is held against; nil if there is nothing.
func (b bestView) Pitfall() *subject {
	if s, ok := pitfall(b.of, b.subject); ok {
		return &s
	}
	return nil
}

// Matters are the lines that the pitfall has not.
func (b bestView) Matters() []string {
	if p := b.Pitfall(); p != nil {
		return matters(b.subject, *p)
	}
	return nil
}

// Loses are the scenarios in which requests failed, those that broke it first.
func (b bestView) Loses() []string {
	var broke, lost []string
	for _, name := range b.Scenarios {
		runs := b.in(name)
		if len(runs) == 0 {
			continue
		}
		r := worst(runs)
		line := fmt.Sprintf("`%s` %s", name, r)
		switch {
		case r.Result == judge.Fail:
			broke = append(broke, line)
		case r.Held() && r.Failed > 0:
			lost = append(lost, line)
		}
	}
	return append(broke, lost...)
}

// subjectView is a config, on each version on which it ran.
type subjectView struct {
	Name string
	of   []subject
}

// Link is where the page finds it.
func (s subjectView) Link() string { return s.of[0].Link() }

// Role is what articles say of it.
func (s subjectView) Role() harness.Role { return s.of[0].Role }

// Summary says what the config does.
func (s subjectView) Summary() string { return s.of[0].Summary }

// Since is the first version that takes it.
func (s subjectView) Since() string { return s.of[0].Since }

// Versions are a line for each version that ran.
func (s subjectView) Versions() []string {
	return s.each(func(one subject) string { return one.version() })
}

// Connections are those for each request.
func (s subjectView) Connections() []string {
	return s.each(func(one subject) string { r, _ := one.costs(); return figure(r.Connections) })
}

// Queries are those of DNS, a minute.
func (s subjectView) Queries() []string {
	return s.each(func(one subject) string { r, _ := one.costs(); return queries(r.Queries) })
}

// Held says in how many scenarios it held.
func (s subjectView) Held() []string {
	return s.each(func(one subject) string { return one.tally("").String() })
}

func (s subjectView) each(say func(subject) string) []string {
	var texts []string
	for _, one := range s.of {
		if len(one.runs) > 0 {
			texts = append(texts, say(one))
		}
	}
	return texts
}

// Matrix is what the configs that follow a name, or fail to, lost in each of the scenarios
// that half of them have.
func (p proxyView) Matrix() matrixView {
	var m matrixView
	for _, s := range p.subjects {
		if s.follows() && len(s.runs) > 0 {
			m.columns = append(m.columns, s)
		}
	}
	for _, s := range scenarios.All {
		n := 0
		for _, column := range m.columns {
			if slices.Contains(column.Scenarios, s.Name) {
				n++
			}
		}
		if n > 0 && 2*n >= len(m.columns) {
			m.names = append(m.names, s.Name)
		}
	}
	return m
}

// Questions are the scenarios that are not in the matrix.
func (p proxyView) Questions() []questionView {
	var views []questionView
	shown := p.Matrix()
	for _, s := range scenarios.All {
		q := questionView{Scenario: s.Name}
		for _, one := range p.subjects {
			runs := one.in(s.Name)
			if len(runs) == 0 || slices.Contains(shown.names, s.Name) && one.follows() {
				continue
			}
			r := worst(runs)
			text := fmt.Sprintf("`%s` %s", strings.TrimPrefix(one.ID(), p.Name+"/"), r)
			switch r.Result {
			case judge.Pass:
				q.Holds = append(q.Holds, text)
			case judge.Fail:
				q.Breaks = append(q.Breaks, text)
			}
		}
		if len(q.Holds)+len(q.Breaks) > 0 {
			views = append(views, q)
		}
	}
	return views
}

// questionView is a scenario, with who held and who did not.
type questionView struct {
	Scenario      string
	Holds, Breaks []string
}

// matrixView is a table of scenarios by subjects.
type matrixView struct {
	columns []subject
	names   []string
}

// Columns are their names with their versions.
func (m matrixView) Columns() []string {
	var all []string
	for _, s := range m.columns {
		all = append(all, fmt.Sprintf("`%s` %s", s.Name, s.version()))
	}
	return all
}

// Rows are the scenarios in which somebody lost something.
func (m matrixView) Rows() [][]string {
	var rows [][]string
	for _, name := range m.names {
		if !m.unhurt(name) {
			rows = append(rows, m.row(name))
		}
	}
	return rows
}

func (m matrixView) row(name string) []string {
	row := []string{"`" + name + "`"}
	for _, s := range m.columns {
		text := ""
		if runs := s.in(name); len(runs) > 0 {
			text = worst(runs).String()
		} else if slices.Contains(s.Scenarios, name) {
			text = "not run"
		}
		row = append(row, text)
	}
	return row
}

// unhurt says whether nobody lost anything.
func (m matrixView) unhurt(name string) bool {
	return !slices.ContainsFunc(m.row(name)[1:], func(text string) bool { return text != "0" && text != "" })
}

// Unhurt are the scenarios in which nobody lost anything.
func (m matrixView) Unhurt() []string {
	var names []string
	for _, name := range m.names {
		if m.unhurt(name) {
			names = append(names, "`"+name+"`")
		}
	}
	return names
}
