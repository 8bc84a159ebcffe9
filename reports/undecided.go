package reports

import (
	"cmp"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/proxychaos/proxychaos/reports/compare"
)

// undecided is the outcome in one line if it cannot be told: what is known so far, what is
// not, and what it would take.
func (c Comparison) undecided() string {
	open, further, many := c.open()
	said := []string{c.known()}
	if len(open) > 0 {
		said = append(said, fmt.Sprintf("%s undecided: %s", count(len(open), "scenario"), firstOf(open)))
	}
	for _, s := range c.Decision.Scenarios {
		if len(s.Blocks) == 0 && s.Unproven > 0 {
			said = append(said, fmt.Sprintf("nothing was proved in %s: %s", s.Name, s.Why))
		}
	}
	if many {
		return "cannot tell: " + strings.Join(append(said, "what differs there is too near to the size that counts, or too scattered, for any number of runs that is worth it"), "; ")
	}
	if further > 0 {
		said = append(said, "it would take about "+count(further, "more block")+c.inTime(further))
	}
	return "cannot tell yet: " + strings.Join(said, "; ")
}

// open are the scenarios that are not decided, and about how many blocks they take together;
// many if they take too many.
func (c Comparison) open() (names []string, further int, many bool) {
	for _, s := range c.Decision.Scenarios {
		if more := c.Decision.Further(s); more > 0 {
			names, further, many = append(names, s.Name), further+more, many || more >= compare.TooMany
		}
	}
	return names, further, many
}

// inTime is how to ask for as much time as so many blocks take, if that is known.
func (c Comparison) inTime(blocks int) string {
	if c.PerBlock <= 0 {
		return ""
	}
	return fmt.Sprintf(", %s%.0fm", cmp.Or(c.Longer, "FOR="), math.Ceil((time.Duration(blocks) * c.PerBlock).Minutes()))
}

// maxNames is how many scenarios a line names.
const maxNames = 3

func firstOf(names []string) string {
	if more := len(names) - maxNames; more > 0 {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:maxNames], ", "), more)
	}
	return strings.Join(names, ", ")
}

// known says what the blocks so far show, proved or not.
func (c Comparison) known() string {
	var said []string
	ran, worse := false, false
	for _, s := range c.Decision.Scenarios {
		ran = ran || len(s.Blocks) > 0
	}
	if !ran {
		return "nothing is known so far"
	}
	for _, word := range []compare.Word{compare.Better, compare.Worse} {
		verb := "is"
		found, in, scenarios := c.Decision.Shown(word, true)
		if found == nil {
			verb = "looks"
			found, in, scenarios = c.Decision.Shown(word, false)
		}
		if found == nil {
			continue
		}
		worse = worse || word == compare.Worse
		where := in
		if scenarios > 1 {
			where += fmt.Sprintf(" and %d more", scenarios-1)
		}
		m := found.Measure
		said = append(said, fmt.Sprintf("B %s %s in %s (%s %s with A, %s with B, after %s)",
			verb, word, where, m.Name, m.Figure(found.A), m.Figure(found.B), count(found.Blocks, "block")))
	}
	if !worse {
		said = append(said, "nowhere worse so far")
	}
	return strings.Join(said, ", ")
}
