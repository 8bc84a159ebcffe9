package main

import (
	"errors"
	"testing"

	. "github.com/onsi/gomega"

	"github.com/proxychaos/proxychaos/harness/judge"
	"github.com/proxychaos/proxychaos/reports"
	"github.com/proxychaos/proxychaos/scenarios"
)

// An incident is a config that breaks beside one that holds: if one of them was not run, such as
// for want of its image, nothing is shown.
func TestAnIncidentIsShownWholeOrNotAtAll(t *testing.T) {
	g := NewWithT(t)
	ran := reports.Cell{Verdict: judge.Verdict{Result: judge.Pass}}
	absent := reports.Cell{NotRun: "image not available"}
	whole, some := player{settings: &settings{}, whole: true}, player{settings: &settings{}}
	asked := scenarios.Request{Floor: 1}

	g.Expect(whole.outcome(t.Context(), asked, []reports.Cell{ran, ran}, 2)).To(Succeed())
	g.Expect(some.outcome(t.Context(), asked, []reports.Cell{ran, absent}, 2)).To(Succeed(), "of the catalogue some may be absent")
	for _, cells := range [][]reports.Cell{{ran, absent}, {absent, ran}, {ran}} {
		err := whole.outcome(t.Context(), asked, cells, 2)
		g.Expect(err).To(MatchError("1 of 2 cells were run: all of them have to be"))
		var said *exitError
		g.Expect(errors.As(err, &said)).To(BeTrue())
		g.Expect(said.code).To(Equal(exitTrouble))
	}
}

// Without an engine goproxy runs all the same; an incident does not.
func TestAnIncidentNeedsAnEngine(t *testing.T) {
	got := start(t, t.TempDir(), clean(noEngine), program, "incident", "jdomain-2023", "--quiet")
	g := NewWithT(t)
	g.Expect(got.code).To(BeNumerically(">", 1))
	g.Expect(got.stderr).To(ContainSubstring("engine"))
	g.Expect(got.stdout).To(BeEmpty())
}
