package compare

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/stat"

	"github.com/proxychaos/proxychaos/harness/judge"
)

// Word is what a comparison says of B against A.
type Word string

// The words.
const (
	Worse        Word = "worse"
	Better       Word = "better"
	NoDifference Word = "no difference" // that counts
	// NotWorse: whether it is better was not seen yet.
	NotWorse   Word = "not worse"
	CannotTell Word = "cannot tell"
	// TooNoisy: A's own runs differ by more than what counts, and B's are among them. Of
	// latency and cost alone; it keeps nobody from a word about what users lose.
	TooNoisy Word = "too noisy"
)

// Rules are the numbers of a comparison.
type Rules struct {
	Sizes Sizes `json:"sizes"`
	// Error bounds the probability that a comparison of a configuration with itself
	// says better or worse, of whichever measure in whichever scenario.
	Error float64 `json:"error"`
	// NotWorseError bounds the probability that a difference of the size, in one
	// measure of one scenario, is called none.
	NotWorseError float64 `json:"not_worse_error"`
}

// DefaultRules are those of `make compare`.
func DefaultRules() Rules { return Rules{Sizes: DefaultSizes(), Error: 0.01, NotWorseError: 0.05} }

// leastBlocks is below how many blocks nothing is said: the fewest after which a stake
// can reach 1/0.05.
const leastBlocks = 3

// Comparison is B against A in all scenarios.
type Comparison struct {
	Rules     Rules
	Scenarios []Scenario
	Word      Word
}

// Scenario is B against A in one.
type Scenario struct {
	Name   string
	Blocks []Block // in which all three runs were proved
	// Unproven counts the blocks that were left out, Why says what the last lacked.
	Unproven int
	Why      string
	// Uneven counts those of Blocks whose latencies are left out: some of the three runs were
	// alone on the machine, and others were not.
	Uneven   int
	Evidence []Evidence // of the measures that its runs have
	Word     Word
}

// Evidence is what one measure shows in one scenario.
type Evidence struct {
	Measure Measure
	Word    Word
	Blocks  int
	// A and B are means over the runs, of A over both of a block.
	A, B float64
	// Difference is the mean of B's from A's, on the scale of Measure.Difference.
	Difference float64
	// Noise is the mean difference between the two runs of A in a block.
	Noise float64
	// P are upper bounds of the chance to see this or more at any time: if B is like A, that it
	// seems so much worse, or better (corrected for all that are tested); if B is
	// worse, or better, by the size, that it seems so little so.
	PWorse, PBetter, PNotWorse, PNotBetter float64

	above, below odds // runs that stand out, for the worse and for the better
	lower, upper odds // B within the size
	differences  []float64
}

// Compare compares the blocks, in scenarios in the order of names, by rules. A block of
// another scenario is left out.
func Compare(rules Rules, names []string, blocks []Block) Comparison {
	c := Comparison{Rules: rules}
	for _, name := range names {
		c.Scenarios = append(c.Scenarios, newScenario(rules.Sizes, name, blocks))
	}
	c.correct()
	for i := range c.Scenarios {
		s := &c.Scenarios[i]
		for j := range s.Evidence {
			s.Evidence[j].decide(rules)
		}
		s.Word = weigh(s.Evidence)
	}
	c.Word = weigh(c.evidence())
	if slices.ContainsFunc(c.Scenarios, func(s Scenario) bool { return len(s.Blocks) == 0 }) && c.Word != Worse {
		c.Word = CannotTell
	}
	return c
}

func newScenario(sizes Sizes, name string, blocks []Block) Scenario {
	s := Scenario{Name: name}
	for _, b := range blocks {
		if b.A.Scenario != name {
			continue
		}
		if why := b.unproven(); why != "" {
			s.Unproven, s.Why = s.Unproven+1, why
			continue
		}
		s.Blocks = append(s.Blocks, b)
		if b.uneven() {
			s.Uneven++
		}
	}
	for _, m := range Measures {
		if e, any := newEvidence(m, m.Size(sizes), s.Blocks); any {
			s.Evidence = append(s.Evidence, e)
		}
	}
	return s
}

// newEvidence is false if in no block all three runs have the figure.
func newEvidence(m Measure, size float64, blocks []Block) (Evidence, bool) {
	var all []three
	var differences, noise, ofA, ofB []float64
	for _, block := range blocks {
		a, okA := m.of(block.A, block)
		b, okB := m.of(block.B, block)
		again, okAgain := m.of(block.Again, block)
		if !okA || !okB || !okAgain {
			continue
		}
		t := three{a, b, again}
		all = append(all, t)
		differences, noise = append(differences, t.difference()), append(noise, math.Abs(a-again))
		for _, run := range []struct {
			Run
			into *[]float64
		}{{block.A, &ofA}, {block.Again, &ofA}, {block.B, &ofB}} {
			x, _ := m.shown(run.Run)
			*run.into = append(*run.into, x)
		}
	}
	if len(all) == 0 {
		return Evidence{}, false
	}
	e := Evidence{
		Measure: m, Blocks: len(all),
		A: stat.Mean(ofA, nil), B: stat.Mean(ofB, nil), Difference: stat.Mean(differences, nil), Noise: stat.Mean(noise, nil),
		above: above(all, size/2), below: above(mirrored(all), size/2),
		lower: best(all, size), upper: best(mirrored(all), size), differences: differences,
	}
	e.PWorse, e.PBetter, e.PNotWorse, e.PNotBetter = e.above.chance(), e.below.chance(), e.lower.chance(), e.upper.chance()
	return e, true
}

// correct corrects for all scenarios and measures of a concern, and for both sides.
func (c *Comparison) correct() {
	for concern := range concerns {
		var p []float64
		var of []*Evidence
		for i := range c.Scenarios {
			for j := range c.Scenarios[i].Evidence {
				if e := &c.Scenarios[i].Evidence[j]; e.Measure.Concern == concern {
					p, of = append(p, e.PWorse, e.PBetter), append(of, e)
				}
			}
		}
		p = holm(p)
		for i, e := range of {
			e.PWorse, e.PBetter = p[2*i], p[2*i+1]
		}
	}
}

// Interval is the bootstrap interval of Difference; without ends if there are too few blocks.
func (e Evidence) Interval() (low, high float64) { return interval(e.differences) }

// decide gives the evidence its word.
func (e *Evidence) decide(rules Rules) { e.Word = e.word(rules, e.Interval) }

// word is what the p and the interval say; the interval is asked for only if it matters.
func (e Evidence) word(rules Rules, interval func() (low, high float64)) Word {
	level := rules.Error * e.Measure.Concern.share()
	worse, better := e.PWorse <= level, e.PBetter <= level
	notWorse, notBetter := e.PNotWorse <= rules.NotWorseError, e.PNotBetter <= rules.NotWorseError
	size := e.Measure.Size(rules.Sizes)
	noisy := e.Measure.Concern != Lost && e.Blocks >= leastBlocks && e.Noise > size
	if !worse && !better && !notWorse && !noisy {
		return CannotTell
	}
	hair := size * 1e-9 // by which floating point may miss the size
	low, high := interval()
	notWorse, notBetter = notWorse && high < size-hair, notBetter && low > hair-size
	switch {
	case notWorse && notBetter:
		return NoDifference
	case worse && low > size/2 && high >= size-hair:
		return Worse
	case better && high < -size/2 && low <= hair-size:
		return Better
	case noisy && low <= 0 && high >= 0:
		return TooNoisy
	case notWorse:
		return NotWorse
	}
	return CannotTell
}

// evidence is that of all scenarios.
func (c Comparison) evidence() []Evidence {
	var all []Evidence
	for _, s := range c.Scenarios {
		all = append(all, s.Evidence...)
	}
	return all
}

// weigh puts the words of measures together: the first concern in which there is a
// difference, or in which one cannot be told, decides.
func weigh(evidence []Evidence) Word {
	if len(evidence) == 0 {
		return CannotTell
	}
	whole := NoDifference
	for concern := range concerns {
		has := func(w Word) bool {
			return slices.ContainsFunc(evidence, func(e Evidence) bool { return e.Measure.Concern == concern && e.Word == w })
		}
		for _, w := range []Word{Worse, CannotTell, Better} {
			if has(w) {
				return w
			}
		}
		if has(NotWorse) {
			whole = NotWorse
		}
	}
	return whole
}

// FailedRuns counts the runs of A and of B that lost a request, and says how many there
// were. If none of B's did, atMost is the largest share of its runs that may, at 95 %.
func (s Scenario) FailedRuns() (a, ofA, b, ofB int, atMost float64) {
	lost := func(r Run) int { return min(r.Failed, 1) }
	for _, block := range s.Blocks {
		a, b = a+lost(block.A)+lost(block.Again), b+lost(block.B)
	}
	ofA, ofB = 2*len(s.Blocks), len(s.Blocks)
	if b == 0 && ofB > 0 {
		atMost = mostOf(ofB)
	}
	return a, ofA, b, ofB, atMost
}

// Verdicts counts the runs of A and of B that passed.
func (s Scenario) Verdicts() (a, b int) {
	for _, block := range s.Blocks {
		for _, run := range []struct {
			Run
			into *int
		}{{block.A, &a}, {block.Again, &a}, {block.B, &b}} {
			if run.Result == judge.Pass {
				*run.into++
			}
		}
	}
	return a, b
}

// Telling is the evidence of a word that counts most, of the weightiest concern and by how
// many times the size it is, with its scenario, and in how many scenarios there is any. It is
// nil if there is none.
func (c Comparison) Telling(word Word) (found *Evidence, in string, scenarios int) {
	return c.weightiest(func(_ Scenario, e Evidence) bool { return e.Word == word })
}

// Shown is the same of what the blocks so far show: of each scenario only the first concern
// in which they show a difference counts, as in its word. Of what is not proved, the
// difference has to be of the size that counts.
func (c Comparison) Shown(word Word, proved bool) (found *Evidence, in string, scenarios int) {
	return c.weightiest(func(s Scenario, e Evidence) bool {
		return c.side(e) == word && (e.Word == word) == proved && e.Measure.Concern == c.leading(s)
	})
}

// side is Worse or Better if the evidence says so or, not proved yet, seems to; else empty.
func (c Comparison) side(e Evidence) Word {
	switch {
	case e.Word == Worse || e.Word == Better:
		return e.Word
	case !e.open() || c.sizes(e) < 1:
		return ""
	case e.Difference > 0:
		return Worse
	default:
		return Better
	}
}

// leading is the first concern of a scenario in which there is a difference, proved or not.
func (c Comparison) leading(s Scenario) Concern {
	first := concerns
	for _, e := range s.Evidence {
		if c.side(e) != "" {
			first = min(first, e.Measure.Concern)
		}
	}
	return first
}

// weightiest is the evidence that counts most of that which is wanted.
func (c Comparison) weightiest(wanted func(Scenario, Evidence) bool) (found *Evidence, in string, scenarios int) {
	for _, s := range c.Scenarios {
		here := false
		for _, e := range s.Evidence {
			if !wanted(s, e) {
				continue
			}
			here = true
			if found == nil || e.Measure.Concern < found.Measure.Concern ||
				e.Measure.Concern == found.Measure.Concern && c.sizes(e) > c.sizes(*found) {
				found, in = &e, s.Name
			}
		}
		if here {
			scenarios++
		}
	}
	return found, in, scenarios
}

// sizes is how many times the size that counts a difference is.
func (c Comparison) sizes(e Evidence) float64 {
	return math.Abs(e.Difference) / e.Measure.Size(c.Rules.Sizes)
}
