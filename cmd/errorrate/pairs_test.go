package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/proxychaos/proxychaos/reports"
	"github.com/proxychaos/proxychaos/reports/compare"
	"github.com/proxychaos/proxychaos/scenarios"
	"github.com/proxychaos/proxychaos/scenarios/journal"
)

// All pairs can be read, have names of their own, and say what is known of scenarios and
// measures that there are.
func TestPairs(t *testing.T) {
	all, err := readPairs()
	if err != nil {
		t.Fatal(err)
	}
	if len(all) < 30 {
		t.Errorf("%d pairs, want 30", len(all))
	}
	seen := map[string]bool{}
	for _, p := range all {
		if seen[p.Name] || seen[p.sum()] {
			t.Errorf("%s is there twice", p.Name)
		}
		seen[p.Name], seen[p.sum()] = true, true
		if _, err := scenarios.Named(p.Scenario); err != nil {
			t.Errorf("%s: %v", p.Name, err)
		}
		known := p.Want == compare.NoDifference && p.By == ""
		for _, m := range compare.Measures {
			known = known || m.Name == p.By && (p.Want == compare.Worse || p.Want == compare.Better)
		}
		if !known || p.Because == "" {
			t.Errorf("%s: want %q by %q, because %q", p.Name, p.Want, p.By, p.Because)
		}
	}
}

// The table in the docs is that of the answers that are stored.
func TestThePageHasTheAnswers(t *testing.T) {
	all, err := readPairs()
	if err != nil {
		t.Fatal(err)
	}
	answers, err := journal.OpenAt[answered]("../../" + answersFile)
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile("../../" + page)
	if err != nil {
		t.Fatal(err)
	}
	if table := pairsTable(all, answers.Rows()); !strings.Contains(string(text), "<!-- from here on by make pairs -->\n\n"+table+"\n<!-- until here by make pairs -->") {
		t.Errorf("%s: want this table, which make pairs writes:\n%s", page, table)
	}
}

// What compare says is understood, whichever its word.
func TestWhatCompareSaysIsUnderstood(t *testing.T) {
	for _, word := range []compare.Word{compare.Worse, compare.Better, compare.NotWorse, compare.NoDifference, compare.CannotTell} {
		sentence := reports.Comparison{Decision: compare.Comparison{Rules: compare.DefaultRules(), Word: word}}.Sentence()
		if got, _ := said(sentence); got != word {
			t.Errorf("%q is %q, want %q", sentence, got, word)
		}
	}
	p := pair{Want: compare.Worse, By: "recovery"}
	for sentence, right := range map[string]bool{
		"do not roll out: B is worse: recovery 1 s with A, 2 s with B: +1 s in x":  true,
		"do not roll out: B is worse: failed requests 0 with A, 9 with B: +9 in x": false,
		"roll out: B is better: recovery 2 s with A, 1 s with B: -1 s in x":        false,
		"proxychaos: there is no engine":                                           false,
	} {
		if p.right(sentence) != right {
			t.Errorf("%q: want right to be %v", sentence, right)
		}
	}
}

// fakeCompare says a sentence, and leaves a journal of two blocks where it is told to.
const fakeCompare = `#!/bin/sh
while [ $# -gt 1 ]; do
	if [ "$1" = --runs ]; then printf '{}\n{}\n' >"$2/compare-1.jsonl"; fi
	if [ "$1" = --b ]; then cp "$2" "$(dirname "$0")/asked"; fi
	shift
done
echo "$SAYS"
exit 1
`

// A pair is asked, and its answer is in the table: right, or wrong.
func TestAPairIsAsked(t *testing.T) {
	all, err := readPairs()
	if err != nil {
		t.Fatal(err)
	}
	ps, err := pairNamed(all, "queries-more")
	if err != nil {
		t.Fatal(err)
	}
	p, dir := ps[0], t.TempDir()
	program := filepath.Join(dir, "proxychaos")
	if err := os.WriteFile(program, []byte(fakeCompare), 0o700); err != nil { //nolint:gosec // a program
		t.Fatal(err)
	}
	var answers []answered
	for says, want := range map[string]string{
		"do not roll out: B is worse: DNS queries per second 1 with A, 4 with B: +3 in alb-ip-refuse": "1 of 30 pairs have an answer, and 1 of these answers are right",
		"roll out: no difference that counts in 1 scenario":                                           "1 of 30 pairs have an answer, and 0 of these answers are right",
	} {
		t.Setenv("SAYS", says)
		a, err := p.ask(t.Context(), program, filepath.Join(dir, "runs"))
		if err != nil {
			t.Fatal(err)
		}
		if a.Sentence != says || a.Runs != 6 || a.Sum != p.sum() {
			t.Errorf("got %+v", a)
		}
		answers = append(answers, a)
		if table := pairsTable(all, answers); !strings.Contains(table, want) || strings.Contains(table, "**wrong**") != strings.Contains(want, "0 of these") {
			t.Errorf("want %q in\n%s", want, table)
		}
	}
	asked, err := os.ReadFile(filepath.Join(dir, "asked"))
	if err != nil || !strings.Contains(string(asked), "valid=1s") {
		t.Errorf("asked of %s, %v", asked, err)
	}
	changed := p
	changed.textOfB += "# other\n"
	if latest(answers, changed) != nil {
		t.Error("the answer is taken for that of another pair")
	}
	t.Setenv("SAYS", "proxychaos: no Docker engine")
	if _, err := p.ask(t.Context(), program, filepath.Join(dir, "runs")); err == nil {
		t.Error("what is no answer is taken for one")
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := p.ask(ended, program, filepath.Join(dir, "runs")); err == nil {
		t.Error("an interrupted pair has an answer")
	}
}
