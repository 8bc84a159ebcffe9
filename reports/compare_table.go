package reports

import (
	"fmt"
	"io"
	"strings"

	"github.com/jedib0t/go-pretty/v6/text"

	"github.com/proxychaos/proxychaos/reports/compare"
)

// The narrow widths with one space between the columns add up to 100.
var pairColumns = []column{
	{"SCENARIO", 24, 20, text.AlignLeft},
	{"B IS", 13, 13, text.AlignLeft},
	{"MEASURE", 23, 18, text.AlignLeft},
	{"A", 10, 8, text.AlignRight},
	{"B", 10, 8, text.AlignRight},
	{"B - A\n(95 %)", 24, 20, text.AlignRight},
	{"A - A\nAGAIN", 9, 7, text.AlignRight},
}

// Table writes the outcome in one line, then a row for each measure in each scenario, then
// what differs between the files. It is 100 columns of ASCII, coloured as Table is.
func (c Comparison) Table(w io.Writer) error {
	p := newPaint(w)
	var b strings.Builder
	b.WriteString(p.state(stateOf(c.Overall()), []string{plain(c.Sentence())}) + "\n")
	for _, line := range wrap(plain(c.because()), tableWidth) {
		b.WriteString(p.bold(line) + "\n")
	}
	for _, line := range append(indented("A: "+c.A), indented("B: "+c.B)...) {
		b.WriteString(p.bold(strings.TrimPrefix(line, "    ")) + "\n")
	}
	var rows []row
	for _, s := range c.Decision.Scenarios {
		rows = append(rows, scenarioRows(s)...)
	}
	write(&b, p, pairColumns, rows)
	if c.Changes != "" {
		b.WriteString("\nWhat differs between A and B:\n")
		for line := range strings.Lines(c.Changes) {
			b.WriteString("    " + plain(strings.TrimSuffix(line, "\n")) + "\n")
		}
	}
	if len(c.Why) > 0 {
		b.WriteString("\nEach change undone by itself, in " + plain(c.WhyIn) + ":\n")
	}
	for _, blame := range c.Why {
		for _, line := range indented(blame.line()) {
			b.WriteString(line + "\n")
		}
	}
	b.WriteByte('\n')
	for _, line := range wrap(noise, tableWidth) {
		b.WriteString(line + "\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// scenarioRows has the scenario's own word in the first row, and that of a measure in each.
func scenarioRows(s compare.Scenario) []row {
	var rows []row
	for _, e := range shown(s) {
		m := e.Measure
		rows = append(rows, row{
			cells:   []string{"", word(e.Word), m.Name, m.Figure(e.A), m.Figure(e.B), strings.Replace(withInterval(e), " (", "\n(", 1), m.Apart(e.Noise)},
			verdict: 1, state: stateOf(string(e.Word)),
		})
	}
	if len(rows) == 0 {
		rows = []row{{cells: []string{"", word(s.Word), "", "", "", "", ""}, verdict: 1, state: stateOf(string(s.Word))}}
	}
	rows[0].cells[0] = plain(s.Name)
	last := &rows[len(rows)-1]
	for _, line := range runs(s) {
		last.below = append(last.below, indented(line)...)
	}
	return rows
}

// word has what is not as it should be in capitals.
func word(w compare.Word) string {
	if s := stateOf(string(w)); s == Expected || s == NotRun {
		return string(w)
	}
	return strings.ToUpper(string(w))
}

// stateOf is the state whose colour a word has.
func stateOf(result string) State {
	switch compare.Word(result) {
	case compare.Worse:
		return Unexpected
	case compare.CannotTell:
		return Unproven
	case compare.TooNoisy:
		return NotRun
	case compare.Better, compare.NoDifference, compare.NotWorse:
		return Expected
	}
	panic(fmt.Sprintf("%q is no word of a comparison", result))
}
