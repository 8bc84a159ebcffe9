// Package harness says what is run: scenarios and subjects as plain data, and
// how the two become a plan with every number filled in. It starts nothing.
//
// The rooms below it do the work, each using only those above it in this list:
//
//	fault      what a scenario does to the world, and the proof that it took hold
//	recording  everything observed in one run of one cell, as files
//	judge      a recording to a verdict and its findings
//	load, pod  the agents beside fakedns and fakealb
//	engine, images, reaper, testbed, embedded   where a cell runs
//	run        one cell from testbed to recording; many cells in parallel
package harness

import (
	"slices"

	"github.com/proxychaos/proxychaos/harness/fault"
)

// Moment is a point of the timeline whose time depends on the settings.
type Moment string

// The moments of a timeline.
const (
	// AtFlip is when the name moves, or the first fault of a scenario in which
	// it does not: after a healthy stretch, at a phase against the proxy's own
	// timers that is drawn from the seed.
	AtFlip Moment = "flip"
	// AfterGrace is Settings.Grace after the flip.
	AfterGrace Moment = "after-grace"
	// AfterOutage is Settings.Outage after the flip: what had failed is whole
	// again.
	AfterOutage Moment = "after-outage"
)

// Step is one fault and when it happens.
type Step struct {
	At    Moment
	Fault fault.Fault
}

// Scenario is what happens to a subject, and what the subject may lose.
type Scenario struct {
	// Name is the same word everywhere: file, NAME=, run folder, report row.
	Name string
	// Summary is one sentence that an operator understands.
	Summary string
	// OtherALB says that the name moves to another load balancer and not to
	// new nodes of the same one.
	OtherALB bool
	// Stays says that the name does not move. It has all nodes from the start,
	// and what strikes nodes strikes the old ones, which are half of them.
	Stays bool
	// TLS says that the scenario is about the handshake with the nodes: it is
	// run on subjects that speak HTTPS to them.
	TLS bool
	// OldEnd is how the old nodes end: one of the fault.End constants. Empty
	// where they do not.
	OldEnd   string
	Timeline []Step
	Budget   Budget
	// Proofs are the facts without which the run is not judged, whatever the
	// timeline says: recording.Proof constants.
	Proofs []string
}

// Budget is what any subject may lose in a scenario.
type Budget struct {
	// Recovery allows failures for as long as a proxy that follows DNS
	// cannot know better: TTL + its own refresh + 1 s. Where the name stays it
	// has as long to find out by itself. Without it nothing may
	// fail at all.
	Recovery bool
}

// Abrupt says whether the old nodes end in the same instant as the name moves.
func (s Scenario) Abrupt() bool { return !s.has(AfterGrace) }

// Heals says whether what had failed becomes whole again.
func (s Scenario) Heals() bool { return s.has(AfterOutage) }

func (s Scenario) has(m Moment) bool {
	return slices.ContainsFunc(s.Timeline, func(step Step) bool { return step.At == m })
}

// Suits says whether the scenario is run on the subject. One about TLS shows
// nothing of a subject without it; the catalogue has subjects with TLS for
// those alone.
func (s Scenario) Suits(subject Subject) bool {
	return s.TLS == subject.TLS || subject.TLS && subject.Role == Own
}
