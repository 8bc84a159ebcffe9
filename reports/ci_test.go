package reports

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"strconv"
	"strings"
	"testing"

	"github.com/proxychaos/proxychaos/harness/judge"
)

func TestJUnitCountsAreConsistent(t *testing.T) {
	cells := syntheticSuite(t)
	second := synthesize(t, t.TempDir(), "alias-switch", catalogue()[1], 3)
	var b bytes.Buffer
	must(t, JUnit(&b, append(cells, second)))
	if !strings.HasPrefix(b.String(), xml.Header) {
		t.Error("no XML declaration")
	}
	root := parseXML(t, b.Bytes())
	if root.name != "testsuites" || len(root.children) != 2 {
		t.Fatalf("got <%s> of %d suites, want <testsuites> of 2", root.name, len(root.children))
	}
	total := map[string]int{}
	for _, suite := range root.children {
		found := map[string]int{}
		for _, test := range suite.named("testcase") {
			found["tests"]++
			found["failures"] += len(test.named("failure"))
			found["errors"] += len(test.named("error"))
			found["skipped"] += len(test.named("skipped"))
			if test.attrs["name"] == "" || test.attrs["classname"] != suite.attrs["name"] {
				t.Errorf("test case %v in suite %s", test.attrs, suite.attrs["name"])
			}
			if s, err := strconv.ParseFloat(test.attrs["time"], 64); err != nil || s < 0 {
				t.Errorf("time %q", test.attrs["time"])
			}
		}
		for _, key := range []string{"tests", "failures", "errors", "skipped"} {
			if suite.attrs[key] != strconv.Itoa(found[key]) {
				t.Errorf("suite %s says %s=%s, holds %d", suite.attrs["name"], key, suite.attrs[key], found[key])
			}
			total[key] += found[key]
		}
	}
	for key, n := range total {
		if root.attrs[key] != strconv.Itoa(n) {
			t.Errorf("testsuites says %s=%s, holds %d", key, root.attrs[key], n)
		}
	}
	if total["tests"] != 11 || total["failures"] != 1 || total["errors"] != 1 || total["skipped"] != 1 {
		t.Errorf("counts %v, want 11 tests, 1 failure, 1 error, 1 skipped", total)
	}
}

func TestJUnitTellsWhy(t *testing.T) {
	var b bytes.Buffer
	must(t, JUnit(&b, syntheticSuite(t)))
	suite := parseXML(t, b.Bytes()).children[0]
	for _, test := range suite.named("testcase") {
		switch test.attrs["name"] {
		case "apache/smax-ttl":
			failure := test.named("failure")[0]
			if !strings.HasPrefix(failure.attrs["message"], "FIX DID NOT HOLD: expected pass, got fail") {
				t.Errorf("message %q", failure.attrs["message"])
			}
			for _, want := range []string{"healed-by-itself: healed by itself", "run it again: make scenario"} {
				if !strings.Contains(failure.text, want) {
					t.Errorf("the failure lacks %q: %s", want, failure.text)
				}
			}
			properties := map[string]string{}
			for _, p := range test.named("properties")[0].children {
				properties[p.attrs["name"]] = p.attrs["value"]
			}
			if properties["seed"] != "3" || properties["proxy.version"] != "2.4.68" {
				t.Errorf("properties %v", properties)
			}
		case "apache/pooled@2.4.58":
			if got := test.named("skipped")[0].attrs["message"]; !strings.HasPrefix(got, "no image of Apache") {
				t.Errorf("skipped because %q", got)
			}
		}
	}
}

// element is a parsed XML element.
type element struct {
	name     string
	attrs    map[string]string
	text     string
	children []*element
}

func (e *element) named(name string) []*element {
	var found []*element
	for _, c := range e.children {
		if c.name == name {
			found = append(found, c)
		}
	}
	return found
}

func parseXML(t *testing.T, text []byte) *element {
	t.Helper()
	decoder := xml.NewDecoder(bytes.NewReader(text))
	stack := []*element{{}}
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			return stack[0].children[0]
		}
		must(t, err)
		top := stack[len(stack)-1]
		switch token := token.(type) {
		case xml.StartElement:
			e := &element{name: token.Name.Local, attrs: map[string]string{}}
			for _, a := range token.Attr {
				e.attrs[a.Name.Local] = a.Value
			}
			top.children = append(top.children, e)
			stack = append(stack, e)
		case xml.EndElement:
			stack = stack[:len(stack)-1]
		case xml.CharData:
			top.text += string(token)
		}
	}
}

func TestMarkdownRowsHaveTheirColumns(t *testing.T) {
	cells := syntheticSuite(t)
	cells[0].Verdict.Findings = []judge.Finding{{Text: "a | b\nc <script> `d` [e](f) \x1b[31m"}}
	var b strings.Builder
	must(t, Markdown(&b, cells))
	t.Log("\n" + b.String())
	for line := range strings.SplitSeq(b.String(), "\n") {
		if bars := strings.Count(line, "|") - strings.Count(line, `\|`); strings.HasPrefix(line, "|") && bars != 8 {
			t.Errorf("%d bars, want 8: %s", bars, line)
		}
	}
	for _, want := range []string{"**Not as expected**: 9 cells run", `a \| b c &lt;script>`, "**FIX DID NOT HOLD**", "- **apache/smax-ttl**: expected pass, got fail", "no image of Apache 2.4.58"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("lacks %q", want)
		}
	}
}

func TestJSONReadsBack(t *testing.T) {
	var b bytes.Buffer
	must(t, JSON(&b, syntheticSuite(t)))
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
