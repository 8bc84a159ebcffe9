package bench

import (
	"fmt"
	"math"
	"slices"
	"strconv"
)

// Bar is what a figure has to reach: a multiple of another program's figure of
// the same row, or, where Against is empty, a limit in the unit of the row.
type Bar struct {
	Of      string // the program that is judged
	Against string `json:",omitempty"`
	Sense   Sense
	Factor  float64
}

// Sense says on which side of the bar is good.
type Sense string

// The senses.
const (
	AtLeast Sense = "at least"
	AtMost  Sense = "at most"
)

// Outcome is what became of a bar.
type Outcome string

// The outcomes. NotMeasured counts as not met.
const (
	Met         Outcome = "met"
	Missed      Outcome = "missed"
	NotMeasured Outcome = "not measured"
)

// Judgement is a bar compared with the measured figures.
type Judgement struct {
	Bar     string // in words
	Got     string // in words
	Outcome Outcome
}

// Judge compares the bars of r with its series.
func (r Row) Judge() []Judgement {
	var all []Judgement
	for _, b := range r.Bars {
		j := Judgement{Bar: r.words(b)}
		j.Got, j.Outcome = r.judge(b)
		all = append(all, j)
	}
	return all
}

func (r Row) words(b Bar) string {
	if b.Against == "" {
		return fmt.Sprintf("%s: %s %s %s", b.Of, b.Sense, short(b.Factor), r.Unit)
	}
	return fmt.Sprintf("%s: %s %s × %s", b.Of, b.Sense, short(b.Factor), b.Against)
}

func (r Row) judge(b Bar) (string, Outcome) {
	of := r.Find(b.Of)
	got, ok := of.Figure(r.Stat)
	if !ok {
		return of.Who + ": " + of.why(), NotMeasured
	}
	if b.Against == "" {
		return fmt.Sprintf("%.*f %s", r.Digits, got, r.Unit), b.outcome(got)
	}
	against := r.Find(b.Against)
	base, ok := against.Figure(r.Stat)
	switch {
	case !ok:
		return against.Who + ": " + against.why(), NotMeasured
	case base <= 0:
		return fmt.Sprintf("%s: %.*f %s is too close to 0 to compare with", against.Who, r.Digits, base, r.Unit), NotMeasured
	}
	ratio := got / base
	text := times(ratio) + " ×"
	if low, high, ok := pairs(of.Values, against.Values); ok && r.Stat == Median {
		text += fmt.Sprintf(" (by round %s to %s)", times(low), times(high))
	}
	return text, b.outcome(ratio)
}

func (b Bar) outcome(got float64) Outcome {
	if b.Sense == AtLeast && got >= b.Factor || b.Sense == AtMost && got <= b.Factor {
		return Met
	}
	return Missed
}

func (s Series) why() string {
	if s.Missing != "" {
		return s.Missing
	}
	return "no values"
}

// pairs returns the least and the greatest ratio of values taken in the same
// round.
func pairs(a, b []float64) (low, high float64, ok bool) {
	if len(a) != len(b) || len(a) < 2 {
		return 0, 0, false
	}
	ratios := make([]float64, len(a))
	for i := range a {
		if b[i] <= 0 {
			return 0, 0, false
		}
		ratios[i] = a[i] / b[i]
	}
	return slices.Min(ratios), slices.Max(ratios), true
}

// times is a ratio with two digits that say something.
func times(ratio float64) string {
	if math.Abs(ratio) < 0.1 {
		return strconv.FormatFloat(ratio, 'g', 2, 64)
	}
	return strconv.FormatFloat(ratio, 'f', 2, 64)
}

func short(f float64) string { return strconv.FormatFloat(f, 'g', -1, 64) }
