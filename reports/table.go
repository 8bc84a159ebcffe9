package reports

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
)

// tableWidth is the longest line of a table, in columns.
const tableWidth = 120

// Table writes the table at the end of a run: one for each scenario, each
// subject with its figures and below it what was not as expected and the first
// finding; then the totals. It is ASCII, fits 120 columns, and is coloured
// only where w is a terminal and NO_COLOR is not set.
func Table(w io.Writer, cells []Cell) error {
	p := newPaint(w)
	var b strings.Builder
	for _, name := range scenarios(cells) {
		of := ofScenario(cells, name)
		heading(&b, p, of)
		writeRows(&b, p, of)
		b.WriteByte('\n')
	}
	writeFooter(&b, p, cells)
	_, err := io.WriteString(w, b.String())
	return err
}

func heading(b *strings.Builder, p paint, cells []Cell) {
	m := cells[0].Manifest
	title := m.Scenario
	if m.Summary != "" {
		title += ": " + m.Summary
	}
	for _, line := range wrap(plain(title), tableWidth) {
		b.WriteString(p.bold(line) + "\n")
	}
}

// row is a subject in the table: its cells, and the lines below it.
type row struct {
	cells []string
	below []string
}

func (r row) height() int {
	lines := 1
	for _, cell := range r.cells {
		lines = max(lines, 1+strings.Count(cell, "\n"))
	}
	return lines
}

// fit breaks each cell into lines of at most the width of its column.
func (r row) fit(columns []column) {
	for i := range r.cells {
		r.cells[i] = strings.Join(wrap(r.cells[i], columns[i].width), "\n")
	}
}

// column is a column of the table. A longer cell is broken into lines.
type column struct {
	title string
	width int // the widest a cell may be
	align text.Align
}

// The widths with one space between the columns add up to 120.
var columns = []column{
	{"SUBJECT", 22, text.AlignLeft},
	{"VERSION", 12, text.AlignLeft},
	{"VERDICT", 16, text.AlignLeft},
	{"FAILED\n/SENT", 11, text.AlignRight},
	{"FAILED\nBY CLASS", 15, text.AlignRight},
	{"FIRST\nFAILURE", 7, text.AlignRight},
	{"RECOVERY", 9, text.AlignRight},
	{"STALE", 6, text.AlignRight},
	{"CONNS\n/REQ", 6, text.AlignRight},
	{"DNS\nBEFORE\n/AFTER", 7, text.AlignRight},
}

func writeRows(b *strings.Builder, p paint, cells []Cell) {
	rows := make([]row, len(cells))
	for i, c := range cells {
		rows[i] = tableRow(p, c)
	}
	lines := render(columns, rows, 2)
	if tooWide(lines) {
		lines = render(columns, rows, 1)
	}
	weave(b, lines, rows)
}

func tableRow(p paint, c Cell) row {
	v := c.Verdict
	state := c.State()
	r := row{cells: []string{
		plain(c.Manifest.Subject.ID), orNone(plain(c.Manifest.Image.Version)), "", "", "", "", "", "", "", "",
	}}
	phrase := strings.Replace(c.Phrase(), ", ", ",\n", 1)
	if state == NotRun {
		r.cells[1] = ""
		r.fit(columns)
		r.cells[2] = p.state(state, []string{phrase})
		return r
	}
	var classes []string
	for _, k := range countsByKind(v.ByKind) {
		classes = append(classes, k.Kind+" "+strconv.Itoa(k.Count))
	}
	copy(r.cells[3:], []string{
		fmt.Sprintf("%d/%d", v.Failed, v.Sent),
		strings.Join(classes, "\n"),
		firstFailure(v),
		strings.Replace(recovery(v), "in ", "in\n", 1),
		strconv.Itoa(v.Stale),
		connectionsPerRequest(v),
		fmt.Sprintf("%d/%d", v.DNSBefore, v.DNSAfter),
	})
	r.fit(columns)
	r.cells[2] = p.state(state, wrap(phrase, columns[2].width))
	for _, reason := range c.Reasons() {
		for _, line := range indented("! " + reason) {
			r.below = append(r.below, p.state(state, []string{line}))
		}
	}
	if finding := c.FirstFinding(); finding != "" {
		r.below = append(r.below, indented(finding)...)
	}
	return r
}

// render makes the lines of the table, without the lines below the rows.
func render(columns []column, rows []row, gap int) []string {
	t := table.NewWriter()
	style := table.StyleDefault
	style.Options = table.OptionsNoBordersAndSeparators
	style.Options.SeparateHeader = true
	style.Format.Header = text.FormatDefault
	style.Box.PaddingLeft, style.Box.PaddingRight = "", strings.Repeat(" ", gap)
	t.SetStyle(style)
	header := make(table.Row, len(columns))
	configs := make([]table.ColumnConfig, len(columns))
	for i, c := range columns {
		header[i] = c.title
		configs[i] = table.ColumnConfig{Number: i + 1, Align: c.align, AlignHeader: c.align, VAlignHeader: text.VAlignBottom}
	}
	t.AppendHeader(header)
	t.SetColumnConfigs(configs)
	for _, r := range rows {
		cells := make(table.Row, len(r.cells))
		for i := range r.cells {
			cells[i] = r.cells[i]
		}
		t.AppendRow(cells)
	}
	lines := strings.Split(t.Render(), "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " ")
	}
	return lines
}

// weave writes the lines of the table and, after those of each row, the lines
// below it. The table library has no cell that spans columns without widening
// them.
func weave(b *strings.Builder, lines []string, rows []row) {
	body := 0
	for _, r := range rows {
		body += r.height()
	}
	at := len(lines) - body
	b.WriteString(strings.Join(lines[:at], "\n") + "\n")
	for _, r := range rows {
		next := at + r.height()
		for _, line := range append(lines[at:next:next], r.below...) {
			b.WriteString(line + "\n")
		}
		at = next
	}
}

func tooWide(lines []string) bool {
	for _, line := range lines {
		if text.StringWidthWithoutEscSequences(line) > tableWidth {
			return true
		}
	}
	return false
}

// wrap breaks each line of s at spaces, and inside a word only where it is too
// long.
func wrap(s string, width int) []string {
	var lines []string
	for line := range strings.SplitSeq(s, "\n") {
		for part := range strings.SplitSeq(text.WrapSoft(line, width), "\n") {
			lines = append(lines, strings.TrimRight(part, " "))
		}
	}
	return lines
}

// indented is s as lines of its own below a row.
func indented(s string) []string {
	const indent = "    "
	lines := wrap(plain(s), tableWidth-2*len(indent))
	for i := range lines {
		if i > 0 {
			lines[i] = "  " + lines[i]
		}
		lines[i] = indent + lines[i]
	}
	return lines
}

func writeFooter(b *strings.Builder, p paint, cells []Cell) {
	tally := Count(cells)
	line := tally.String()
	switch {
	case tally.Run == 0:
		line = p.state(Unexpected, []string{line + " (nothing was run: that is red)"})
	case tally.Red():
		line = p.state(Unexpected, []string{line})
	case tally.Run > 0:
		line = p.state(Expected, []string{line})
	}
	b.WriteString(line + "\n")
	for _, c := range cells {
		if c.NotRun != "" {
			b.WriteString(strings.Join(indented("not run: "+c.Manifest.Scenario+" "+c.Manifest.Subject.ID+": "+c.NotRun), "\n") + "\n")
		}
	}
	if tally.Run == 0 {
		return
	}
	slowest := cells[0]
	for _, c := range cells {
		if c.Manifest.Overhead > slowest.Manifest.Overhead {
			slowest = c
		}
	}
	fmt.Fprintf(b, "wall clock %.1f s; overhead of a cell at most %s (%s)\n%s\n",
		wallClock(cells).Seconds(), seconds(slowest.Manifest.Overhead), plain(slowest.Manifest.Subject.ID), loadLateness(cells))
}
