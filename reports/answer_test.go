package reports

import (
	"slices"
	"strings"
	"testing"

	"github.com/proxychaos/proxychaos/harness/judge"
	"github.com/proxychaos/proxychaos/harness/recording"
)

// broke is a cell of a user's own configuration that failed for one cause.
func broke(version string, f judge.Finding) Cell {
	recovery := recording.Seconds(7)
	return Cell{
		Manifest: recording.Manifest{Scenario: "alb-ip-rotate", Subject: recording.Subject{ID: "nginx/own", Kind: "nginx"}, Image: recording.Image{Version: version}},
		Verdict:  judge.Verdict{Result: judge.Fail, Sent: 1500, Failed: 810, ByKind: map[string]int{"502": 810}, NeverRecovered: true, Recovery: &recovery, Findings: []judge.Finding{f}},
	}
}

func TestAnswerSaysWhatBrokeWhyAndWhatToChange(t *testing.T) {
	once := judge.Finding{Code: judge.ResolvedOnce, Upstream: "api.example.com", Text: "api.example.com: resolved once at start: 0 DNS queries after t=0; 600 requests on the retired 198.18.0.21"}
	recovered := broke("1.26.3", once)
	recovered.Verdict.NeverRecovered = false
	recovered.Verdict.ByKind = map[string]int{"502": 800, "timeout": 10}
	pitfall := broke("1.26.3", judge.Finding{Code: judge.PostTwice, Text: "3 POSTs reached nodes more than once: 1 GET"})
	pitfall.Expect = &judge.Expectation{Verdict: judge.Fail}
	pitfall.Manifest.Subject.Role = "pitfall"
	held := broke("1.26.3", once)
	held.Verdict = judge.Verdict{Result: judge.Pass, Sent: 1500}
	unproven := broke("1.26.3", once)
	unproven.Verdict = judge.Verdict{Result: judge.Unproven, Reasons: []string{"the load was late", "a worker was cold"}}
	refused := unproven
	refused.Verdict = judge.Verdict{Result: judge.Unproven, Reasons: []string{"the proxy itself refused 57 requests"}, Findings: []judge.Finding{once, {Code: judge.RefusedByProxy, Text: "x"}}}
	absent := broke("", once)
	absent.NotRun = "no image of it"
	refused.Verdict.Sent = 1500
	if got, want := strings.Join(strings.Fields(tableText(t, []Cell{refused})), " "), "change: raise the limit for the run, or send fewer requests (RATE=) or other ones (URL_PATH=, HOST_HEADER=)"; !strings.Contains(got, want) {
		t.Errorf("the table does not say what to do: %s", got)
	}
	for name, tc := range map[string]struct {
		cell Cell
		want string
	}{
		"broke": {broke("1.26.3", once), "nginx/own: BROKE. 810 of 1,500 requests failed (502), never recovered. Cause: api.example.com was resolved once at start. " +
			"Change: put the name into a variable, use that in `proxy_pass` (in place of an `upstream` block), and add a `resolver`. Every request then has a connection of its own. A `resolver` line alone does nothing."},
		"later version": {broke("1.30.6", once), "nginx/own: BROKE. 810 of 1,500 requests failed (502), never recovered. Cause: api.example.com was resolved once at start. " +
			"Change: name the backend in an `upstream` block with `zone` and `server NAME resolve;`, and add a `resolver`. A `resolver` line alone does nothing."},
		"recovered": {recovered, "nginx/own: BROKE. 810 of 1,500 requests failed (502 800, timeout 10), recovered 7.0 s after the fault. Cause: api.example.com was resolved once at start. " +
			"Change: put the name into a variable, use that in `proxy_pass` (in place of an `upstream` block), and add a `resolver`. Every request then has a connection of its own. A `resolver` line alone does nothing."},
		"as expected": {pitfall, "nginx/own: pitfall broke, as expected. 810 of 1,500 requests failed (502), never recovered. Cause: 3 POSTs reached nodes more than once."},
		"held":        {held, "nginx/own: HELD. None of 1,500 requests failed."},
		"unproven":    {unproven, "nginx/own: UNPROVEN. This run does not count: the load was late; a worker was cold."},
		"refused": {refused, "nginx/own: UNPROVEN. This run does not count: the proxy itself refused 57 requests. " +
			"Change: raise the limit for the run, or send fewer requests (`RATE=`) or other ones (`URL_PATH=`, `HOST_HEADER=`)."},
		"not run": {absent, "nginx/own: not run. no image of it."},
	} {
		if got := tc.cell.Answer(); got != tc.want {
			t.Errorf("%s:\ngot  %s\nwant %s", name, got, tc.want)
		}
	}
}

func TestBrokenComesFirst(t *testing.T) {
	cell := func(scenario, id, result, want string) Cell {
		c := Cell{Manifest: recording.Manifest{Scenario: scenario, Subject: recording.Subject{ID: id}}, Verdict: judge.Verdict{Result: result}}
		if want != "" {
			c.Expect = &judge.Expectation{Verdict: want}
		}
		return c
	}
	absent := Cell{Manifest: recording.Manifest{Scenario: "second", Subject: recording.Subject{ID: "absent"}}, NotRun: "no image"}
	got := brokenFirst([]Cell{
		cell("first", "held", judge.Pass, judge.Pass), cell("first", "pitfall", judge.Fail, judge.Fail),
		absent, cell("second", "unproven", judge.Unproven, ""), cell("second", "held", judge.Pass, ""), cell("second", "broke", judge.Fail, ""),
	})
	var ids []string
	for _, c := range got {
		ids = append(ids, c.Manifest.Subject.ID)
	}
	if want := []string{"broke", "unproven", "held", "absent", "pitfall", "held"}; !slices.Equal(ids, want) {
		t.Errorf("got %v, want %v", ids, want)
	}
}

func TestAPageWithoutSurprisesSaysSo(t *testing.T) {
	broke, held := broke("1.26.3", judge.Finding{Text: "x"}), broke("1.26.3", judge.Finding{})
	broke.Expect, held.Verdict = &judge.Expectation{Verdict: judge.Fail}, judge.Verdict{Result: judge.Pass}
	root, _ := pageOf(t, Page{Cells: []Cell{broke, held, {Manifest: held.Manifest, NotRun: "no image"}}})
	if got, want := textOf(find(root, "li", "", "")[0]), "Every result is as expected: 1 broke, 1 held."; got != want {
		t.Errorf("the page begins with %q, want %q", got, want)
	}
}
