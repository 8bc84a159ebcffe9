package bench

import (
	"math"
	"slices"
)

// Stat is how the one figure of a series is made of its values.
type Stat string

// The statistics. P99 is by nearest rank.
const (
	Median Stat = "median"
	P99    Stat = "p99"
)

// Row is one figure measured of several programs.
type Row struct {
	Name   string // the word that --only takes
	Title  string
	Unit   string // "requests/s", "ms", "MiB"
	Digits int    // after the decimal point, in tables
	Method string // one or two sentences: who sends what to whom
	Stat   Stat
	Series []Series
	Bars   []Bar
	Notes  []string `json:",omitempty"`
}

// Series is what was measured of one program.
type Series struct {
	Who     string
	Version string `json:",omitempty"`
	// Values has one value a round, or one a try, in the unit of the row.
	Values []float64
	// Generator, Server and Behind say how many cores each kept busy in each
	// round; Behind is what the program passes requests on to. Empty where
	// nobody generates a load.
	Generator []float64 `json:",omitempty"`
	Server    []float64 `json:",omitempty"`
	Behind    []float64 `json:",omitempty"`
	// Curve is the distribution of all latencies over the rounds.
	Curve []Point `json:",omitempty"`
	// Missing is why there is no figure.
	Missing string `json:",omitempty"`
}

// Point says that the share Quantile (0 to 1) of the values is at most Value.
type Point struct{ Quantile, Value float64 }

// Figure returns the one figure of s, and whether there is one.
func (s Series) Figure(stat Stat) (float64, bool) {
	if s.Missing != "" || len(s.Values) == 0 {
		return 0, false
	}
	if stat == P99 {
		return Quantile(s.Values, 0.99), true
	}
	return median(s.Values), true
}

// Find returns the series of who, or one that says that there is none.
func (r Row) Find(who string) Series {
	if i := slices.IndexFunc(r.Series, func(s Series) bool { return s.Who == who }); i >= 0 {
		return r.Series[i]
	}
	return Series{Who: who, Missing: "not among what was measured"}
}

func median(values []float64) float64 {
	v := slices.Sorted(slices.Values(values))
	n := len(v)
	return (v[(n-1)/2] + v[n/2]) / 2
}

// Quantile returns the q-quantile (0 to 1) of values by nearest rank; values
// has at least one.
func Quantile(values []float64, q float64) float64 {
	v := slices.Sorted(slices.Values(values))
	return v[rank(len(v), q)]
}

func rank(n int, q float64) int {
	return min(max(int(math.Ceil(q*float64(n)))-1, 0), n-1)
}

// curveAt are the quantiles that are kept of a distribution.
var curveAt = []float64{0, .1, .25, .5, .75, .9, .95, .98, .99, .995, .998, .999, .9995, .9999, 1}

// Curve sums up a distribution; values has at least one.
func Curve(values []float64) []Point {
	v := slices.Sorted(slices.Values(values))
	points := make([]Point, len(curveAt))
	for i, q := range curveAt {
		points[i] = Point{q, v[rank(len(v), q)]}
	}
	return points
}
