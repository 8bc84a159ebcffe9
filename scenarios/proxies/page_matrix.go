package proxies

import (
	"fmt"
	"slices"
	"strings"

	"github.com/proxychaos/proxychaos/harness/judge"
	"github.com/proxychaos/proxychaos/scenarios"
)

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
