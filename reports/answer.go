package reports

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/proxychaos/proxychaos/harness/judge"
	"github.com/proxychaos/proxychaos/harness/kind"
)

// Answer gives the result of a run in a few sentences and, if the proxy broke, why, and what to
// change: "nginx/own: BROKE. 810 of 1,500 requests failed (502), never recovered. Cause:
// api.example.com was resolved once at start. Change: put the name into a variable ...".
// The change is Markdown: configuration stands between backticks.
func (c Cell) Answer() string {
	if c.NotRun != "" {
		return fmt.Sprintf("%s: not run. %s", c.Manifest.Subject.ID, sentence(c.NotRun))
	}
	phrase := c.Phrase()
	if c.State() == Expected && c.Verdict.Result == judge.Pass && c.Expect == nil {
		phrase = "HELD"
	}
	said := fmt.Sprintf("%s: %s. ", c.Manifest.Subject.ID, phrase)
	if c.State() == Unproven {
		said += "This run does not count: " + sentence(strings.Join(c.Verdict.Reasons, "; "))
		if say := c.remedy(); say != "" {
			said += " Change: " + sentence(say)
		}
		return said
	}
	said += c.lost()
	if c.Verdict.Result != judge.Fail || len(c.Verdict.Findings) == 0 {
		return said
	}
	cause := c.Verdict.Findings[0]
	said += " Cause: " + sentence(inShort(cause))
	if say := judge.Change(cause.Code, kind.Name(c.Manifest.Subject.Kind), c.Manifest.Image.Version); say != "" {
		said += " Change: " + sentence(say)
	}
	return said
}

// remedy is what to change so that a run counts, if the proxy itself refused the load; empty
// otherwise. It is Markdown.
func (c Cell) remedy() string {
	if c.State() != Unproven || !slices.ContainsFunc(c.Verdict.Findings, func(f judge.Finding) bool { return f.Code == judge.RefusedByProxy }) {
		return ""
	}
	return judge.Change(judge.RefusedByProxy, kind.Name(c.Manifest.Subject.Kind), c.Manifest.Image.Version)
}

// lost is how many requests failed, in which ways, and for how long.
func (c Cell) lost() string {
	v := c.Verdict
	if v.Failed == 0 {
		return fmt.Sprintf("None of %s failed.", count(v.Sent, "request"))
	}
	said := fmt.Sprintf("%s of %s failed", thousands(v.Failed), count(v.Sent, "request"))
	switch of := countsByKind(v.ByKind); {
	case len(of) == 1:
		said += " (" + of[0].Kind + ")"
	case len(of) > 1:
		said += " (" + kindsInWords(v.ByKind) + ")"
	}
	switch {
	case v.NeverRecovered:
		said += ", never recovered"
	case v.Recovery != nil && *v.Recovery >= 0:
		said += ", recovered " + seconds(*v.Recovery) + " after the fault"
	}
	return said + "."
}

// inShort is what a finding says before its figures: "api.example.com was resolved once at
// start".
func inShort(f judge.Finding) string {
	text, name := f.Text, ""
	if f.Upstream != "" {
		if rest, ok := strings.CutPrefix(text, f.Upstream+": "); ok {
			text, name = rest, f.Upstream
		}
	}
	text, _, _ = strings.Cut(text, ": ")
	switch {
	case name == "":
		return text
	case strings.HasPrefix(text, "resolved "):
		return name + " was " + text
	default:
		return name + ": " + text
	}
}

// sentence ends with a full stop.
func sentence(s string) string {
	s = strings.TrimSpace(s)
	if strings.HasSuffix(s, ".") {
		return s
	}
	return s + "."
}

// maxAnswers is how many cells the head of a page speaks of.
const maxAnswers = 5

// wanting are the indexes of the cells that are not as expected; that of the only cell in
// any case.
func wanting(cells []Cell) []int {
	var all []int
	for i, c := range cells {
		if state := c.State(); state != Expected && state != NotRun || len(cells) == 1 {
			all = append(all, i)
		}
	}
	return all
}

// allExpected is what to say of cells of which each is as expected, or was not run.
func allExpected(cells []Cell) string {
	broke, held := 0, 0
	for _, c := range cells {
		switch {
		case c.NotRun != "":
		case c.Verdict.Result == judge.Fail:
			broke++
		default:
			held++
		}
	}
	return fmt.Sprintf("Every result is as expected: %s broke, %s held.", thousands(broke), thousands(held))
}

// severity orders cells for the page: what broke and should not have comes first.
func (c Cell) severity() int {
	switch state := c.State(); {
	case state == Unexpected && c.Verdict.Result == judge.Fail:
		return 0
	case state == Unexpected:
		return 1
	case state == Unproven:
		return 2
	case state == NotRun:
		return 5
	case c.Verdict.Result == judge.Fail:
		return 3
	default:
		return 4
	}
}

// brokenFirst sorts cells by scenario, and within it by severity; the scenario with the
// worst cell is the first. What is alike keeps its order.
func brokenFirst(cells []Cell) []Cell {
	worst := map[string]int{}
	for _, c := range cells {
		name := c.scenario()
		if have, ok := worst[name]; !ok || c.severity() < have {
			worst[name] = c.severity()
		}
	}
	order := scenarios(cells)
	slices.SortStableFunc(order, func(a, b string) int { return cmp.Compare(worst[a], worst[b]) })
	sorted := slices.Clone(cells)
	slices.SortStableFunc(sorted, func(a, b Cell) int {
		return cmp.Or(
			cmp.Compare(slices.Index(order, a.scenario()), slices.Index(order, b.scenario())),
			cmp.Compare(a.severity(), b.severity()),
		)
	})
	return sorted
}
