package baseline

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/proxychaos/proxychaos/harness/judge"
	"github.com/proxychaos/proxychaos/harness/kind"
	"github.com/proxychaos/proxychaos/reports/compare"
)

// LeastNights is how many nights make a band.
const LeastNights = 3

// Code says what kind of change it is.
type Code string

// The codes. All but the last four are red.
const (
	FixBroke     Code = "fix-broke"     // a fix, or the reference, that no longer holds
	PitfallHeals Code = "pitfall-heals" // a pitfall that no longer breaks
	Worse        Code = "worse"         // any other verdict that got worse
	DidNotRun    Code = "did-not-run"
	Gone         Code = "gone" // from the catalogue
	OutOfBand    Code = "out-of-band"
	OtherVersion Code = "other-version" // of a proxy
	OtherImage   Code = "other-image"   // of the same version
	Better       Code = "better"
	LeftOpen     Code = "left-open" // another verdict, and the catalogue expects either
	New          Code = "new"       // no earlier night has it
)

// Red says whether a change of this kind makes the night red.
func (c Code) Red() bool { return c != OtherImage && c != Better && c != LeftOpen && c != New }

// Change is one thing that is different tonight.
type Change struct {
	Code     Code   `json:"code"`
	Scenario string `json:"scenario,omitempty"` // empty if it is about several
	Subject  string `json:"subject,omitempty"`
	Text     string `json:"text"` // in one line, with the names
}

// Difference is tonight beside the nights before.
type Difference struct {
	Nights  int      `json:"nights"` // that are remembered
	Banded  int      `json:"banded"` // figures of tonight that have a band
	Changes []Change `json:"changes"`
}

// Red are the changes that make the night red.
func (d Difference) Red() []Change {
	return slices.DeleteFunc(slices.Clone(d.Changes), func(c Change) bool { return !c.Code.Red() })
}

// Error is what is red as an error, a line for each; nil if nothing is.
func (d Difference) Error() error {
	var text []string
	for _, c := range d.Red() {
		text = append(text, c.Text)
	}
	if len(text) == 0 {
		return nil
	}
	return fmt.Errorf("not as in the %s before:\n%s", count(d.Nights, "night"), strings.Join(text, "\n"))
}

// Place is where a cell stands tonight.
type Place int

// The places.
const (
	Asked    Place = iota // it is to be run
	NotAsked              // it is in the catalogue, and not of this run
	Nowhere               // it is not in the catalogue
)

// Check compares a night with the baseline. place says of a cell of earlier nights where it
// stands tonight.
func (b Baseline) Check(night []Ran, place func(scenario, subject string) Place) Difference {
	d := Difference{Nights: len(b.Nights), Changes: []Change{}}
	if d.Nights == 0 {
		return d
	}
	tonight, known := map[name]Ran{}, map[name]bool{}
	for _, ran := range night {
		tonight[ran.name()] = ran
	}
	var gone []Cell
	images := imageChanges{}
	for _, cell := range b.Cells {
		known[cell.name()] = true
		ran, there := tonight[cell.name()]
		where := place(cell.Scenario, cell.Subject)
		switch {
		case !there && where == Nowhere:
			gone = append(gone, cell)
		case !there && where == Asked:
			d.add(DidNotRun, cell.name(), "did not run: the run ended before, or lost it")
		case !there:
		case ran.NotRun != "":
			d.add(DidNotRun, cell.name(), "did not run: "+ran.NotRun)
		default:
			cell.check(&d, ran)
			images.note(cell, ran)
		}
	}
	d.Changes = gathered(d.Changes) // none of those below is of a cell that did not run
	d.Changes = append(d.Changes, missing(gone, place)...)
	d.Changes = append(d.Changes, images.changes()...)
	for _, ran := range night {
		if !known[ran.name()] && ran.NotRun == "" {
			d.add(New, ran.name(), "is new: no earlier night has it")
		}
	}
	slices.SortStableFunc(d.Changes, func(x, y Change) int {
		return cmp.Compare(map[bool]int{true: 0, false: 1}[x.Code.Red()], map[bool]int{true: 0, false: 1}[y.Code.Red()])
	})
	return d
}

// mostAlike is how many cells of a scenario did not run for one reason and have a line each.
const mostAlike = 3

// gathered puts the cells of a scenario that did not run, for the same reason, into one line.
func gathered(changes []Change) []Change {
	alike := func(c Change) string {
		return c.Scenario + strings.TrimPrefix(c.Text, c.Scenario+" "+c.Subject)
	}
	of := map[string]int{}
	for _, c := range changes {
		if c.Code == DidNotRun {
			of[alike(c)]++
		}
	}
	said := map[string]bool{}
	some := []Change{} // in JSON a list, also if there is none
	for _, c := range changes {
		n := of[alike(c)]
		if c.Code != DidNotRun || n <= mostAlike {
			some = append(some, c)
			continue
		}
		if !said[alike(c)] {
			said[alike(c)] = true
			why := strings.TrimPrefix(c.Text, c.Scenario+" "+c.Subject)
			some = append(some, Change{Code: DidNotRun, Scenario: c.Scenario, Text: fmt.Sprintf("%s: %s%s", c.Scenario, count(n, "cell"), why)})
		}
	}
	return some
}

func (d *Difference) add(code Code, of name, says string) {
	d.Changes = append(d.Changes, Change{Code: code, Scenario: of.scenario, Subject: of.subject, Text: of.scenario + " " + of.subject + " " + says})
}

// check compares one cell that ran.
func (c Cell) check(d *Difference, ran Ran) {
	before := c.said()
	if c.Verdicts[ran.Result] > 0 {
		c.checkFigures(d, ran)
		return
	}
	role := func(roles ...string) bool { return slices.Contains(roles, c.Role) }
	switch {
	case ran.Result != judge.Pass && ran.Result != judge.Fail:
		d.add(Worse, c.name(), fmt.Sprintf("proved nothing; before, %s: %s", before, ran.Why))
	case ran.Either:
		d.add(LeftOpen, c.name(), fmt.Sprintf("lost %d of %d requests, and the catalogue expects either verdict; before, %s", ran.Failed, ran.Sent, before))
	case ran.Result == judge.Fail && role("fix", "reference"):
		d.add(FixBroke, c.name(), fmt.Sprintf("no longer holds: it lost %d of %d requests; before, %s", ran.Failed, ran.Sent, before))
	case ran.Result == judge.Fail:
		d.add(Worse, c.name(), fmt.Sprintf("got worse: it lost %d of %d requests; before, %s", ran.Failed, ran.Sent, before))
	case role("pitfall"):
		d.add(PitfallHeals, c.name(), "no longer breaks: this pitfall lost no request; before, "+before)
	default:
		d.add(Better, c.name(), "got better: it passed; before, "+before)
	}
}

// said is what earlier nights said of the verdict: "it passed in 3 nights".
func (c Cell) said() string {
	var words []string
	for _, v := range []struct{ result, word string }{{judge.Pass, "passed"}, {judge.Fail, "failed"}} {
		if n := c.Verdicts[v.result]; n > 0 {
			words = append(words, fmt.Sprintf("%s in %s", v.word, count(n, "night")))
		}
	}
	return "it " + strings.Join(words, " and ")
}

func (c Cell) checkFigures(d *Difference, ran Ran) {
	for _, m := range Measures() {
		x, ok := m.Of(ran.Run)
		values := c.Figures[m.Name]
		if !ok || len(values) < LeastNights {
			continue
		}
		d.Banded++
		low, high := band(values, m.Size(compare.DefaultSizes()))
		if x = rounded(x); x < low || x > high {
			d.add(OutOfBand, c.name(), fmt.Sprintf("%s %s is out of its band, %s to %s in %s", m.Name, m.Figure(x),
				m.Figure(max(0, low)), m.Figure(high), count(len(values), "night")))
		}
	}
}

// band is what a figure may be, by the values of earlier nights and the size that counts.
func band(values []float64, size float64) (low, high float64) {
	low, high = slices.Min(values), slices.Max(values)
	wider := max(size, high-low)
	return low - wider, high + wider
}

// missing says which cells the catalogue has lost, whole scenarios in one line each.
func missing(gone []Cell, place func(scenario, subject string) Place) []Change {
	var changes []Change
	of := map[string]int{}
	var order []string
	for _, cell := range gone {
		if of[cell.Scenario]++; of[cell.Scenario] == 1 {
			order = append(order, cell.Scenario)
		}
	}
	for _, scenario := range order {
		if place(scenario, "") == Nowhere {
			changes = append(changes, Change{Code: Gone, Scenario: scenario, Text: fmt.Sprintf(
				"%s is no longer in the catalogue: %s not run; if that is meant, make baseline", scenario, wereCells(of[scenario]))})
			continue
		}
		for _, cell := range gone {
			if cell.Scenario == scenario {
				changes = append(changes, Change{Code: Gone, Scenario: scenario, Subject: cell.Subject, Text: fmt.Sprintf(
					"%s %s is no longer in the catalogue; if that is meant, make baseline", scenario, cell.Subject)})
			}
		}
	}
	return changes
}

func wereCells(n int) string {
	if n == 1 {
		return "1 cell was"
	}
	return fmt.Sprintf("%d cells were", n)
}

// imageChanges counts the cells of each image that is another than before.
type imageChanges map[imageChange]int

type imageChange struct {
	code              Code
	of, before, after string
}

func (i imageChanges) note(cell Cell, ran Ran) {
	program, release, _ := strings.Cut(cell.Subject, "@")
	program, _, _ = strings.Cut(program, "/")
	if k, err := kind.Of(kind.Name(program)); err == nil && k.Bundled() {
		return // it is this build, which every commit makes another one
	}
	of := strings.TrimSpace(program + " " + release)
	switch {
	case ran.Version != "" && ran.Version != cell.Version:
		i[imageChange{OtherVersion, of, cell.Version, ran.Version}]++
	case ran.Digest != "" && cell.Digest != "" && ran.Digest != cell.Digest:
		i[imageChange{OtherImage, of, cell.Digest, ran.Digest}]++
	}
}

func (i imageChanges) changes() []Change {
	var changes []Change
	for c, cells := range i {
		text := fmt.Sprintf("%s is now %s, and was %s, in %s: look at what changed, then make baseline", c.of, c.after, c.before, count(cells, "cell"))
		if c.code == OtherImage {
			text = fmt.Sprintf("%s has another image of the same version, %s instead of %s, in %s", c.of, short(c.after), short(c.before), count(cells, "cell"))
		}
		changes = append(changes, Change{Code: c.code, Text: text})
	}
	slices.SortFunc(changes, func(x, y Change) int { return cmp.Compare(x.Text, y.Text) })
	return changes
}

// short is enough of a digest to tell it from others.
func short(digest string) string { return digest[:min(len(digest), 19)] }

// rounded has four digits after the point: what comes after them is noise.
func rounded(x float64) float64 { return math.Round(x*1e4) / 1e4 }

func count(n int, of string) string {
	if n == 1 {
		return "1 " + of
	}
	return fmt.Sprintf("%d %ss", n, of)
}
