package reports

import (
	"math"

	"github.com/proxychaos/proxychaos/harness/recording"
)

// valueRange is the smallest and largest of what the cells of a scenario say.
type valueRange struct{ low, high float64 }

func newRange() *valueRange { return &valueRange{math.Inf(1), math.Inf(-1)} }

func (r *valueRange) add(v float64) { r.low, r.high = min(r.low, v), max(r.high, v) }

func (r *valueRange) seconds() string {
	low, high := seconds(recording.Seconds(r.low)), seconds(recording.Seconds(r.high))
	if low == high {
		return low
	}
	return low + " to " + high
}
