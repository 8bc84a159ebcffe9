package reports

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"

	"github.com/proxychaos/proxychaos/harness/judge"
)

// tableWidth is the longest line of a table, in columns.
const tableWidth = 100

// Table writes the table at the end of a run: one for each scenario, each subject with its
// figures and below it what was not as expected, the main findings, and the command that
// runs it again if it was not as expected; then the totals. Of a user's own config that no
// request got through it writes only why. It is ASCII, fits 100 columns so that the log of a
// CI job shows it unbroken, and is coloured as newPaint says.
func Table(w io.Writer, cells []Cell) error {
	p := newPaint(w)
	var b strings.Builder
	if refused(cells) {
		writeRefused(&b, p, cells)
	} else {
		for _, name := range scenarios(cells) {
			of := ofScenario(cells, name)
			heading(&b, p, of)
			writeRows(&b, p, of)
			b.WriteByte('\n')
		}
		writeFooter(&b, p, cells)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func heading(b *strings.Builder, p paint, cells []Cell) {
	m := cells[0].Manifest
	title := cells[0].scenario()
	if m.Summary != "" {
		title += ": " + m.Summary
	}
	for _, line := range wrap(plain(title), tableWidth) {
		b.WriteString(p.bold(line) + "\n")
	}
}

// row is a subject in the table: its cells, and the lines below it.
type row struct {
	cells   []string
	below   []string
	verdict int // the index of the cell that is coloured by state
	state   State
}

// column is a column of the table. A longer cell is broken into lines.
type column struct {
	title  string
	width  int // the widest a cell may be
	narrow int // the same if the table would not fit otherwise
	align  text.Align
}

// The narrow widths with one space between the columns add up to 100. A subject's release
// and version and the classes of its failures stand in the row's second line, which the
// verdict needs anyway.
var columns = []column{
	{"SUBJECT\nVERSION", 40, 28, text.AlignLeft},
	{"VERDICT", 15, 15, text.AlignLeft},
	{"FAILED/SENT\nBY CLASS", 22, 15, text.AlignRight},
	{"FIRST\nFAILURE", 8, 7, text.AlignRight},
	{"RECOVERY", 9, 8, text.AlignRight},
	{"STALE", 7, 6, text.AlignRight},
	{"CONNS\n/REQ", 6, 6, text.AlignRight},
	{"DNS\nBEFORE\n/AFTER", 15, 8, text.AlignRight},
}

func writeRows(b *strings.Builder, p paint, cells []Cell) {
	rows := make([]row, len(cells))
	for i, c := range cells {
		rows[i] = tableRow(p, c)
	}
	write(b, p, columns, rows)
}

func tableRow(p paint, c Cell) row {
	v := c.Verdict
	subject, release, released := strings.Cut(plain(c.Manifest.Subject.ID), "@")
	if released {
		release = "@" + release
	}
	r := row{
		cells:   []string{strings.TrimSpace(subject + "\n" + release), strings.Replace(plain(c.Phrase()), ", ", "\n", 1), "", "", "", "", "", ""},
		verdict: 1, state: c.State(),
	}
	if r.state == NotRun {
		return r
	}
	if c.Loaded() {
		r.cells[0] = subject + "\n" + strings.TrimSpace(release+" "+cmp.Or(plain(c.Manifest.Image.Version), "no version"))
		copy(r.cells[2:], figureCells(v))
	}
	for _, reason := range c.Reasons() {
		for _, line := range indented("! " + reason) {
			r.below = append(r.below, p.state(r.state, []string{line}))
		}
	}
	if say := c.remedy(); say != "" {
		r.below = append(r.below, indented("change: "+strings.ReplaceAll(say, "`", ""))...)
	}
	for _, finding := range c.MainFindings() {
		r.below = append(r.below, indented(finding)...)
	}
	if r.state != Expected && c.Manifest.Replay != "" {
		r.below = append(r.below, indented("again: "+c.Manifest.Replay)...)
	}
	return r
}

// figureCells are the cells of a row that had a load, from how many requests failed on.
func figureCells(v judge.Verdict) []string {
	failed := []string{fmt.Sprintf("%d/%d", v.Failed, v.Sent)}
	for _, k := range countsByKind(v.ByKind) {
		failed = append(failed, plain(k.Kind)+" "+strconv.Itoa(k.Count))
	}
	return []string{
		strings.Join(failed, "\n"),
		firstFailure(v),
		strings.Replace(recovery(v), "in ", "in\n", 1),
		strconv.Itoa(v.Stale),
		connectionsPerRequest(v),
		fmt.Sprintf("%d/%d", v.DNSBefore, v.DNSAfter),
	}
}

// write makes the table as wide as it needs to be. If that is more than tableWidth, it
// takes less space between the columns, then narrow ones, then both.
func write(b *strings.Builder, p paint, columns []column, rows []row) {
	narrow := slices.Clone(columns)
	for i := range narrow {
		narrow[i].width = narrow[i].narrow
	}
	var lines []string
	var heights []int
	for _, try := range []struct {
		columns []column
		gap     int
	}{{columns, 2}, {columns, 1}, {narrow, 2}, {narrow, 1}} {
		if lines, heights = render(p, try.columns, rows, try.gap); !tooWide(lines) {
			break
		}
	}
	weave(b, lines, heights, rows)
}

// render makes the lines of the table without the lines below the rows, and
// says how many lines each row takes.
func render(p paint, columns []column, rows []row, gap int) (lines []string, heights []int) {
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
		cells, height := make(table.Row, len(r.cells)), 1
		for i := range r.cells {
			broken := wrap(r.cells[i], columns[i].width)
			height = max(height, len(broken))
			cells[i] = strings.Join(broken, "\n")
			if i == r.verdict {
				cells[i] = p.state(r.state, broken)
			}
		}
		t.AppendRow(cells)
		heights = append(heights, height)
	}
	lines = strings.Split(t.Render(), "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " ")
	}
	return lines, heights
}

// weave writes the lines of the table and, after those of each row, the lines
// below it. The table library has no cell that spans columns without widening
// them.
func weave(b *strings.Builder, lines []string, heights []int, rows []row) {
	at := len(lines)
	for _, height := range heights {
		at -= height
	}
	b.WriteString(strings.Join(lines[:at], "\n") + "\n")
	for i, r := range rows {
		next := at + heights[i]
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

// wrap breaks each line of s, which is ASCII, at spaces; a word that is longer than a
// line at its punctuation, and anywhere only if it has none.
func wrap(s string, width int) []string {
	var lines []string
	for line := range strings.SplitSeq(s, "\n") {
		for len(line) > width {
			at := breakAt(line, width)
			lines = append(lines, strings.TrimRight(line[:at], " "))
			line = strings.TrimLeft(line[at:], " ")
		}
		lines = append(lines, strings.TrimRight(line, " "))
	}
	return lines
}

// breakAt is how much of a line that is longer than width fits into it. What follows a
// plus or a tilde, as in a Debian version, is kept with it; other punctuation ends a line.
func breakAt(line string, width int) int {
	if at := strings.LastIndexByte(line[:width+1], ' '); at > 0 {
		return at
	}
	for at := width; at > 0; at-- {
		if strings.IndexByte("+~", line[at]) >= 0 || strings.IndexByte("/-_.,:;&?=", line[at-1]) >= 0 {
			return at
		}
	}
	return width
}

// indent stands before the lines below a row.
const indent = "    "

// indented is s as lines of its own below a row. Those that it has are kept.
func indented(s string) []string {
	var lines []string
	for line := range strings.SplitSeq(s, "\n") {
		lines = append(lines, wrap(plain(strings.TrimSpace(line)), tableWidth-2*len(indent))...)
	}
	for i := range lines {
		if i > 0 {
			lines[i] = "  " + lines[i]
		}
		lines[i] = indent + lines[i]
	}
	return lines
}

// notRunReasons gives each reason once, with the subjects it holds for.
func notRunReasons(cells []Cell) []string {
	var reasons []string
	subjects := map[string][]string{}
	for _, c := range cells {
		if c.NotRun == "" {
			continue
		}
		if subjects[c.NotRun] == nil {
			reasons = append(reasons, c.NotRun)
		}
		if id := c.Manifest.Subject.ID; !slices.Contains(subjects[c.NotRun], id) {
			subjects[c.NotRun] = append(subjects[c.NotRun], id)
		}
	}
	for i, reason := range reasons {
		reasons[i] = strings.Join(subjects[reason], ", ") + ": " + reason
	}
	return reasons
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
	for _, reason := range notRunReasons(cells) {
		b.WriteString(strings.Join(indented("not run: "+reason), "\n") + "\n")
	}
	if !slices.ContainsFunc(cells, Cell.Loaded) {
		return
	}
	slowest := cells[0]
	for _, c := range cells {
		if c.Manifest.Overhead > slowest.Manifest.Overhead {
			slowest = c
		}
	}
	for _, line := range []string{
		fmt.Sprintf("wall clock %.1f s; overhead of a cell at most %s (%s)",
			wallClock(cells).Seconds(), seconds(slowest.Manifest.Overhead), plain(slowest.Manifest.Subject.ID)),
		loadLateness(cells), clocks(cells), clockNote(cells),
	} {
		if line != "" {
			b.WriteString(strings.Join(wrap(line, tableWidth), "\n") + "\n")
		}
	}
}
