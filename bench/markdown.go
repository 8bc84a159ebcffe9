package bench

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/proxychaos/proxychaos/harness/recording"
)

// Markdown is the report as a section of the document: where it ran, the bars,
// and the figures behind each.
func (r Report) Markdown() string {
	var b strings.Builder
	b.WriteString(r.Machine.Markdown(r.Command, r.Began, r.Took))
	b.WriteString("\n| what | bar | measured | |\n|---|---|---|---|\n")
	for _, row := range r.Rows {
		for _, j := range row.Judge() {
			fmt.Fprintf(&b, "| [%s](#%s) | %s | %s | %s |\n", cell(row.Title), anchor(row.Title), cell(j.Bar), cell(j.Got), j.Outcome)
		}
	}
	for _, row := range r.Rows {
		b.WriteByte('\n')
		row.markdown(&b)
		if len(row.curves()) > 0 {
			fmt.Fprintf(&b, "\n![Latency by percentile, of all rounds](%s)\n", r.plotName(row))
		}
	}
	return b.String()
}

// Markdown says what ran there and when.
func (m Machine) Markdown(command string, began time.Time, took recording.Seconds) string {
	var b strings.Builder
	commit := m.Tool.Commit
	if m.Tool.Dirty {
		commit += " with uncommitted changes"
	}
	fmt.Fprintf(&b, "`%s`, %s, %.0f s, commit %s, %s.\n", command, began.UTC().Format("2006-01-02 15:04 UTC"), took, commit, m.Tool.Go)
	fmt.Fprintf(&b, "%d cores (%s), %.1f GiB, Linux %s; load average before the run %.2f.\n", m.Cores, m.CPU, float64(m.MemoryMiB)/1024, m.Kernel, m.LoadBefore)
	if len(m.Tools) > 0 {
		fmt.Fprintf(&b, "With %s.\n", strings.Join(m.Tools, ", "))
	}
	return b.String()
}

func (r Row) markdown(b *strings.Builder) {
	fmt.Fprintf(b, "### %s\n\n%s (`--only %s`)\n\n", r.Title, r.Method, r.Name)
	fmt.Fprintf(b, "| | %s, %s | least to greatest | ", r.Unit, r.Stat)
	if r.passesOn() {
		b.WriteString("cores: generator, server, behind it | µs a request: server, all |\n|---|--:|--:|--:|--:|\n")
	} else {
		b.WriteString("cores: generator, server |\n|---|--:|--:|--:|\n")
	}
	for _, s := range r.Series {
		who := s.Who
		if s.Version != "" {
			who += " (" + s.Version + ")"
		}
		fmt.Fprintf(b, "| %s | %s |\n", cell(who), strings.Join(s.columns(r), " | "))
	}
	for _, note := range r.Notes {
		fmt.Fprintf(b, "\n%s\n", note)
	}
}

// passesOn says whether any series is of a program that passes requests on.
func (r Row) passesOn() bool {
	return slices.ContainsFunc(r.Series, func(s Series) bool { return slices.Max(append(s.Behind, 0)) > 0 })
}

func (s Series) columns(r Row) []string {
	figure, ok := s.Figure(r.Stat)
	if !ok {
		columns := []string{"not measured: " + cell(s.why()), "", ""}
		if r.passesOn() {
			columns = append(columns, "")
		}
		return columns
	}
	cores := ""
	switch {
	case r.passesOn():
		cores = fmt.Sprintf("%.2f, %.2f, %.2f | %s", median(s.Generator), median(s.Server), median(s.Behind), s.perRequest())
	case slices.Max(append(s.Generator, 0)) > 0:
		cores = fmt.Sprintf("%.2f, %.2f", median(s.Generator), median(s.Server))
	case slices.Max(append(s.Server, 0)) > 0: // the generator is in this process, with the rest of it
		cores = fmt.Sprintf("-, %.2f", median(s.Server))
	}
	spread := fmt.Sprintf("%.*f to %.*f", r.Digits, slices.Min(s.Values), r.Digits, slices.Max(s.Values))
	if n := len(s.Values); n > 1 {
		spread += fmt.Sprintf(" (%d)", n)
	}
	return []string{fmt.Sprintf("%.*f", r.Digits, figure), spread, cores}
}

// perRequest is the processor time that the server, and that all together,
// spend on a request, where values are requests/s.
func (s Series) perRequest() string {
	server, all := make([]float64, len(s.Values)), make([]float64, len(s.Values))
	for i, perSecond := range s.Values {
		server[i] = s.Server[i] / perSecond * 1e6
		all[i] = (s.Generator[i] + s.Server[i] + s.Behind[i]) / perSecond * 1e6
	}
	return fmt.Sprintf("%.1f, %.1f", median(server), median(all))
}

// cell keeps a text inside one cell of a table.
func cell(s string) string {
	return strings.NewReplacer("\n", " ", "|", `\|`).Replace(s)
}

// anchor is the fragment that Markdown renderers give to a heading.
func anchor(title string) string {
	keep := func(c rune) rune {
		switch {
		case c >= 'a' && c <= 'z', c >= '0' && c <= '9', c == '-':
			return c
		case c == ' ':
			return '-'
		}
		return -1
	}
	return strings.Map(keep, strings.ToLower(title))
}
