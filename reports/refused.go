package reports

import (
	"slices"
	"strings"
)

// refused says whether a run is of the user's own config alone, and no request was sent: its
// proxy rejects it, or nothing that was tried leads through it. Such a run has no figures.
func refused(cells []Cell) bool {
	return len(cells) > 0 && !slices.ContainsFunc(cells, func(c Cell) bool {
		return c.Expect != nil || c.State() != Unproven || c.Loaded() || len(c.Verdict.Reasons) == 0
	})
}

// writeRefused writes why nothing was sent, each reason once, in place of a table of nothing.
func writeRefused(b *strings.Builder, p paint, cells []Cell) {
	var reasons []string
	in := map[string][]string{} // the scenarios of a reason
	for _, c := range cells {
		reason := c.Manifest.Subject.ID + ": " + strings.Join(c.Verdict.Reasons, "\n")
		if in[reason] == nil {
			reasons = append(reasons, reason)
		}
		in[reason] = append(in[reason], c.scenario())
	}
	word := strings.ToUpper(string(Unproven))
	for _, reason := range reasons {
		if len(cells) > 1 {
			reason += "\nso in " + strings.Join(in[reason], ", ")
		}
		for i, line := range indented(word + " " + reason) {
			line = strings.TrimPrefix(line, indent)
			if i == 0 {
				line = p.state(Unproven, []string{word}) + strings.TrimPrefix(line, word)
			}
			b.WriteString(line + "\n")
		}
	}
}
