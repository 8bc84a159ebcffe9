package judge

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/proxychaos/proxychaos/harness/kind"
)

func TestChangeIsForProxyAndVersion(t *testing.T) {
	for _, c := range []struct {
		code    string
		proxy   kind.Name
		version string
		want    string // a part of it; empty: there is none
	}{
		{ResolvedOnce, kind.Nginx, "1.30.6", "`server NAME resolve;`"},
		{ResolvedOnce, kind.Nginx, "1.27.3", "`server NAME resolve;`"},
		{ResolvedOnce, kind.Nginx, "1.26.3", "into a variable"},
		{ResolvedOnce, kind.Apache, "2.4.58", "`disablereuse=On retry=0`"},
		{ResolvedOnce, kind.Apache, "2.4.71", "`addressttl=`"},
		{PooledOld, kind.HAProxy, "2.6.12", "use HAProxy 3.2"},
		{PooledOld, kind.HAProxy, "3.2.0", ""},
		{StruckNodes, kind.GoProxy, "abc", "shorten the connect timeout"},
		{ResolvedOnce, kind.GoProxy, "abc", ""},
		{Unexplained, kind.Nginx, "1.30.6", ""},
	} {
		got := Change(c.code, c.proxy, c.version)
		if c.want == "" && got != "" || !strings.Contains(got, c.want) {
			t.Errorf("%s, %s %s: got %q, want %q in it", c.code, c.proxy, c.version, got, c.want)
		}
	}
}

// A change that an earlier one hides would never be said.
func TestEveryChangeCanBeSaid(t *testing.T) {
	for i, c := range changes {
		if _, err := kind.Of(c.kind); c.kind != "" && err != nil {
			t.Errorf("row %d: %v", i, err)
		}
		version := c.since
		if version == "" && c.before != "" {
			version = "0"
		}
		if got := Change(c.code, c.kind, version); got != c.say {
			t.Errorf("row %d, %s of %s, is hidden by %q", i, c.code, c.kind, got)
		}
	}
}

// proxyTitles are the names of proxies in the documents.
var proxyTitles = map[kind.Name]string{kind.Apache: "Apache", kind.Nginx: "nginx", kind.HAProxy: "HAProxy", kind.Caddy: "Caddy", kind.GoProxy: "goproxy", "": "any"}

// docRow is the row of a change in docs/findings.md.
func (c change) docRow() string {
	who := proxyTitles[c.kind]
	if c.since != "" {
		who += " " + c.since + " and later"
	}
	if c.before != "" {
		who += " before " + c.before
	}
	return fmt.Sprintf("| %s | %s |", who, c.say)
}

// The advice is data. The document has the same, finding by finding, and no other.
func TestDocsSayWhatToChange(t *testing.T) {
	const path = "../../docs/findings.md"
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	const head = "| proxy | change |\n|---|---|\n"
	want := map[string][]string{}
	for _, c := range changes {
		want[c.code] = append(want[c.code], c.docRow())
	}
	for section := range strings.SplitSeq(string(text), "\n## ") {
		title, _, _ := strings.Cut(section, "\n")
		_, table, _ := strings.Cut(section, head)
		table, _, _ = strings.Cut(table, "\n\n")
		got := slices.DeleteFunc(strings.Split(table, "\n"), func(row string) bool { return row == "" })
		rows := want[title]
		delete(want, title)
		if !slices.Equal(got, rows) {
			t.Errorf("%s, section %s: the table of changes is not that of changes.go; write\n%s%s", path, title, head, strings.Join(rows, "\n"))
		}
	}
	for code := range want {
		t.Errorf("%s has no section %s", path, code)
	}
}
