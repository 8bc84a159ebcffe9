package reports

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"html/template"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/proxychaos/proxychaos/harness/judge"
	"github.com/proxychaos/proxychaos/harness/recording"
)

// pageOf parses the page that HTML writes. With REPORTS_PAGE=<folder> it is kept
// there, to be looked at in a browser.
func pageOf(t *testing.T, page Page) (*html.Node, string) {
	t.Helper()
	var b bytes.Buffer
	must(t, HTML(&b, page))
	if dir := os.Getenv("REPORTS_PAGE"); dir != "" {
		must(t, os.WriteFile(filepath.Join(dir, strings.ReplaceAll(t.Name(), "/", "-")+".html"), b.Bytes(), 0o600))
	}
	root, err := html.Parse(bytes.NewReader(b.Bytes()))
	must(t, err)
	return root, b.String()
}

// find lists the elements of that name whose attribute has the value; an empty
// key takes all of them.
func find(root *html.Node, name, key, value string) []*html.Node {
	var found []*html.Node
	for n := range root.Descendants() {
		if n.Type == html.ElementNode && n.Data == name && (key == "" || attr(n, key) == value) {
			found = append(found, n)
		}
	}
	return found
}

func attr(n *html.Node, key string) string {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}

func textOf(n *html.Node) string {
	var b strings.Builder
	for d := range n.Descendants() {
		if d.Type == html.TextNode {
			b.WriteString(d.Data)
		}
	}
	return b.String()
}

func TestPageOfASuite(t *testing.T) {
	cells := syntheticSuite(t)
	root, text := pageOf(t, Page{Cells: cells})
	const most = 1500 << 10
	if len(text) > most {
		t.Errorf("the page of 9 cells has %d bytes, want at most %d", len(text), most)
	}
	if got := textOf(find(root, "h1", "", "")[0]); got != "alb-ip-rotate" {
		t.Errorf("heading %q, want the scenario", got)
	}
	if got := len(find(root, "article", "", "")); got != 9 {
		t.Errorf("%d articles, want one for each of the 9 cells that ran", got)
	}
	ids := map[string]bool{}
	for n := range root.Descendants() {
		if id := attr(n, "id"); id != "" {
			if ids[id] {
				t.Errorf("id %s stands twice", id)
			}
			ids[id] = true
		}
	}
	for _, c := range cells {
		if c.NotRun == "" {
			continue
		}
		if !strings.Contains(text, c.NotRun) {
			t.Errorf("the page does not say why %s was not run", c.Manifest.Subject.ID)
		}
	}
	for _, a := range find(root, "a", "", "") {
		href := attr(a, "href")
		if !strings.HasPrefix(href, "#") {
			t.Errorf("the page links out: %s", href)
		} else if !ids[href[1:]] {
			t.Errorf("link %s leads nowhere", href)
		}
	}
	first := textOf(find(root, "li", "", "")[0])
	if !strings.HasPrefix(first, "apache/smax-ttl: FIX BROKE. ") {
		t.Errorf("the page begins with %q, want what broke and should not have", first)
	}
	article := articleOf(t, root, "nginx/static")
	timeouts := 0
	for _, l := range plotsOf(t, article).Outcomes {
		for _, n := range l.Counts {
			if l.Class == "k-timeout" {
				timeouts += n
			}
		}
	}
	if want := cells[4].Verdict.ByKind[recording.Timeout]; timeouts != want || want == 0 {
		t.Errorf("the plot counts %d timeouts, the verdict %d", timeouts, want)
	}
	got := textOf(article)
	for _, want := range []string{
		"nginx/static", "1.30.6", "pitfall broke, as expected", "resolved once at start",
		"dns.jsonl:2 A backend.example.com.", "make scenario NAME=alb-ip-rotate SUBJECT=nginx/static SEED=5",
		"proxy_pass http://backend.example.com;", "SYN to 10.10.1.55:80: no answer in 0.3 s",
		"localhost:1/proxychaos/nginx:forky (debian)", "name moves", "old nodes go silent", "Requests of clients, requests.jsonl: 2,800",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("the article of nginx/static lacks %q", want)
		}
	}
}

// unpackInto reads what pack made.
func unpackInto(t *testing.T, packed string, into any) {
	t.Helper()
	zipped, err := gzip.NewReader(base64.NewDecoder(base64.StdEncoding, strings.NewReader(strings.TrimSpace(packed))))
	must(t, err)
	must(t, json.NewDecoder(zipped).Decode(into))
}

// plotsOf are those that the script draws in an article.
func plotsOf(t *testing.T, article *html.Node) plots {
	t.Helper()
	var p plots
	unpackInto(t, textOf(find(article, "script", "id", attr(article, "id")+"-packed-plots")[0]), &p)
	return p
}

// rowsOf are the tables of rows in an article, by their files.
func rowsOf(t *testing.T, article *html.Node) map[string]rowTable {
	t.Helper()
	var all []rowTable
	unpackInto(t, textOf(find(article, "script", "id", attr(article, "id")+"-packed-rows")[0]), &all)
	tables := map[string]rowTable{}
	for _, table := range all {
		tables[table.File] = table
	}
	return tables
}

// articleOf is the article of a subject.
func articleOf(t *testing.T, root *html.Node, subject string) *html.Node {
	t.Helper()
	for _, a := range find(root, "article", "", "") {
		if strings.HasPrefix(textOf(find(a, "h3", "", "")[0]), subject) {
			return a
		}
	}
	t.Fatalf("the page has no article of %s", subject)
	return nil
}

func TestPageNeedsNothingElse(t *testing.T) {
	root, text := pageOf(t, Page{Cells: syntheticSuite(t)[:2]})
	for _, name := range []string{"link", "img", "iframe", "object", "base", "form"} {
		if n := find(root, name, "", ""); len(n) > 0 {
			t.Errorf("the page holds %d <%s>", len(n), name)
		}
	}
	for _, script := range find(root, "script", "", "") {
		if attr(script, "src") != "" {
			t.Errorf("the page loads %s", attr(script, "src"))
		}
	}
	if policy := attr(find(root, "meta", "http-equiv", "Content-Security-Policy")[0], "content"); !strings.HasPrefix(policy, "default-src 'none';") {
		t.Errorf("the page may load something: its policy is %q", policy)
	}
	if loads := regexp.MustCompile(`url\(|@import|fetch\(|XMLHttpRequest`).FindString(text); loads != "" {
		t.Errorf("the page holds %q", loads)
	}
}

// pageScripts are the page's own.
var pageScripts = func() []string {
	var all []string
	for _, script := range []template.JS{uplotJS, plotsJS, rowsJS, pageJS} {
		all = append(all, strings.TrimSpace(string(script)))
	}
	return all
}()

func TestPageEscapesWhatOthersWrote(t *testing.T) {
	const hostile = `</pre></script><script>alert(1)</script><img src=x onerror=alert(2)>"'` + "`&amp;"
	b := catalogue()[0]
	b.config, b.log = "# "+hostile+"\n", hostile
	b.finding = judge.Finding{Code: hostile, Text: hostile, Evidence: []string{hostile}}
	c := synthesize(t, t.TempDir(), "alb-ip-rotate", b, 1)
	c.Manifest.Scenario, c.Manifest.Summary, c.Manifest.Replay = hostile, hostile, hostile
	c.Manifest.Subject.ID, c.Manifest.Subject.Role, c.Manifest.Subject.Summary = hostile, hostile, hostile
	c.Manifest.Image = recording.Image{Ref: hostile, Digest: hostile, Version: hostile, Source: hostile}
	c.Manifest.Config.Path, c.Manifest.Testbed = hostile, hostile
	c.Verdict.ByKind, c.Verdict.Reasons = map[string]int{hostile: 3}, []string{hostile}
	skipped := c
	skipped.NotRun = hostile
	rewriteRows(t, c.Dir, hostile)
	comparison := comparisonOf(3, []Cell{c}, []Cell{c})
	for name, page := range map[string]Page{
		"suite":      {Title: hostile, Cells: []Cell{c, skipped}},
		"comparison": {Comparison: &comparison},
	} {
		t.Run(name, func(t *testing.T) {
			root, _ := pageOf(t, page)
			for _, script := range find(root, "script", "", "") {
				if text := textOf(script); attr(script, "type") != "text/plain" && !slices.Contains(pageScripts, strings.TrimSpace(text)) {
					t.Errorf("a script is not the page's own: %.100q", text)
				}
			}
			if n := find(root, "img", "", ""); len(n) != 0 {
				t.Errorf("%d images, want none", len(n))
			}
			for n := range root.Descendants() {
				for _, a := range n.Attr {
					if strings.HasPrefix(a.Key, "on") {
						t.Errorf("<%s> has a handler %s=%q", n.Data, a.Key, a.Val)
					}
				}
			}
			var configs string
			for _, d := range find(root, "details", "class", "config") {
				configs += textOf(find(d, "pre", "", "")[0])
			}
			if !strings.Contains(configs, "# "+hostile) {
				t.Errorf("the configuration is not shown as it is: %q", configs)
			}
		})
	}
}

// rewriteRows puts text into the rows that the charts and tables show.
func rewriteRows(t *testing.T, dir, text string) {
	t.Helper()
	rec, err := recording.Open(dir)
	must(t, err)
	rec.Requests[len(rec.Requests)-1].Outcome, rec.Requests[0].Error = text, text
	rec.Requests[0].Outcome = text
	rec.Steps[0].Name, rec.Steps[0].Proofs[0].Detail = text, text
	rec.Queries[0].Name, rec.Queries[0].Rcode, rec.Queries[0].Fault = text, text, text
	writeJSONLines(t, filepath.Join(dir, recording.RequestsFile), rec.Requests)
	writeJSONLines(t, filepath.Join(dir, recording.StepsFile), rec.Steps)
	writeJSONLines(t, filepath.Join(dir, recording.QueriesFile), rec.Queries)
	writeJSONLines(t, filepath.Join(dir, recording.SnapshotsFile), []recording.Snapshot{{Moment: text, Processes: []recording.Process{{Command: text}}}})
}

func writeJSONLines[T any](t *testing.T, path string, rows []T) {
	t.Helper()
	var b bytes.Buffer
	for _, row := range rows {
		must(t, json.NewEncoder(&b).Encode(row))
	}
	must(t, os.WriteFile(path, b.Bytes(), 0o600))
}

func TestPageSaysWhatItCut(t *testing.T) {
	b := catalogue()[0]
	b.config = strings.Repeat("# a line of the configuration\n", 2000)
	root, _ := pageOf(t, Page{Cells: []Cell{synthesize(t, t.TempDir(), "s", b, 1)}})
	if got := textOf(root); !strings.Contains(got, "first 32,768 of 60,000 bytes") {
		t.Error("the page does not say that the configuration is cut")
	}
}

func TestPageWithoutItsRecording(t *testing.T) {
	cells := syntheticSuite(t)[:2]
	must(t, os.Remove(filepath.Join(cells[1].Dir, recording.RequestsFile)))
	var b bytes.Buffer
	err := HTML(&b, Page{Cells: cells})
	if err == nil || !strings.Contains(err.Error(), "apache/disablereuse") {
		t.Errorf("error %v, want one that names the subject", err)
	}
	for _, want := range []string{"No plots, as the recording could not be read", "fix held, as expected", "pitfall broke, as expected"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("the page lacks %q", want)
		}
	}
}

func TestPageOfSeveralScenarios(t *testing.T) {
	root := t.TempDir()
	var cells []Cell
	for _, scenario := range []string{"alb-ip-rotate", "alb-ip-refuse", "alias-switch", "alb-ip-abrupt"} {
		for i, b := range catalogue() {
			if scenario == "alb-ip-abrupt" && b.role == "pitfall" {
				continue
			}
			cells = append(cells, synthesize(t, root, scenario, b, uint64(i)))
		}
	}
	again := synthesize(t, root, "alias-switch", catalogue()[8], 5)
	again.Verdict.Result = judge.Unproven
	page, _ := pageOf(t, Page{Title: "nightly", Cells: append(cells, again)})
	if got := len(find(page, "section", "", "")); got != 4 {
		t.Errorf("%d sections, want one for each of 4 scenarios", got)
	}
	overview := find(page, "table", "class", "summary stack")[0]
	rows := find(find(overview, "tbody", "", "")[0], "tr", "", "")
	if len(rows) != 9 {
		t.Fatalf("%d rows in the overview, want 9 subjects", len(rows))
	}
	bySubject := map[string]*html.Node{}
	for _, row := range rows {
		subject := textOf(find(row, "td", "", "")[0])
		bySubject[subject] = row
		for _, a := range find(row, "a", "", "") {
			article := find(page, "article", "id", strings.TrimPrefix(attr(a, "href"), "#"))
			if len(article) != 1 || !strings.HasPrefix(textOf(find(article[0], "h3", "", "")[0]), subject) {
				t.Errorf("the link %s of %s leads to another subject", attr(a, "href"), subject)
			}
		}
	}
	var atOnce string
	for _, section := range find(page, "section", "", "") {
		if textOf(find(section, "h2", "", "")[0]) == "alb-ip-abrupt" {
			atOnce = textOf(section)
		}
	}
	for _, want := range []string{"recovery within 3.0 s of each loss", "no failure allowed from here"} {
		if !strings.Contains(atOnce, want) {
			t.Errorf("the section of alb-ip-abrupt lacks %q", want)
		}
	}
	if pitfall := find(bySubject["apache/pooled"], "a", "", ""); len(pitfall) != 3 {
		t.Errorf("%d links for a subject of 3 scenarios", len(pitfall))
	}
	if got := textOf(bySubject["goproxy/default"]); !strings.Contains(got, "unproven") {
		t.Errorf("a second run that was unproven does not show: %s", got)
	}
}

// What a run saw that proves nothing is no result: the page says first why the run does not
// count, and then, not in bold, what was seen.
func TestPageOfARunThatProvesNothing(t *testing.T) {
	cell := syntheticSuite(t)[7] // nginx/upstream-resolve
	root, _ := pageOf(t, Page{Cells: []Cell{cell}})
	article := articleOf(t, root, cell.Manifest.Subject.ID)
	if n := find(article, "div", "class", "finding"); len(n) != 0 {
		t.Errorf("%q is in bold, as a result is", textOf(n[0]))
	}
	text, at := textOf(article), 0
	for _, next := range []string{"old-silent was not proved", "Seen, but this run proves nothing:", "left the old nodes 1.2 s after"} {
		where := strings.Index(text[at:], next)
		if where < 0 {
			t.Fatalf("%q does not stand there, or before what should come first:\n%s", next, text[:min(len(text), 600)])
		}
		at += where
	}
	if cause := textOf(find(root, "span", "class", "cause")[0]); !strings.HasPrefix(cause, "seen, but this run proves nothing: left the old nodes") {
		t.Errorf("the list of subjects has the cause %q", cause)
	}
	var table, markdown bytes.Buffer
	must(t, Table(&table, []Cell{cell}))
	must(t, Markdown(&markdown, Suite{Cells: []Cell{cell}}))
	for name, report := range map[string]string{"table": table.String(), "markdown": markdown.String()} {
		if !strings.Contains(report, "seen, but this run proves nothing: left the old nodes") {
			t.Errorf("the %s shows what was seen as a result:\n%s", name, report)
		}
	}
}

// A cell that broke off has a scenario, a subject and a reason, and no more.
func TestReportsOfACellThatBrokeOff(t *testing.T) {
	c := Cell{
		Manifest: recording.Manifest{Scenario: "alb-ip-rotate", Subject: recording.Subject{ID: "nginx/static", Role: "pitfall"}},
		Verdict:  judge.Verdict{Result: judge.Unproven, Reasons: []string{"nginx: [emerg] unknown directive\nin /etc/nginx/nginx.conf:3"}},
		Expect:   &judge.Expectation{Verdict: judge.Fail},
	}
	cells := []Cell{c, synthesize(t, t.TempDir(), "alb-ip-rotate", catalogue()[0], 1)}
	for name, write := range map[string]func(*bytes.Buffer) error{
		"table":    func(b *bytes.Buffer) error { return Table(b, cells) },
		"page":     func(b *bytes.Buffer) error { return HTML(b, Page{Cells: cells}) },
		"markdown": func(b *bytes.Buffer) error { return Markdown(b, Suite{Cells: cells}) },
		"json":     func(b *bytes.Buffer) error { return JSON(b, Suite{Cells: cells}) },
	} {
		t.Run(name, func(t *testing.T) {
			var b bytes.Buffer
			must(t, write(&b))
			if !strings.Contains(b.String(), "unknown directive") {
				t.Error("the reason is missing")
			}
			if strings.Contains(b.String(), "0001-01-01") || strings.Contains(b.String(), "Inf") {
				t.Error("a figure is made of nothing")
			}
		})
	}
}

func TestPageOfNothing(t *testing.T) {
	root, _ := pageOf(t, Page{})
	if got := textOf(root); !strings.Contains(got, "nothing was run") {
		t.Errorf("got %q", got)
	}
	if n := find(root, "p", "class", "banner unexpected"); len(n) != 1 {
		t.Error("a page of nothing is not red")
	}
}

func TestPageOfAComparison(t *testing.T) {
	root := t.TempDir()
	all := catalogue()
	var a, b []Cell
	for i, scenario := range []string{"alb-ip-rotate", "alb-ip-refuse"} {
		a = append(a, synthesize(t, root, scenario, all[4], uint64(i)))
		b = append(b, synthesize(t, root, scenario, all[6], uint64(i)))
	}
	a[0].Manifest.Config.Path, b[0].Manifest.Config.Path = "./now.conf", "./next.conf"
	comparison := comparisonOf(9, a, b)
	page, _ := pageOf(t, Page{Comparison: &comparison})
	if got := textOf(find(page, "h1", "", "")[0]); got != "./now.conf against ./next.conf" {
		t.Errorf("heading %q", got)
	}
	if n := len(find(page, "article", "", "")); n != 4 {
		t.Errorf("%d articles, want 4", n)
	}
	banner := textOf(find(page, "p", "class", "banner expected")[0])
	if banner != comparison.Sentence() || !strings.HasPrefix(banner, "roll out: B is better") {
		t.Errorf("banner %q", banner)
	}
	if got := textOf(find(page, "article", "id", "c4")[0]); !strings.Contains(got, "B: nginx/variable") {
		t.Error("the fourth article is not B of the second scenario")
	}
}

// The plots show what the verdict says, not what the client took an answer for: a redirect
// of the proxy itself is no success.
func TestPageShowsWhatTheProxyAnsweredItself(t *testing.T) {
	c := synthesize(t, t.TempDir(), "s", catalogue()[0], 1)
	rec, err := recording.Open(c.Dir)
	must(t, err)
	last := &rec.Requests[len(rec.Requests)-1]
	last.Outcome, last.Code, last.Node = recording.OK, 302, netip.Addr{}
	writeJSONLines(t, filepath.Join(c.Dir, recording.RequestsFile), rec.Requests)
	root, _ := pageOf(t, Page{Cells: []Cell{c}})
	drawn := plotsOf(t, find(root, "article", "", "")[0]).Outcomes
	if !slices.ContainsFunc(drawn, func(l layer) bool { return l.Class == "k-by-proxy" }) {
		t.Errorf("no layer has the colour of what the proxy answered itself: %v", drawn)
	}
}
