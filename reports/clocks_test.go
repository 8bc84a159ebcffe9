package reports

import (
	"bytes"
	"strings"
	"testing"
)

// Some times count from a fault and some from the start of the load: each report says which.
func TestReportsSayFromWhenTheirTimesCount(t *testing.T) {
	cells := syntheticSuite(t)
	broke, held := cells[4], cells[1] // nginx/static, apache/disablereuse
	const words = "FIRST FAILURE counts from the first fault, RECOVERY from a fault that took something away"
	table := strings.Join(strings.Fields(tableText(t, []Cell{broke})), " ")
	if !strings.Contains(table, words+", t= from the start of the load") {
		t.Errorf("the table does not say from when its times count:\n%s", table)
	}
	if table := tableText(t, []Cell{held}); strings.Contains(table, "counts from") {
		t.Errorf("the table explains times that it does not have:\n%s", table)
	}
	noCause := broke
	noCause.Verdict.Findings, noCause.Verdict.Reasons = nil, nil
	if table := strings.Join(strings.Fields(tableText(t, []Cell{noCause})), " "); !strings.Contains(table, words) || strings.Contains(table, "t=") {
		t.Errorf("the table explains t=, which it does not have:\n%s", table)
	}

	root, _ := pageOf(t, Page{Cells: []Cell{broke}})
	if got := textOf(find(root, "p", "class", "steps")[0]); !strings.HasPrefix(got, "From the start of the load: ") {
		t.Errorf("above the plots the page says %q", got)
	}
	page := textOf(root)
	for _, want := range []string{" s of the load", "Times count from the start of the load.", "times count from the start of the load", "Times in the tables below count from the start of the load"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}

	recovered := cells[2] // apache/smax-ttl
	root, _ = pageOf(t, Page{Cells: []Cell{recovered}})
	if got := textOf(find(root, "div", "class", "came")[0]); !strings.Contains(got, " s after the fault") {
		t.Errorf("the list of subjects says %q, and not from when a recovery counts", got)
	}
	var markdown bytes.Buffer
	must(t, Markdown(&markdown, Suite{Cells: []Cell{recovered}}))
	if !strings.Contains(markdown.String(), "| recovery, from the fault |") {
		t.Errorf("the page of a CI job does not say from when a recovery counts:\n%s", markdown.String())
	}
}
