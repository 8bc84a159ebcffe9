package compare

import (
	"fmt"
	"math"
	"strings"

	"github.com/proxychaos/proxychaos/harness/recording"
)

// Concern is what a measure is about. A difference in one decides before all that
// come after it: who loses 900 requests fewer is better, also if DNS is asked more.
type Concern int

// The concerns, the first the weightiest.
const (
	Lost     Concern = iota // what users lose
	Waited                  // how long they wait
	Cost                    // what it costs
	concerns                // how many there are
)

// share is the part of Rules.Error that a concern may use.
func (c Concern) share() float64 {
	if c == Lost {
		return 0.5
	}
	return 0.25
}

// Sizes are the smallest differences that count: a difference of the size is to be
// found, one of less than half of it is never called one.
type Sizes struct {
	Failed      float64           `json:"failed"`      // requests a run
	Recovery    recording.Seconds `json:"recovery"`    // of time to recover
	P99         float64           `json:"p99"`         // a share of the other's p99: 0.2 is 20 %
	Posts       float64           `json:"posts"`       // POSTs sent twice, a run
	Connections float64           `json:"connections"` // for each request
	Queries     float64           `json:"queries"`     // of DNS, a second
	Retries     float64           `json:"retries"`     // for each request
}

// DefaultSizes are those of `make compare` with no variable set.
func DefaultSizes() Sizes {
	return Sizes{Failed: 5, Recovery: 0.3, P99: 0.2, Posts: 1, Connections: 0.1, Queries: 0.5, Retries: 0.05}
}

// Measure is one figure by which runs are compared.
type Measure struct {
	Name    string
	Concern Concern
	// of is the figure of a run, on a scale on which differences are compared; false
	// if the run has none.
	of func(Run, Block) (float64, bool)
	// shown is the figure as people know it.
	shown func(Run) (float64, bool)
	// Size is the smallest difference that counts, on the scale on which differences are compared.
	Size func(Sizes) float64
	// unit is how figures and differences are written.
	unit unit
}

// Measures are all of them, in the order in which a table has them.
var Measures = []Measure{
	{
		Name: "failed requests", Concern: Lost, unit: requests, Size: func(s Sizes) float64 { return s.Failed },
		of:    func(r Run, _ Block) (float64, bool) { return float64(r.Failed), true },
		shown: func(r Run) (float64, bool) { return float64(r.Failed), true },
	},
	{
		// "Never" is not a number: the mean is restricted to the window (Irwin, The
		// Journal of Hygiene 47(2), 1949). All runs of a block are watched for the same
		// time, and so the area under Kaplan and Meier's curve up to its end is the mean
		// of the times cut off there.
		Name: "recovery", Concern: Lost, unit: seconds, Size: func(s Sizes) float64 { return float64(s.Recovery) },
		of:    func(r Run, b Block) (float64, bool) { return float64(r.restricted(b.window())), true },
		shown: func(r Run) (float64, bool) { return float64(r.restricted(r.Window)), true },
	},
	{
		Name: "POSTs sent twice", Concern: Lost, unit: requests, Size: func(s Sizes) float64 { return s.Posts },
		of:    func(r Run, _ Block) (float64, bool) { return float64(r.PostsTwice), r.Posts > 0 },
		shown: func(r Run) (float64, bool) { return float64(r.PostsTwice), r.Posts > 0 },
	},
	latency("p99 before the fault", func(r Run) *recording.Seconds { return r.Before }),
	latency("p99 during the fault", func(r Run) *recording.Seconds { return r.During }),
	latency("p99 after the fault", func(r Run) *recording.Seconds { return r.After }),
	{
		Name: "connections per request", Concern: Cost, unit: ratio, Size: func(s Sizes) float64 { return s.Connections },
		of:    func(r Run, _ Block) (float64, bool) { return r.Connections, true },
		shown: func(r Run) (float64, bool) { return r.Connections, true },
	},
	{
		Name: "DNS queries per second", Concern: Cost, unit: ratio, Size: func(s Sizes) float64 { return s.Queries },
		of:    func(r Run, _ Block) (float64, bool) { return r.Queries, true },
		shown: func(r Run) (float64, bool) { return r.Queries, true },
	},
	{
		Name: "retries per request", Concern: Cost, unit: ratio, Size: func(s Sizes) float64 { return s.Retries },
		of:    func(r Run, _ Block) (float64, bool) { return r.Retries, true },
		shown: func(r Run) (float64, bool) { return r.Retries, true },
	},
}

// Of is the figure of a run, as people know it; false if the run has none.
func (m Measure) Of(r Run) (float64, bool) { return m.shown(r) }

// leastLatency is below what a user can tell.
const leastLatency = recording.Seconds(0.010)

// latency compares by the ratio. Latencies of less than 10 ms, or of less than the
// load itself was late in any run of the block, are all the same: that may be the
// machine's doing. Of an uneven block they are left out.
func latency(name string, of func(Run) *recording.Seconds) Measure {
	return Measure{
		Name: name, Concern: Waited, unit: latencies, Size: func(s Sizes) float64 { return math.Log1p(s.P99) },
		of: func(r Run, b Block) (float64, bool) {
			p := of(r)
			if p == nil || b.uneven() {
				return 0, false
			}
			return math.Log(float64(max(*p, leastLatency, b.lateness()))), true
		},
		shown: func(r Run) (float64, bool) {
			p := of(r)
			if p == nil {
				return 0, false
			}
			return float64(*p), true
		},
	}
}

// restricted is the time to recover, cut off at the end of a window.
func (r Run) restricted(window recording.Seconds) recording.Seconds {
	if r.Never {
		return window
	}
	return min(r.Recovery, window)
}

// unit is how the figures of a measure are written.
type unit int

const (
	requests unit = iota
	seconds
	latencies // a figure in milliseconds, a difference in per cent
	ratio
)

// Figure writes a figure as people know it.
func (m Measure) Figure(x float64) string {
	switch m.unit {
	case requests:
		return trimmed(x, 1)
	case seconds:
		return trimmed(x, 2) + " s"
	case latencies:
		return fmt.Sprintf("%.0f ms", 1000*x)
	case ratio:
	}
	return trimmed(x, 2)
}

// Apart writes by how much two figures differ, whichever is larger.
func (m Measure) Apart(x float64) string { return strings.TrimPrefix(m.Difference(math.Abs(x)), "+") }

// Difference writes a difference with its sign.
func (m Measure) Difference(x float64) string {
	if math.IsInf(x, 0) {
		return "?"
	}
	sign := "+"
	if x < 0 {
		sign = "-"
	}
	if m.unit == latencies {
		return fmt.Sprintf("%s%.0f %%", sign, 100*math.Abs(math.Expm1(x)))
	}
	return sign + m.Figure(math.Abs(x))
}

// trimmed leaves out decimals that are 0.
func trimmed(x float64, digits int) string {
	factor := math.Pow(10, float64(digits))
	x = math.Round(x*factor) / factor
	if x == math.Trunc(x) {
		return fmt.Sprintf("%.0f", x)
	}
	return fmt.Sprintf("%.*f", digits, x)
}
