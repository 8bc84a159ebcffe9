package reports

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/proxychaos/proxychaos/harness/judge"
)

func TestMarkdownRowsHaveTheirColumns(t *testing.T) {
	cells := syntheticSuite(t)
	cells[0].Verdict.Findings = []judge.Finding{{Text: "a | b\nc <script> `d` [e](f) \x1b[31m"}}
	var b strings.Builder
	must(t, Markdown(&b, Suite{Cells: cells}))
	t.Log("\n" + b.String())
	for line := range strings.SplitSeq(b.String(), "\n") {
		if bars := strings.Count(line, "|") - strings.Count(line, `\|`); strings.HasPrefix(line, "|") && bars != 8 {
			t.Errorf("%d bars, want 8: %s", bars, line)
		}
	}
	for _, want := range []string{"**Not as expected**: 9 cells run", `a \| b c &lt;script>`, "**FIX BROKE**", "- **apache/smax-ttl**: expected pass, got fail", "no image of Apache 2.4.58"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("lacks %q", want)
		}
	}
}

func TestJSONReadsBack(t *testing.T) {
	var b bytes.Buffer
	must(t, JSON(&b, Suite{Cells: syntheticSuite(t)}))
	var s Summary
	must(t, json.Unmarshal(b.Bytes(), &s))
	if s.Schema != SummarySchema || len(s.Cells) != 10 || !s.Red || s.Tally.Unexpected != 1 {
		t.Errorf("schema %d, %d cells, red %v, tally %+v", s.Schema, len(s.Cells), s.Red, s.Tally)
	}
	c := s.Cells[4]
	if c.Subject != "nginx/static" || c.State != Expected || c.Verdict != judge.Fail || c.Failed != 1252 || !c.NeverRecovered || c.Findings[0] != judge.ResolvedOnce {
		t.Errorf("got %+v", c)
	}
	if last := s.Cells[9]; last.State != NotRun || last.NotRun == "" || last.Verdict != "" {
		t.Errorf("the cell that was not run: %+v", last)
	}
}
