package reports

import (
	_ "embed" // the baseline
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/proxychaos/proxychaos/harness/judge"
	"github.com/proxychaos/proxychaos/reports/baseline"
	"github.com/proxychaos/proxychaos/reports/compare"
)

// BuiltIn is the baseline that was committed with this build.
//
//go:embed baseline.json
var BuiltIn []byte

// Suite is the cells of a run, and what is to be said of all of them together.
type Suite struct {
	Cells []Cell
	// Against is how they differ from earlier nights; nil if they were not compared with any.
	Against *baseline.Difference
	// TooFew says that fewer cells ran than have to; nil if enough did.
	TooFew error
}

// Wrong is what is wrong with the run as a whole; nil if nothing is.
func (s Suite) Wrong() error {
	if s.Against == nil {
		return s.TooFew
	}
	return errors.Join(s.TooFew, s.Against.Error())
}

// Red says whether the run failed.
func (s Suite) Red() bool { return Count(s.Cells).Red() || s.Wrong() != nil }

// Ran is the cell as a baseline knows it.
func (c Cell) Ran() baseline.Ran {
	m := c.Manifest
	return baseline.Ran{Run: compare.NewRun(m, c.Verdict), Role: m.Subject.Role, Digest: m.Image.Digest, Began: m.Began, Either: c.expectation().Verdict == judge.Either, NotRun: c.NotRun}
}

// Ran are the cells as a baseline knows them.
func Ran(cells []Cell) []baseline.Ran {
	all := make([]baseline.Ran, 0, len(cells))
	for _, c := range cells {
		all = append(all, c.Ran())
	}
	return all
}

// Remarks writes, below the table, which cells the machine was too busy for, and how the run
// differs from earlier nights.
func (s Suite) Remarks(w io.Writer) error {
	if again := s.again(); again != "" {
		if _, err := fmt.Fprintf(w, "\n%s\n", strings.Join(wrap(plain(again), tableWidth), "\n")); err != nil {
			return err
		}
	}
	if s.Against == nil {
		return nil
	}
	p := newPaint(w)
	var b strings.Builder
	b.WriteString("\n" + p.bold(plain(against(*s.Against))) + "\n")
	for _, c := range s.Against.Changes {
		mark, state := "! ", Unexpected
		if !c.Code.Red() {
			mark, state = "- ", NotRun
		}
		for i, line := range wrap(plain(c.Text), tableWidth-6) {
			if i > 0 {
				mark = "  "
			}
			b.WriteString("    " + p.state(state, []string{mark + line}) + "\n")
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// again says which cells ran twice; "" if none did.
func (s Suite) again() string {
	var names []string
	for _, c := range s.Cells {
		if c.Manifest.Alone {
			names = append(names, c.scenario()+" of "+c.Manifest.Subject.ID)
		}
	}
	if len(names) == 0 {
		return ""
	}
	return fmt.Sprintf("%s ran again, with no other cell beside, since the machine was busy the first time and nothing was proved: %s. PARALLEL= runs fewer at a time.",
		count(len(names), "cell"), strings.Join(names, ", "))
}

// against says the result of that in a line.
func against(d baseline.Difference) string {
	if d.Nights == 0 {
		return "no earlier night to compare this one with: make baseline makes the baseline"
	}
	red := len(d.Red())
	line := fmt.Sprintf("beside %s: %s not as before, %s", count(d.Nights, "earlier night"), count(red, "thing"), count(len(d.Changes)-red, "note"))
	if d.Nights < baseline.LeastNights {
		return line + fmt.Sprintf("; figures have bands from %d nights on", baseline.LeastNights)
	}
	return line + fmt.Sprintf("; %s had a band", count(d.Banded, "figure"))
}

// markdownAgainst is the same for the page of a CI job.
func markdownAgainst(s Suite) string {
	var b strings.Builder
	if again := s.again(); again != "" {
		fmt.Fprintf(&b, "\n%s\n", markdown(again))
	}
	if s.TooFew != nil {
		fmt.Fprintf(&b, "\n- **%s**\n", markdown(s.TooFew.Error()))
	}
	if s.Against == nil {
		return b.String()
	}
	fmt.Fprintf(&b, "\n### Beside earlier nights\n\n%s.\n\n", markdown(against(*s.Against)))
	for _, c := range s.Against.Changes {
		if c.Code.Red() {
			fmt.Fprintf(&b, "- **%s**\n", markdown(c.Text))
			continue
		}
		fmt.Fprintf(&b, "- %s\n", markdown(c.Text))
	}
	return b.String()
}
