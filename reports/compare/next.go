package compare

import (
	"math"

	"gonum.org/v1/gonum/stat"
)

// hopeless is after how many blocks of which none was proved a scenario is left alone.
const hopeless = 3

// TooMany is more blocks than Further counts to.
const TooMany = 100

// Next is the scenario of which a further block probably decides soonest, by the blocks
// that are done and those that are running; empty if there is none, or those that run may be enough.
func (c Comparison) Next(running map[string]int) string {
	if c.Settled() {
		return ""
	}
	var open []Scenario
	for _, s := range c.Scenarios {
		switch {
		case len(s.Blocks) > 0:
			open = append(open, s)
		case s.Unproven+running[s.Name] < hopeless && running[s.Name] == 0:
			return s.Name // each once, before any of them again
		}
	}
	// One that is worse ends it all, so what leans there comes first.
	soonest, least := "", math.MaxInt
	for _, need := range []func(Scenario) int{c.untilWorse, c.Further} {
		for _, s := range open {
			if further := need(s); further > running[s.Name] && further < least {
				soonest, least = s.Name, further
			}
		}
		if soonest != "" {
			break
		}
	}
	return soonest
}

// Settled says whether there is nothing left to find out.
func (c Comparison) Settled() bool {
	return c.Word == Worse || c.Word == Better || c.Word == NoDifference
}

// stage is the concern that has to be decided now: the first that is open, unless it would
// take too many blocks and another one would not.
func (c Comparison) stage() Concern {
	first := concerns
	for concern := range concerns {
		for _, e := range c.evidence() {
			if e.Measure.Concern != concern || !e.open() {
				continue
			}
			if further, _ := c.further(e); further < TooMany {
				return concern
			}
			first = min(first, concern)
		}
	}
	return first
}

// open says whether the evidence may still lead to another answer that counts.
func (e Evidence) open() bool { return e.Word == CannotTell || e.Word == NotWorse }

// Open is the evidence of a scenario that has to be decided now.
func (c Comparison) Open(s Scenario) []Evidence {
	var open []Evidence
	stage := c.stage()
	for _, e := range s.Evidence {
		if e.Measure.Concern == stage && e.open() {
			open = append(open, e)
		}
	}
	return open
}

// untilWorse is how many more blocks it takes until B is worse in one of the measures, if
// they are like those so far; 0 if it is not where they lead.
func (c Comparison) untilWorse(s Scenario) int {
	least := 0
	for _, e := range c.Open(s) {
		further, word := c.further(e)
		if word == Worse && (least == 0 || further < least) {
			least = further
		}
	}
	return least
}

// Further is about how many more blocks of the scenario it takes until there is a word
// for all of its measures, if they are like those so far; 0 if there is one, TooMany if
// it is that many or more.
func (c Comparison) Further(s Scenario) int {
	if len(s.Blocks) == 0 {
		return leastBlocks
	}
	most := 0
	for _, e := range c.Open(s) {
		further, _ := c.further(e)
		most = max(most, further)
	}
	return most
}

// further tries the rules on what the evidence would be after more blocks: everything seen
// as often, the interval that of a normal distribution. It also says to which word that
// leads.
func (c Comparison) further(e Evidence) (int, Word) {
	tests := 0.0
	for _, other := range c.evidence() {
		if other.Measure.Concern == e.Measure.Concern {
			tests += 2
		}
	}
	for more := 1; more < TooMany; more++ {
		grown := float64(e.Blocks+more) / float64(e.Blocks)
		p := func(o odds) float64 { return chance(float64(o.b)*grown, float64(o.all)*grown) }
		then := e
		then.PWorse, then.PBetter = p(e.above)*tests, p(e.below)*tests
		then.PNotWorse, then.PNotBetter = p(e.lower), p(e.upper)
		word := then.word(c.Rules, func() (low, high float64) {
			half := 1.96 * e.deviation() / math.Sqrt(float64(e.Blocks+more))
			return e.Difference - half, e.Difference + half
		})
		if e.Blocks+more >= leastBlocks && word != CannotTell && word != NotWorse {
			return more, word
		}
	}
	return TooMany, CannotTell
}

// deviation is the standard deviation of the differences; 0 of a single one.
func (e Evidence) deviation() float64 {
	if len(e.differences) < 2 {
		return 0
	}
	return stat.StdDev(e.differences, nil)
}
