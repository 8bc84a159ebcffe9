package judge

import (
	"fmt"
	"slices"
	"strings"

	"github.com/proxychaos/proxychaos/harness/kind"
	"github.com/proxychaos/proxychaos/harness/recording"
)

// logEvidence quotes the proxy's own log from t=0 on: one finding for each
// known line, and one for all other lines at error level.
func (c *brief) logEvidence(*Verdict) []Finding {
	of := kind.Name(c.Manifest.Subject.Kind)
	marks := kind.Marks(of)
	known := make([][]row, len(marks))
	var others []row
	for i, line := range c.ProxyLog {
		if line.At < 0 {
			continue
		}
		switch n := markOf(marks, line.Text); {
		case n >= 0:
			known[n] = append(known[n], row{recording.ProxyLogFile, i})
		case kind.Errors(of, line.Text):
			others = append(others, row{recording.ProxyLogFile, i})
		}
	}
	var findings []Finding
	for n, rows := range known {
		if len(rows) > 0 {
			findings = append(findings, c.logFinding(rows, fmt.Sprintf("%s, %q", marks[n].Meaning, marks[n].Text)))
		}
	}
	if len(others) > 0 {
		findings = append(findings, c.logFinding(others, "other errors"))
	}
	return findings
}

func (c *brief) logFinding(rows []row, what string) Finding {
	first := c.ProxyLog[rows[0].index]
	return Finding{Code: LogEvidence, Text: fmt.Sprintf("the proxy's log: %s: %s, the first at %s: %s",
		what, count(len(rows), "line", "lines"), at(first.At), first.Text), Evidence: c.quote(rows...)}
}

// markOf is the first mark that a line holds, -1 if it holds none.
func markOf(marks []kind.Mark, text string) int {
	return slices.IndexFunc(marks, func(m kind.Mark) bool { return strings.Contains(text, m.Text) })
}
