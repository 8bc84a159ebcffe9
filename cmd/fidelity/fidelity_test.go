package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
)

const list = "number\tmark\tfact\twhy_not\n" +
	"1.1\tD\tanswers have a TTL\t\n" +
	"1.2\tD/O\tmore of | them\tnobody needs it\n" +
	"1.3\tG\ta guess\t\n" +
	"2.1\tS\tread in the source\t\n"

// attr is a test that names a fact and ends.
func attr(test, number, end string) string {
	return `{"Action":"run","Package":"` + module + `fakealb/x","Test":"` + test + `"}
{"Action":"attr","Package":"` + module + `fakealb/x","Test":"` + test + `","Key":"aws-fact","Value":"` + number + `"}
{"Action":"` + end + `","Package":"` + module + `fakealb/x","Test":"` + test + `"}
`
}

func TestRun(t *testing.T) {
	passing := attr("TestA", "1.1", "pass") + attr("TestB/sub.with/dots", "2.1", "pass") + attr("TestB/other", "2.1", "pass")
	for name, tc := range map[string]struct {
		tests   string
		wrong   []string // in the error; none is no error
		inTable []string
	}{
		"all proved": {passing, nil, []string{
			"| 1.1 | D | answers have a TTL | tested: fakealb/x.TestA |",
			`| 1.2 | D/O | more of \| them | not built: nobody needs it |`,
			"| 1.3 | G | a guess | not tested |",
			"| 2.1 | S | read in the source | tested: fakealb/x.TestB |",
			"3 facts are D or S: 2 tested, 1 explained, 0 neither. Of the 1 others 0 are tested.",
		}},
		"skipped": {attr("TestA", "1.1", "pass") + attr("TestB", "2.1", "skip"), []string{"fact 2.1 (read in the source) has no test that passed (skipped: fakealb/x.TestB)"}, []string{"| not tested; skipped: fakealb/x.TestB |", "1 neither"}},
		"failed":  {passing + attr("TestC", "1.3", "fail"), []string{"fakealb/x.TestC failed"}, []string{"| 1.3 | G | a guess | not tested |"}},
		"unknown": {passing + attr("TestC", "9.9", "pass"), []string{"fakealb/x.TestC names the fact 9.9, which is not in"}, nil},
		"missing": {attr("TestA", "1.1", "pass"), []string{"fact 2.1 (read in the source) has no test that passed: write one"}, nil},
		"package": {passing + `{"Action":"fail","Package":"` + module + `fakedns"}`, []string{"fakedns failed"}, nil},
		"score": {
			passing + `{"Action":"attr","Package":"` + module + `fakealb/desync","Test":"TestCorpus","Key":"aws-score","Value":"159 of 159"}`, nil,
			[]string{"(http-desync-guardian), in fakealb/desync.TestCorpus: 159 of 159."},
		},
		"nothing": {"", []string{"no test passed"}, nil},
		"not it":  {"ok  	fakedns	0.1s\n", []string{"the output of go test -json"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			dir := t.TempDir()
			facts, table := filepath.Join(dir, "facts.tsv"), filepath.Join(dir, "table.md")
			g.Expect(os.WriteFile(facts, []byte(list), 0o600)).To(Succeed())
			err := run([]page{{facts, table, "aws-fact", awsHead}}, strings.NewReader(tc.tests))
			if tc.wrong == nil {
				g.Expect(err).NotTo(HaveOccurred())
			}
			for _, want := range tc.wrong {
				g.Expect(err).To(MatchError(ContainSubstring(want)))
			}
			if tc.inTable != nil {
				content, err := os.ReadFile(table)
				g.Expect(err).NotTo(HaveOccurred())
				for _, want := range tc.inTable {
					g.Expect(string(content)).To(ContainSubstring(want))
				}
			}
		})
	}
}

func TestWrongLists(t *testing.T) {
	for name, content := range map[string]string{
		"other columns": "a\tb\tc\td\n",
		"twice":         list + "1.1\tD\tagain\t\n",
		"no mark":       list + "7.1\t\tno mark\t\n",
		"too few":       list + "7.1\tD\n",
		"empty":         "",
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "facts.tsv")
			if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
			if facts, err := readFacts(path); err == nil {
				t.Errorf("got %v, want an error", facts)
			}
		})
	}
}

// A list can have a column of sources, and then each fact has one unless it is a guess.
func TestSources(t *testing.T) {
	g := NewWithT(t)
	dir := t.TempDir()
	list, table := filepath.Join(dir, "facts.tsv"), filepath.Join(dir, "table.md")
	const head = "number\tmark\tfact\tsource\twhy_not\n"
	g.Expect(os.WriteFile(list, []byte(head+"1.1\tD\ta thing\ta page\t\n1.2\tG\ta guess\t\t\n"), 0o600)).To(Succeed())
	named := strings.ReplaceAll(attr("TestA", "1.1", "pass"), "aws-fact", "cloud-fact") + attr("TestB", "9.9", "pass")
	g.Expect(run([]page{{list, table, "cloud-fact", cloudHead}}, strings.NewReader(named))).To(Succeed(), "the facts of another list are not its own")
	content, err := os.ReadFile(table)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(string(content)).To(And(ContainSubstring("| 1.1 | D | a thing | a page | tested: fakealb/x.TestA |"), ContainSubstring("| 1.2 | G | a guess |  | not tested |")))
	g.Expect(os.WriteFile(list, []byte(head+"1.1\tD\ta thing\t\t\n"), 0o600)).To(Succeed())
	_, err = readFacts(list)
	g.Expect(err).To(MatchError(ContainSubstring("a source")))
}

// Every fact of the committed lists is short enough to read in a table.
func TestCommittedLists(t *testing.T) {
	for _, p := range pages {
		facts, err := readFacts(filepath.Join(root, p.list))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range facts {
			if n := len(strings.Fields(f.text)); n > 12 {
				t.Errorf("fact %s has %d words, want at most 12", f.number, n)
			}
		}
	}
}
