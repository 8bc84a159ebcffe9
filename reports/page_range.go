package reports

import (
	"math"

	"github.com/proxychaos/proxychaos/harness/recording"
)

// valueRange is the smallest and largest of the times that the cells of a scenario say.
type valueRange struct{ low, high float64 }

func newRange() *valueRange { return &valueRange{math.Inf(1), math.Inf(-1)} }

func (r *valueRange) add(v float64) { r.low, r.high = min(r.low, v), max(r.high, v) }

// words gives "5.5 s", or if the cells differ "5.5 s, in the latest cell at 7.1 s".
func (r *valueRange) words() string {
	low, high := seconds(recording.Seconds(r.low)), seconds(recording.Seconds(r.high))
	if low == high {
		return low
	}
	return low + ", in the latest cell at " + high
}
