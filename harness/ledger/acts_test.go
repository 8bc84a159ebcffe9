package ledger_test

import (
	"testing"

	. "github.com/onsi/gomega"

	"github.com/proxychaos/proxychaos/harness/ledger"
	"github.com/proxychaos/proxychaos/harness/recording"
	"github.com/proxychaos/proxychaos/harness/world"
)

// A fault lasts until what it did is done away with, and what brings that back is no
// fault of its own.
func TestActsOfAFlap(t *testing.T) {
	NewWithT(t).Expect(flap().Acts()).To(Equal([]ledger.Act{
		{Name: "step", From: 5, To: 16},
		{Name: "step", From: 10, To: 15},
		{Name: "step", From: 15, To: 15, Heals: true},
		{Name: "step", From: 16, To: 16, Heals: true},
		{Name: "step", From: 20, To: ledger.Forever},
		{Name: "step", From: 25, To: ledger.Forever},
	}))
}

func TestActsOverlap(t *testing.T) {
	g := NewWithT(t)
	l := of(
		step(1, 5, world.Effect{Node: a, Serves: no, How: "refuse"}, world.Effect{Node: b, Serves: no, How: "refuse"}),
		step(2, 6, world.Effect{Resolves: no, How: "servfail"}),
		step(3, 7, world.Effect{Node: a, Serves: yes}), // half of it
		step(4, 8, world.Effect{Resolves: yes}),
		step(5, 9, world.Effect{Node: b, Serves: no, How: "silence"}), // in another way
	)
	g.Expect(l.Acts()).To(HaveExactElements(
		ledger.Act{Name: "step", From: 5, To: 9}, ledger.Act{Name: "step", From: 6, To: 8},
		HaveField("Heals", true), HaveField("Heals", true), ledger.Act{Name: "step", From: 9, To: ledger.Forever},
	))
	moved := of(step(1, 5, world.Effect{Node: a, Named: no}, world.Effect{Node: spare, Named: yes}))
	g.Expect(moved.Acts()).To(Equal([]ledger.Act{{Name: "step", From: 5, To: ledger.Forever}}), "a name that moves away heals nothing")
}

func TestConditions(t *testing.T) {
	NewWithT(t).Expect(flap().Conditions(a)[:4]).To(Equal([]ledger.Condition{
		{Span: ledger.Span{From: -ledger.Forever, To: 5}, Named: true, Serves: true},
		{Span: ledger.Span{From: 5, To: 10}, Left: true, Serves: true},
		{Span: ledger.Span{From: 10, To: 15}, Left: true},
		{Span: ledger.Span{From: 15, To: 16}, Left: true, Serves: true},
	}))
}

// A node that is back in its name in time is never outdated.
func TestOutdated(t *testing.T) {
	g := NewWithT(t)
	for allowed, want := range map[recording.Seconds][]ledger.Span{
		3:  {{From: 8, To: 16}, {From: 23, To: ledger.Forever}},
		6:  {{From: 11, To: 16}, {From: 26, To: ledger.Forever}},
		11: {{From: 31, To: ledger.Forever}},
	} {
		g.Expect(flap().Outdated(a, allowed)).To(Equal(want), "allowed %g", allowed)
	}
	g.Expect(flap().Outdated(b, 3)).To(BeEmpty(), "it stayed")
	g.Expect(flap().Outdated(spare, 3)).To(BeEmpty(), "it never was in the name")
}
