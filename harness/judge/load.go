package judge

import (
	"fmt"
	"math"
	"slices"

	"github.com/proxychaos/proxychaos/harness/recording"
)

// Floors of the load. Below them a verdict would be about the generator.
const (
	maxRateError = 0.005 // of the rate asked for
	maxLateness  = recording.Seconds(0.25)
)

// stall is by how much one request is late if the machine stood still for a moment. A proxy
// with few workers may need seconds to recover from that: with 53 ms in its first second,
// prefork-few of alb-tls-flap lost nine requests before any fault.
const stall = recording.Seconds(0.05)

// loadCheck compares the load with the plan. Offered counts what was sent by
// the end of the load, give or take the lateness that is allowed anyway.
func (c *brief) loadCheck() LoadCheck {
	plan := c.Manifest.Plan
	check := LoadCheck{Asked: float64(plan.Rate)}
	var lateness []recording.Seconds
	sent := 0
	for request := range c.inOrder() {
		lateness = append(lateness, request.Sent-request.Due)
		if request.Sent <= plan.Duration+maxLateness {
			sent++
		}
	}
	slices.Sort(lateness)
	if asked := plan.Duration - plan.Quiet.For; asked > 0 {
		check.Offered = float64(sent) / float64(asked)
	}
	check.LatenessP50 = percentile(lateness, 0.50)
	check.LatenessP99 = percentile(lateness, 0.99)
	check.LatenessMax = percentile(lateness, 1)
	check.Waited = c.findWait().share
	return check
}

// Busy says that the machine had no CPU to spare in some moment of the run: a request was sent
// late, or the proxy waited for a core for long. Of a run that is unproven, that may be the
// only reason.
func (check LoadCheck) Busy() bool { return check.LatenessMax > stall || check.Waited > maxWait }

func (check LoadCheck) reasons() []string {
	var reasons []string
	if math.Abs(check.Offered-check.Asked) > check.Asked*maxRateError {
		reasons = append(reasons, fmt.Sprintf("the load was not as asked: offered %.1f requests per second, want %.0f within %.1f %%",
			check.Offered, check.Asked, maxRateError*100))
	}
	if check.LatenessP99 > maxLateness {
		reasons = append(reasons, fmt.Sprintf("the load was late: 1 %% of the requests were sent %s or more late, want at most %s: the machine was busy (end other programs, or run fewer cells at a time: PARALLEL=)",
			span(check.LatenessP99), span(maxLateness)))
	}
	return reasons
}

// percentile takes the nearest rank of sorted values; 0 if there are none.
func percentile(sorted []recording.Seconds, p float64) recording.Seconds {
	if len(sorted) == 0 {
		return 0
	}
	rank := int(math.Ceil(p * float64(len(sorted))))
	return sorted[max(rank, 1)-1]
}
