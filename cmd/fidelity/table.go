package main

import (
	"fmt"
	"slices"
	"strings"
)

// check returns what is wrong with the facts of a page.
func (p page) check(facts []fact, found tests) []error {
	var wrong []error
	of := found.of(p.attr)
	known := map[string]bool{}
	for _, f := range facts {
		known[f.number] = true
		if f.required() && f.whyNot == "" && len(of.passed[f.number]) == 0 {
			wrong = append(wrong, fmt.Errorf("fact %s (%s) has no test that passed%s: write one with t.Attr(%q, %q), or say in the column why_not of %s why not",
				f.number, f.text, didNotRun(of.skipped[f.number]), p.attr, f.number, p.list))
		}
	}
	for _, number := range of.numbers() {
		if !known[number] {
			wrong = append(wrong, fmt.Errorf("%s names the fact %s, which is not in %s", of.named(number), number, p.list))
		}
	}
	return wrong
}

func didNotRun(skipped []string) string {
	if len(skipped) == 0 {
		return ""
	}
	return " (skipped: " + strings.Join(skipped, ", ") + ")"
}

// numbers are the facts that tests name.
func (t proofs) numbers() []string {
	all := map[string]bool{}
	for n := range t.passed {
		all[n] = true
	}
	for n := range t.skipped {
		all[n] = true
	}
	sorted := make([]string, 0, len(all))
	for n := range all {
		sorted = append(sorted, n)
	}
	slices.Sort(sorted)
	return sorted
}

func (t proofs) named(number string) string {
	return strings.Join(append(t.passed[number], t.skipped[number]...), ", ")
}

const awsHead = `# How true the fakes are

fakedns and fakealb are built by facts about AWS. This page lists each fact, with its number, and the tests that prove that the fakes follow it. It is made by ` + "`make fidelity`" + ` from the tests themselves; do not edit.

Marks: D documented by AWS, S read in source code, O observed by several, O1 observed once, G guessed. Each fact that is D or S has to be tested or explained. What is O is a default that can be set; what is G is a setting, and no test asserts it. The facts are in [aws-facts.tsv](aws-facts.tsv), in this project's own words.

`

const cloudHead = `# How true the fakes are of other clouds

fakealb has the load balancers of Google Cloud and Azure beside AWS's: the name of a cloud in ` + "`CLOUD=`" + ` and in its control API, and how their addresses behave, are in [clouds](clouds.md). This page lists each fact about them, with its number and its source, and the tests that prove that fakealb follows it. It is made by ` + "`make fidelity`" + ` from the tests themselves; do not edit.

Marks: D documented by the cloud, S read in source code, O observed by several, O1 observed once, G guessed. Each fact that is D or S has to be tested or explained. What is O is a default that can be set; what is G is a setting, and no test asserts it. Nobody compared the fake with the real thing. The facts are in [cloud-facts.tsv](cloud-facts.tsv), in this project's own words, and were read in stored copies of the sources in 2026.

`

func (p page) markdown(facts []fact, all tests) string {
	var b strings.Builder
	b.WriteString(p.head)
	found := all.of(p.attr)
	var required, tested, explained, others, othersTested int
	for _, f := range facts {
		passed := len(found.passed[f.number]) > 0
		switch {
		case f.required():
			required++
			if passed {
				tested++
			} else if f.whyNot != "" {
				explained++
			}
		default:
			others++
			if passed {
				othersTested++
			}
		}
	}
	fmt.Fprintf(&b, "%d facts are D or S: %d tested, %d explained, %d neither. Of the %d others %d are tested.\n",
		required, tested, explained, required-tested-explained, others, othersTested)
	for _, score := range all.scores[p.attr] {
		fmt.Fprintf(&b, "\nCases that AWS published (http-desync-guardian), in %s.\n", score)
	}
	if len(facts) > 0 && facts[0].source != "" {
		b.WriteString("\n| number | mark | fact | source | state |\n|---|---|---|---|---|\n")
		for _, f := range facts {
			fmt.Fprintf(&b, "| %s | %s | %s | %s | %s |\n", f.number, f.mark, cell(f.text), cell(f.source), state(f, found))
		}
		return b.String()
	}
	b.WriteString("\n| number | mark | fact | state |\n|---|---|---|---|\n")
	for _, f := range facts {
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", f.number, f.mark, cell(f.text), state(f, found))
	}
	return b.String()
}

func state(f fact, found proofs) string {
	var said []string
	if names := found.passed[f.number]; len(names) > 0 {
		slices.Sort(names)
		said = append(said, "tested: "+strings.Join(names, ", "))
	}
	if f.whyNot != "" {
		said = append(said, "not built: "+cell(f.whyNot))
	}
	if len(said) == 0 {
		said = append(said, "not tested")
	}
	if names := found.skipped[f.number]; len(names) > 0 {
		slices.Sort(names)
		said = append(said, "skipped: "+strings.Join(names, ", "))
	}
	return strings.Join(said, "; ")
}

func cell(s string) string { return strings.ReplaceAll(s, "|", `\|`) }
