package reports

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/jedib0t/go-pretty/v6/text"

	"github.com/proxychaos/proxychaos/harness/judge"
)

// The narrow widths with one space between the columns add up to 100.
var pairColumns = []column{
	{"SCENARIO", 30, 20, text.AlignLeft},
	{"B IS", 13, 13, text.AlignLeft},
	{"A", 8, 8, text.AlignLeft},
	{"A FAILED\n/SENT", 15, 12, text.AlignRight},
	{"A RECOVERY", 15, 10, text.AlignRight},
	{"B", 8, 8, text.AlignLeft},
	{"B FAILED\n/SENT", 15, 12, text.AlignRight},
	{"B RECOVERY", 15, 10, text.AlignRight},
}

// Table writes both configurations side by side, one row a scenario, in 100
// columns of ASCII, coloured as Table is.
func (c Comparison) Table(w io.Writer) error {
	p := newPaint(w)
	var b strings.Builder
	for _, line := range append(indented("A: "+c.A), indented("B: "+c.B)...) {
		b.WriteString(p.bold(strings.TrimPrefix(line, "    ")) + "\n")
	}
	rows := make([]row, len(c.Pairs))
	for i, pair := range c.Pairs {
		rows[i] = pairRow(pair)
	}
	write(&b, p, pairColumns, rows)
	b.WriteString("\n" + p.state(stateOf(c.Overall()), []string{c.Sentence()}) + "\n")
	for _, line := range wrap(noise, tableWidth) {
		b.WriteString(line + "\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func pairRow(pair Pair) row {
	r := row{verdict: 1, state: stateOf(pair.Result)}
	result := pair.Result
	if r.state != Expected {
		result = strings.ToUpper(result)
	}
	r.cells = slices.Concat([]string{plain(pair.Scenario), result}, sideCells(pair.A), sideCells(pair.B))
	for _, reason := range pair.Reasons {
		r.below = append(r.below, indented(reason)...)
	}
	for _, side := range []struct{ name, finding string }{{"A", pair.A.FirstFinding()}, {"B", pair.B.FirstFinding()}} {
		if side.finding != "" {
			r.below = append(r.below, indented(side.name+": "+side.finding)...)
		}
	}
	return r
}

func sideCells(c Cell) []string {
	if c.NotRun != "" {
		return []string{"not run", "", ""}
	}
	v := c.Verdict
	result := v.Result
	if result != judge.Pass {
		result = strings.ToUpper(cmp.Or(result, "none"))
	}
	return []string{plain(result), fmt.Sprintf("%d/%d", v.Failed, v.Sent), recovery(v)}
}

// stateOf is the state whose colour a result has.
func stateOf(result string) State {
	switch result {
	case Worse:
		return Unexpected
	case string(Unproven):
		return Unproven
	case NotCompared:
		return NotRun
	default:
		return Expected
	}
}
