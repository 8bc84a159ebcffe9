package reports

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/proxychaos/proxychaos/reports/compare"
)

// Comparison is the result of the runs of two configurations.
type Comparison struct {
	A, B     string // what they are called: the path of the configuration
	Decision compare.Comparison
	// Pairs have a run of A and of B in each scenario, to look at.
	Pairs []Pair
	// PerBlock is how long a block took, on average, with as many as ran at a time; 0
	// if that is not known.
	PerBlock time.Duration
	// Longer is how a user asks for more time, before the time; empty means FOR=.
	Longer string
	// Changes is what differs between the files, as diff says it; empty if nothing does.
	Changes string
	// Why has the result of each change, undone by itself in the scenario WhyIn; none if that
	// was not asked for, or if there is no difference.
	Why   []Blame
	WhyIn string
}

// Pair is one scenario, with a run of A and one of B.
type Pair struct {
	Scenario string
	A, B     Cell
	Result   string   // of B: a compare.Word
	Reasons  []string // why, one line each
}

// noise is the rule in words.
const noise = "A difference counts if its interval (bootstrap, 95 %) reaches the size that counts and lies above half of it, " +
	"and if chance would have it seem so in at most 1 of 100 comparisons of a config with itself, over all scenarios and measures. " +
	"docs/comparing.md."

// NewComparison describes a decision. last are a run of A and of B of each scenario, by its
// name; a scenario without is left out of Pairs.
func NewComparison(a, b string, decision compare.Comparison, last map[string][2]Cell) Comparison {
	c := Comparison{A: a, B: b, Decision: decision}
	for _, s := range decision.Scenarios {
		cells, ok := last[s.Name]
		if !ok {
			continue
		}
		c.Pairs = append(c.Pairs, Pair{Scenario: s.Name, A: cells[0], B: cells[1], Result: string(s.Word), Reasons: reasons(s)})
	}
	return c
}

// reasons are what was measured in a scenario: what decides, then the rest that differs or
// is not known, then how many runs that is.
func reasons(s compare.Scenario) []string {
	var lines []string
	for _, e := range s.Evidence {
		if e.Word != compare.NoDifference {
			lines = append(lines, fmt.Sprintf("%s: %s", e.Word, difference(e)))
		}
	}
	if len(lines) == 0 && len(s.Blocks) > 0 {
		lines = []string{difference(s.Evidence[0])}
	}
	return append(lines, runs(s)...)
}

// difference is "failed requests 0 with A, 812 with B: +812 (805 to 820)".
func difference(e compare.Evidence) string {
	m := e.Measure
	return fmt.Sprintf("%s %s with A, %s with B: %s", m.Name, m.Figure(e.A), m.Figure(e.B), withInterval(e))
}

func withInterval(e compare.Evidence) string {
	low, high := e.Interval()
	if math.IsInf(low, 0) || low == high {
		return e.Measure.Difference(e.Difference)
	}
	return fmt.Sprintf("%s (%s to %s)", e.Measure.Difference(e.Difference), e.Measure.Difference(low), e.Measure.Difference(high))
}

// runs says what was run, what was left out, and what nothing lost means.
func runs(s compare.Scenario) []string {
	var lines []string
	if n := len(s.Blocks); n > 0 {
		a, ofA, b, ofB, atMost := s.FailedRuns()
		line := fmt.Sprintf("%s; requests failed in %d of %d runs of A and %d of %d of B", count(n, "block"), a, ofA, b, ofB)
		if atMost > 0 {
			line += fmt.Sprintf(", so with 95 %% in at most %.0f %% of B's", 100*atMost)
		}
		lines = append(lines, line)
	}
	if s.Unproven > 0 {
		lines = append(lines, fmt.Sprintf("%s not counted: %s", count(s.Unproven, "block"), s.Why))
	}
	if s.Uneven > 0 {
		lines = append(lines, fmt.Sprintf("latencies of %s not compared: the machine was busy, so some of the three runs were repeated while no other cell ran", count(s.Uneven, "block")))
	}
	return lines
}

// Overall is the word of the comparison, a compare.Word.
func (c Comparison) Overall() string { return string(c.Decision.Word) }

// ExitCode is 0 if B is not worse, 1 if it is, 2 if that cannot be told.
func (c Comparison) ExitCode() int {
	switch c.Decision.Word {
	case compare.Worse:
		return 1
	case compare.CannotTell:
		return 2
	default:
		return 0
	}
}

// Sentence is the outcome in one line: whether to roll B out, and why.
func (c Comparison) Sentence() string {
	switch c.Decision.Word {
	case compare.Worse:
		return "do not roll out: B is worse: " + c.telling(compare.Worse)
	case compare.Better:
		return "roll out: B is better: " + c.telling(compare.Better) + c.uneven()
	case compare.NotWorse:
		return "roll out: B is not worse; whether it is better was not seen: " + c.telling(compare.NotWorse) + c.uneven()
	case compare.NoDifference:
		return "roll out: no difference that counts in " + count(len(c.Decision.Scenarios), "scenario") + c.noisy() + c.uneven()
	default:
		return c.undecided()
	}
}

// noisy says what could not be told because A differs from itself.
func (c Comparison) noisy() string {
	var measures []string
	for _, s := range c.Decision.Scenarios {
		for _, e := range s.Evidence {
			if e.Word == compare.TooNoisy && !slices.Contains(measures, e.Measure.Name) {
				measures = append(measures, e.Measure.Name)
			}
		}
	}
	if len(measures) == 0 {
		return ""
	}
	return "; not told, since A differs from itself by more: " + strings.Join(measures, ", ")
}

// uneven says in which scenarios no latencies are compared, since in each block some of the runs
// were alone on the machine; empty if there is none.
func (c Comparison) uneven() string {
	var names []string
	for _, s := range c.Decision.Scenarios {
		if s.Uneven > 0 && s.Uneven == len(s.Blocks) {
			names = append(names, s.Name)
		}
	}
	if len(names) == 0 {
		return ""
	}
	return "; latencies not compared, since some runs were repeated alone on a busy machine: " + firstOf(names)
}

// telling is the weightiest difference of a word, by how many times its size it is.
func (c Comparison) telling(word compare.Word) string {
	found, in, more := c.Decision.Telling(word)
	if found == nil {
		return "no measure"
	}
	text := fmt.Sprintf("%s in %s", difference(*found), in)
	if more > 1 {
		text += fmt.Sprintf("; so in %s in all", count(more, "scenario"))
	}
	return text
}

// shown are the rows of a scenario in the table: what users lose, and what is not the same.
func shown(s compare.Scenario) []compare.Evidence {
	return slices.DeleteFunc(slices.Clone(s.Evidence), func(e compare.Evidence) bool {
		return e.Measure.Concern != compare.Lost && e.Word == compare.NoDifference
	})
}
