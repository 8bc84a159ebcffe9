package reports

import (
	"os"
	"strings"
	"testing"

	"github.com/proxychaos/proxychaos/harness/judge"
	"github.com/proxychaos/proxychaos/harness/recording"
)

func tableText(t *testing.T, cells []Cell) string {
	t.Helper()
	var b strings.Builder
	must(t, Table(&b, cells))
	return b.String()
}

func TestTableSaysWhatHappened(t *testing.T) {
	got := tableText(t, syntheticSuite(t))
	t.Log("\n" + got)
	for _, want := range []string{
		"alb-ip-rotate: the ALB scales",
		"pitfall broke", "as expected",
		"FIX BROKE",
		"    again: make scenario NAME=alb-ip-rotate SUBJECT=apache/smax-ttl SEED=",
		"UNPROVEN",
		"reference held",
		"never in",
		"    resolved once at start: 0 DNS queries after t=0",
		"    ! expected pass, got fail:",
		"    ! expected pass, got unproven: old-silent was not proved",
		"9 cells run: 7 expected, 1 unexpected, 1 unproven; 1 not run",
		"not run: apache/pooled@2.4.58: no image of Apache 2.4.58",
		"overhead of a cell at most",
		"load late by at most 6.0 ms (p99 1.4 ms), offered rate within 0.02 %",
		"CLOCK=production shows",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("the table lacks %q", want)
		}
	}
}

// What a run on the production clock shows needs no such note.
func TestTableOfTheProductionClock(t *testing.T) {
	cells := syntheticSuite(t)
	for i := range cells {
		cells[i].Manifest.Plan.Clock = recording.ProductionClock
	}
	if got := tableText(t, cells); strings.Contains(got, "scaled clock") {
		t.Error("the table of a run on the production clock speaks of the scaled one")
	}
}

func TestTableIsPlainASCIIOf100Columns(t *testing.T) {
	cells := syntheticSuite(t)
	// The worst of everything at once, with text that tries to run the terminal.
	c := &cells[0]
	c.Manifest.Subject.ID = "apache/a-user-gave-this-a-very-long-name@2.4.59-1~deb13u1"
	c.Manifest.Image.Version = "2.4.68-1+deb13u1+patched"
	c.Verdict.ByKind = map[string]int{"502": 123456, "503": 1, "504": 1, "timeout": 99999, "connection": 123456, "wrong-body": 123456, "404": 2}
	c.Verdict.Failed, c.Verdict.Sent, c.Verdict.Stale = 654321, 1234567, 654321
	c.Verdict.DNSBefore, c.Verdict.DNSAfter = 123456, 123456
	c.Verdict.Findings = []judge.Finding{{Text: "caf\u00e9 \x1b[31mred\x07 " + strings.Repeat("a long tale ", 40) + strings.Repeat("x", 300)}}
	for i, line := range strings.Split(tableText(t, cells), "\n") {
		if len(line) > tableWidth {
			t.Errorf("line %d has %d columns: %s", i+1, len(line), line)
		}
		for _, r := range line {
			if r < ' ' || r > '~' {
				t.Errorf("line %d holds %q: %s", i+1, r, line)
			}
		}
	}
}

// A verdict and a class of failure are read at a glance: a row takes two lines, and none
// breaks a word.
func TestTableRowsOfTwoLines(t *testing.T) {
	one := 604
	for _, c := range []struct {
		role, result string
		expect       judge.Expectation
		want         []string
	}{
		{"fix", judge.Fail, judge.Expectation{Verdict: judge.Fail}, []string{"haproxy/server-template fix broke", "@oldstable 2.6.12 as expected"}},
		{"reference", judge.Fail, judge.Expectation{Verdict: judge.Pass}, []string{"haproxy/server-template REFERENCE BROKE", "@oldstable 2.6.12 connection 604"}},
		{"pitfall", judge.Fail, judge.Expectation{Verdict: judge.Fail, Outcomes: []string{"503"}}, []string{"haproxy/server-template pitfall broke", "@oldstable 2.6.12 NOT AS EXPECTED"}},
		{"pitfall", judge.Fail, judge.Expectation{Verdict: judge.Either}, []string{"haproxy/server-template pitfall broke", "@oldstable 2.6.12 either expected"}},
	} {
		cell := Cell{Expect: &c.expect, Verdict: judge.Verdict{
			Result: c.result, Sent: 2000, Failed: one, ByKind: map[string]int{recording.Connection: one}, Stale: one,
			NeverRecovered: true, Window: 8.1, FirstFailure: new(recording.Seconds(8)), DNSBefore: 306, DNSAfter: 1594, ConnectionsPerRequest: 0.002,
		}}
		cell.Manifest.Subject = recording.Subject{ID: "haproxy/server-template@oldstable", Role: c.role}
		cell.Manifest.Image.Version = "2.6.12"
		var b strings.Builder
		writeRows(&b, paint{}, []Cell{cell})
		lines := strings.Split(strings.TrimSuffix(b.String(), "\n"), "\n")
		for i, line := range lines {
			lines[i] = strings.Join(strings.Fields(line), " ")
		}
		_, rows, _ := strings.Cut(strings.Join(lines, "\n"), "---\n")
		first, rest, _ := strings.Cut(rows, "\n")
		second, below, _ := strings.Cut(rest, "\n")
		if !strings.HasPrefix(first, c.want[0]+" 604/2000 8.0 s never in 604 0.002 306/1594") || !strings.HasPrefix(second, c.want[1]) ||
			below != "" && !strings.HasPrefix(below, "! expected") {
			t.Errorf("got\n%s\nwant two lines that begin with %q", b.String(), c.want)
		}
	}
}

// A config of one's own that its proxy rejects, or that no way leads through, had no load: in
// place of a table of nothing there is only why, once.
func TestTableOfARefusedConfiguration(t *testing.T) {
	const why = "./default.conf: nothing that was tried leads to an ALB node, so there is nothing to load\n    port 80, for www.example.com /: the proxy itself answers 404 (Not Found)"
	cell := Cell{Verdict: judge.Verdict{Result: judge.Unproven, Reasons: []string{why}}}
	cell.Manifest.Scenario, cell.Manifest.Subject = "alb-ip-rotate", recording.Subject{ID: "nginx/own-default", Role: "own"}
	other := cell
	other.Manifest.Scenario = "alias-switch"
	first := "UNPROVEN nginx/own-default: ./default.conf: nothing that was tried leads to an ALB node, so\n" +
		"  there is nothing to load\n" +
		"  port 80, for www.example.com /: the proxy itself answers 404 (Not Found)\n"
	for want, cells := range map[string][]Cell{first: {cell}, first + "  so in alb-ip-rotate, alias-switch\n": {cell, other}} {
		if got := tableText(t, cells); got != want {
			t.Errorf("got\n%s\nwant\n%s", got, want)
		}
	}
	var b strings.Builder
	must(t, Markdown(&b, Suite{Cells: []Cell{cell}}))
	if strings.Contains(b.String(), "0 / 0") {
		t.Errorf("got figures of a load that there was not:\n%s", b.String())
	}
}

// Beside a config that was run, and in the catalogue, a rejected one has its row, without a
// figure.
func TestTableOfARejectedConfigurationAmongOthers(t *testing.T) {
	cell := Cell{Verdict: judge.Verdict{Result: judge.Unproven, Reasons: []string{"the proxy rejects ./default.conf: unknown directive"}}}
	cell.Manifest.Scenario, cell.Manifest.Subject = "alb-ip-rotate", recording.Subject{ID: "nginx/own-default", Role: "own"}
	catalogued := cell
	catalogued.Expect = &judge.Expectation{Verdict: judge.Pass}
	for _, cells := range [][]Cell{{catalogued}, {cell, catalogued}} {
		got := tableText(t, cells)
		for _, want := range []string{"nginx/own-default  UNPROVEN\n", "! expected pass, got unproven: the proxy rejects ./default.conf: unknown directive", " run: 0 expected, 0 unexpected, "} {
			if !strings.Contains(got, want) {
				t.Errorf("the table lacks %q:\n%s", want, got)
			}
		}
		for _, figure := range []string{"0/0", "no version", "wall clock", "load late"} {
			if strings.Contains(got, figure) {
				t.Errorf("the table has %q, of a load that there was not:\n%s", figure, got)
			}
		}
	}
}

// Below a row stands the first finding, and the same of the other names.
func TestTableNamesEveryUpstreamWithTheCause(t *testing.T) {
	cell := Cell{Verdict: judge.Verdict{Result: judge.Fail, Sent: 2000, Failed: 900, Findings: []judge.Finding{
		{Code: judge.ResolvedOnce, Upstream: "a.example.com", Text: "a.example.com: resolved once at start"},
		{Code: judge.ResolvedOnce, Upstream: "b.example.com", Text: "b.example.com: resolved once at start"},
		{Code: judge.FollowedDNS, Upstream: "c.example.com", Text: "c.example.com: left the old nodes"},
		{Code: judge.ResolvedOnce, Upstream: "a.example.com", Text: "a.example.com: a second time"},
	}}}
	cell.Manifest.Scenario, cell.Manifest.Subject = "alb-ip-rotate", recording.Subject{ID: "nginx/own-default", Role: "own"}
	got := tableText(t, []Cell{cell})
	for text, want := range map[string]bool{"a.example.com: resolved once at start": true, "b.example.com: resolved once at start": true, "c.example.com": false, "second time": false} {
		if strings.Contains(got, text) != want {
			t.Errorf("want %q in the table: %t\n%s", text, want, got)
		}
	}
}

func TestWrapKeepsWordsWhole(t *testing.T) {
	for in, want := range map[string]string{
		"resolved once at start":  "resolved once|at start",
		"haproxy/template":        "haproxy/|template",
		"2.4.68-1+deb13u1":        "2.4.68-1|+deb13u1",
		"123456/1234567":          "123456/|1234567",
		"see a:abcdefghijklmnopq": "see|a:|abcdefghijklm|nopq",
		"two\nlines":              "two|lines",
		"":                        "",
	} {
		if got := strings.Join(wrap(in, 13), "|"); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}

func TestTableKeepsLinesWithTheirSubject(t *testing.T) {
	got := tableText(t, syntheticSuite(t))
	static := strings.Index(got, "nginx/static ")
	resolver := strings.Index(got, "nginx/resolver-only ")
	finding := strings.Index(got, "resolved once at start")
	if static < 0 || static >= finding || finding >= resolver {
		t.Errorf("nginx/static at %d, its finding at %d, the next subject at %d: want them in this order", static, finding, resolver)
	}
}

func TestPaintNeedsATerminal(t *testing.T) {
	t.Setenv("NO_COLOR", "")
	file, err := os.CreateTemp(t.TempDir(), "table")
	must(t, err)
	defer file.Close()
	if newPaint(file).on {
		t.Error("colour into a file")
	}
	if newPaint(&strings.Builder{}).on {
		t.Error("colour into a buffer")
	}
	null, err := os.Open(os.DevNull) // a character device, as a terminal is
	must(t, err)
	defer null.Close()
	if !newPaint(null).on {
		t.Error("no colour on a character device")
	}
	t.Setenv("NO_COLOR", "1")
	if newPaint(null).on {
		t.Error("colour in spite of NO_COLOR")
	}
}

func TestColourStaysInItsColumn(t *testing.T) {
	cells := syntheticSuite(t)[:1]
	var b strings.Builder
	writeRows(&b, paint{on: true}, cells)
	for _, line := range strings.Split(b.String(), "\n") {
		if strings.HasPrefix(line, "\x1b[0m") || strings.Count(line, "\x1b[0m") < strings.Count(line, "\x1b[32m") {
			t.Errorf("colour runs over the end of the line: %q", line)
		}
	}
	if !strings.Contains(b.String(), "\x1b[32mpitfall broke\x1b[0m") {
		t.Errorf("no green verdict in %q", b.String())
	}
}

func TestTallyIsRedWhenNothingRan(t *testing.T) {
	if !Count(nil).Red() {
		t.Error("no cell at all is green")
	}
	skipped := Cell{NotRun: "no engine", Manifest: recording.Manifest{Scenario: "s"}}
	if !Count([]Cell{skipped}).Red() {
		t.Error("only cells that were not run are green")
	}
	good := Cell{Verdict: judge.Verdict{Result: judge.Pass}}
	if Count([]Cell{good, skipped}).Red() {
		t.Error("a cell not run turns an expected one red")
	}
	for _, result := range []string{judge.Fail, judge.Unproven, "", "nonsense"} {
		if !Count([]Cell{good, {Verdict: judge.Verdict{Result: result}}}).Red() {
			t.Errorf("verdict %q without an expectation is green", result)
		}
	}
}

// What a cell broke off with says several things, each in a line.
func TestTableKeepsTheLinesOfAReason(t *testing.T) {
	cell := Cell{Expect: &judge.Expectation{Verdict: judge.Pass}, Verdict: judge.Verdict{Result: judge.Unproven, Reasons: []string{"nothing leads to a node\n    port 80: closed\n    the proxy's log: no"}}}
	got := tableText(t, []Cell{cell})
	for _, want := range []string{"    ! expected pass, got unproven: nothing leads to a node\n", "\n      port 80: closed\n", "\n      the proxy's log: no\n"} {
		if !strings.Contains(got, want) {
			t.Errorf("got\n%s\nwant %q in it", got, want)
		}
	}
}

func TestWayOfTheLoad(t *testing.T) {
	if got := wayText(recording.Way{}); got != "not recorded" {
		t.Errorf("got %q of an older recording", got)
	}
	way := recording.Way{Target: "https://198.18.0.2:443", Host: "shop.example.com", Paths: []string{"/", "/api/"}, Headers: map[string]string{"X-B": "2", "X-A": "1"}}
	if got, want := wayText(way), "https://shop.example.com:443/, /api/ at https://198.18.0.2:443; X-A: 1; X-B: 2"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
