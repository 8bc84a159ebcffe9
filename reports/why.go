package reports

import (
	"fmt"
	"strings"

	"github.com/proxychaos/proxychaos/reports/compare"
)

// Blame is the result of a comparison with one of the changes between A and B undone.
type Blame struct {
	Change string // in one line
	Part   Part
	// Instead is what B was then called; empty if it could not be run, for what Err says.
	Instead compare.Word
	Err     error
}

// Part says whether a change is a part of a difference.
type Part string

// The parts.
const (
	Matters      Part = "matters"        // without it the difference is gone
	MattersNot   Part = "does not"       // without it the difference is as it was
	PartNotKnown Part = "cannot be told" // there was too little time, or B does not run without it
)

// because says in a line which of the changes matter; empty if none was undone.
func (c Comparison) because() string {
	if len(c.Why) == 0 {
		return ""
	}
	var matter, open []string
	for _, b := range c.Why {
		switch b.Part {
		case Matters:
			matter = append(matter, b.Change)
		case PartNotKnown:
			open = append(open, b.Change)
		case MattersNot:
		}
	}
	switch {
	case len(matter) > 0:
		return fmt.Sprintf("Why: %s (in %s)", strings.Join(matter, "; and "), c.WhyIn)
	case len(open) > 0:
		return fmt.Sprintf("Why: none of the others, so %s, or several together (in %s)", strings.Join(open, "; or "), c.WhyIn)
	}
	return fmt.Sprintf("Why: no single change; each of %d was undone by itself, and the difference stayed: it takes several together, or any of several is enough (in %s)", len(c.Why), c.WhyIn)
}

// line is the result of one change.
func (b Blame) line() string {
	switch {
	case b.Err != nil:
		return fmt.Sprintf("%s: %s; without it B could not be run: %s", b.Part, b.Change, b.Err)
	default:
		return fmt.Sprintf("%s: %s; without it: %s", b.Part, b.Change, b.Instead)
	}
}
