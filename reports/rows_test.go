package reports

import (
	"fmt"
	"testing"

	"github.com/proxychaos/proxychaos/harness/judge"
	"github.com/proxychaos/proxychaos/harness/recording"
)

// at adds the steps of a column of numbers up.
func (c rowColumn) at(row int) int {
	n := 0
	for _, step := range c.Steps[:row+1] {
		n += step
	}
	return n
}

// Every row of a recording of usual size is in the page, with the number of its line.
func TestPageHasEveryRow(t *testing.T) {
	c := synthesize(t, t.TempDir(), "s", catalogue()[5], 1)
	rec, err := recording.Open(c.Dir)
	must(t, err)
	rec.Requests = judge.Outcomes(rec)
	root, _ := pageOf(t, Page{Cells: []Cell{c}})
	tables := rowsOf(t, articleOf(t, root, c.Manifest.Subject.ID))
	for file, want := range map[string]int{
		recording.RequestsFile: len(rec.Requests), recording.AttemptsFile: len(rec.Attempts), recording.PacketsFile: len(rec.Packets),
		recording.QueriesFile: len(rec.Queries), recording.ProxyLogFile: len(rec.ProxyLog),
	} {
		got := tables[file]
		if len(got.Lines) != want || got.Of != want || got.Which != "" {
			t.Errorf("%s: the page has %d of %d rows (%s), want all %d", file, len(got.Lines), got.Of, got.Which, want)
		}
	}
	requests := tables[recording.RequestsFile]
	for i, r := range rec.Requests {
		sent, outcome := requests.Columns[1], requests.Columns[2]
		if sent.at(i) != tenths(r.Sent) || outcome.Words[outcome.Index[i]] != r.Outcome {
			t.Fatalf("row %d: sent %d, %s, want %d, %s", i, sent.at(i), outcome.Words[outcome.Index[i]], tenths(r.Sent), r.Outcome)
		}
	}
}

// Of a recording that is too large for a page each failed request is there, what findings
// quote, and some of the others; and the page says so.
func TestEveryFailedRequestOfALargeRecording(t *testing.T) {
	rec := &recording.Recording{}
	failed := 0
	for i := range 5 * allRows {
		r := recording.Request{Seq: uint64(i + 1), Sent: recording.Seconds(i) / 1000, Outcome: recording.OK}
		if i%3 == 1 {
			r.Outcome = recording.BadGateway
			failed++
		}
		rec.Requests = append(rec.Requests, r)
	}
	const quoted = 77_778
	tables := rowTables(rec, []judge.Finding{{Evidence: []string{fmt.Sprintf("requests.jsonl:%d t=77.777 s seq 77778: ok", quoted), "and 3 more"}}})
	if len(tables) != 1 {
		t.Fatalf("%d tables, want that of requests alone", len(tables))
	}
	table, line, shown, has := tables[0], 0, 0, false
	for i, step := range table.Lines {
		line += step
		if outcome := table.Columns[2]; outcome.Words[outcome.Index[i]] == recording.BadGateway {
			shown++
		}
		has = has || line == quoted
	}
	if shown != failed || !has {
		t.Errorf("the page has %d of %d failed requests, and the quoted line: %v", shown, failed, has)
	}
	if others := len(table.Lines) - shown; others > someRows+1 || others < someRows/2 {
		t.Errorf("the page has %d of the other rows, want about %d", others, someRows)
	}
	if want := "all 33,333 that failed, and of the others one in 13 and what findings quote"; table.Which != want || table.Of != 5*allRows {
		t.Errorf("got %q of %d, want %q", table.Which, table.Of, want)
	}
}

func TestQuotedLines(t *testing.T) {
	got := quotedLines([]judge.Finding{
		{Evidence: []string{"dns.jsonl:10 t=-1.400 s A x: NOERROR", "proxy.log:3 t=8.000 s [error] 7#7: *12", "and 12 more"}},
		{Evidence: []string{"dns.jsonl:12 t=1.400 s A x", "http://x:80/ is no row"}},
	})
	if fmt.Sprint(got) != "map[dns.jsonl:[9 11] proxy.log:[2]]" {
		t.Errorf("got %v", got)
	}
}
