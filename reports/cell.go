package reports

import (
	"fmt"
	"strings"

	"github.com/proxychaos/proxychaos/harness/judge"
	"github.com/proxychaos/proxychaos/harness/recording"
)

// Cell is one scenario run over one subject, and judged.
type Cell struct {
	Manifest recording.Manifest
	Verdict  judge.Verdict
	// Dir is the folder of the recording. The page has its plots and rows from it, unless
	// there is a Drawing; the other reports do not need it.
	Dir string
	// Drawing is what the page shows of the recording, from whoever had it open anyway.
	Drawing *Drawing
	// Expect is what the catalogue says of the subject. Nil, as for a user's
	// own configuration, means "passes".
	Expect *judge.Expectation
	// NotRun says why the cell was not run; empty when it was. Of such a cell
	// only the scenario and the subject in Manifest are filled in.
	NotRun string
}

// scenario is what a cell's scenario is called: with the cloud whose load balancers it had,
// if those were not AWS's.
func (c Cell) scenario() string { return c.Manifest.World.Titled(c.Manifest.Scenario) }

// State is how a cell stands against what was expected of it.
type State string

// States of a cell. Only Expected is green. NotRun is neither green nor red:
// whether enough cells ran is for the caller to judge, by Tally.Run.
const (
	Expected   State = "expected"
	Unexpected State = "unexpected"
	Unproven   State = "unproven"
	NotRun     State = "not run"
)

// State compares the verdict with the expectation.
func (c Cell) State() State {
	switch {
	case c.NotRun != "":
		return NotRun
	case c.Verdict.Result != judge.Pass && c.Verdict.Result != judge.Fail:
		return Unproven
	case len(c.Reasons()) > 0:
		return Unexpected
	default:
		return Expected
	}
}

// Reasons says why the cell is not as expected, one line each; none when it is.
func (c Cell) Reasons() []string {
	if c.NotRun != "" {
		return nil
	}
	return c.expectation().Check(c.Verdict)
}

func (c Cell) expectation() judge.Expectation {
	if c.Expect == nil {
		return judge.Expectation{Verdict: judge.Pass}
	}
	return *c.Expect
}

// Phrase is the verdict in words, with what was expected: "pitfall broke, as
// expected". What is not as expected is in capitals: "FIX BROKE".
func (c Cell) Phrase() string {
	word := "held"
	if c.Verdict.Result == judge.Fail {
		word = "broke"
	}
	if c.Expect != nil {
		word = strings.TrimSpace(c.Manifest.Subject.Role + " " + word)
	}
	want := c.expectation().Verdict
	switch state := c.State(); {
	case state == NotRun:
		return "not run"
	case state == Unproven:
		return "UNPROVEN"
	case state == Unexpected && want != judge.Either && want != c.Verdict.Result:
		return strings.ToUpper(word)
	case state == Unexpected:
		return word + ", NOT AS EXPECTED" // the class, the finding or the log line is another
	case c.Expect == nil:
		return word
	case want == judge.Either:
		return word + ", either expected"
	default:
		return word + ", as expected"
	}
}

// Loaded says whether requests were sent: a cell whose configuration is rejected, or that
// no way leads through, has no figures.
func (c Cell) Loaded() bool { return c.Verdict.Sent > 0 }

// noResult stands before what a run saw that proves nothing: it is no result.
const noResult = "seen, but this run proves nothing: "

// saw is the text of a finding, with what it is worth.
func (c Cell) saw(text string) string {
	if c.State() == Unproven {
		return noResult + text
	}
	return text
}

// MainFindings are the texts of the first finding and of those that say the same of other
// names; none if there is no finding. They say so if the run proves nothing.
func (c Cell) MainFindings() []string {
	var texts []string
	for i, f := range c.Verdict.Findings {
		first := c.Verdict.Findings[0]
		if i == 0 || first.Upstream != "" && f.Code == first.Code && f.Upstream != first.Upstream {
			texts = append(texts, c.saw(f.Text))
		}
	}
	return texts
}

// FirstFinding is the text of the first finding, empty when there is none. It says so if the
// run proves nothing.
func (c Cell) FirstFinding() string {
	if len(c.Verdict.Findings) == 0 {
		return ""
	}
	return c.saw(c.Verdict.Findings[0].Text)
}

// Tally counts cells by state.
type Tally struct {
	Run        int `json:"run"` // all but those not run
	Expected   int `json:"expected"`
	Unexpected int `json:"unexpected"`
	Unproven   int `json:"unproven"`
	NotRun     int `json:"not_run"`
}

// Count makes the tally of cells.
func Count(cells []Cell) Tally {
	var t Tally
	for _, c := range cells {
		switch c.State() {
		case Expected:
			t.Expected++
		case Unexpected:
			t.Unexpected++
		case Unproven:
			t.Unproven++
		case NotRun:
			t.NotRun++
		}
	}
	t.Run = len(cells) - t.NotRun
	return t
}

// Red says whether the suite failed: a cell that is not as expected, one that
// proved nothing, or no cell at all.
func (t Tally) Red() bool { return t.Run == 0 || t.Expected < t.Run }

// String is the tally in one line.
func (t Tally) String() string {
	return fmt.Sprintf("%s run: %d expected, %d unexpected, %d unproven; %d not run",
		count(t.Run, "cell"), t.Expected, t.Unexpected, t.Unproven, t.NotRun)
}
