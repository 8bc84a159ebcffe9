package reports

import (
	"fmt"
	"io"
	"strings"
)

// Markdown writes the summary of a CI job (GitHub's $GITHUB_STEP_SUMMARY and
// its like): the totals, one table a scenario, and what is not as expected.
func Markdown(w io.Writer, suite Suite) error {
	cells, tally := suite.Cells, Count(suite.Cells)
	word := "As expected"
	if suite.Red() {
		word = "Not as expected"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "## proxychaos\n\n**%s**: %s.\n", word, tally)
	b.WriteString(markdownAgainst(suite))
	for _, name := range scenarios(cells) {
		of := ofScenario(cells, name)
		fmt.Fprintf(&b, "\n### %s\n\n", markdown(name))
		b.WriteString("| subject | version | verdict | failed | by class | recovery, from the fault | finding |\n")
		b.WriteString("|---|---|---|--:|---|--:|---|\n")
		for _, c := range of {
			b.WriteString(markdownRow(c))
		}
		for _, c := range of {
			for _, reason := range c.Reasons() {
				fmt.Fprintf(&b, "\n- **%s**: %s", markdown(c.Manifest.Subject.ID), markdown(reason))
			}
		}
		b.WriteByte('\n')
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func markdownRow(c Cell) string {
	subject, phrase := markdown(c.Manifest.Subject.ID), markdown(c.Phrase())
	if c.NotRun != "" {
		return fmt.Sprintf("| %s | | %s | | | | %s |\n", subject, phrase, markdown(c.NotRun))
	}
	if c.State() != Expected {
		phrase = "**" + phrase + "**"
	}
	v := c.Verdict
	if !c.Loaded() {
		return fmt.Sprintf("| %s | %s | %s | | | | |\n", subject, markdown(c.Manifest.Image.Version), phrase)
	}
	return fmt.Sprintf("| %s | %s | %s | %s / %s | %s | %s | %s |\n", subject, markdown(c.Manifest.Image.Version), phrase,
		thousands(v.Failed), thousands(v.Sent), markdown(kindsInWords(v.ByKind)), recovery(v), markdown(c.FirstFinding()))
}

// markdown makes text from anywhere safe in a cell of a table: one line, no
// bar, no markup, no HTML.
func markdown(s string) string {
	s = plain(s)
	var b strings.Builder
	for _, r := range s {
		switch {
		case r == '<':
			b.WriteString("&lt;")
		case r == '&':
			b.WriteString("&amp;")
		case strings.ContainsRune("\\`*_[]|~", r):
			b.WriteString("\\" + string(r))
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}
