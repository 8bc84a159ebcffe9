package judge

import (
	"fmt"

	"github.com/proxychaos/proxychaos/harness/recording"
)

// decide sets the result and its reasons. What was not proved is not judged.
func (c *brief) decide(v *Verdict) {
	if reasons := c.unproven(v); len(reasons) > 0 {
		v.Result, v.Reasons = Unproven, reasons
		return
	}
	budget := c.Manifest.Plan.Budget
	lost := fmt.Sprintf("%s of %s failed", comma(v.Failed), requests(v.Sent))
	if v.Failed > 0 {
		lost += " (" + byKind(v.ByKind) + ")"
	}
	v.Result, v.Reasons = Pass, []string{lost}
	switch within := budget.RecoverWithin; {
	case within == 0 && v.Failed > budget.Failed:
		v.Result = Fail
		v.Reasons = []string{fmt.Sprintf("%s, budget %s", lost, comma(budget.Failed))}
	case within != 0 && v.Recovery != nil && *v.Recovery > within:
		v.Result = Fail
		v.Reasons = []string{fmt.Sprintf("%s; %s sent more than %s after the old nodes ended, the last one %s after",
			lost, requests(c.failedAfter(c.retire+within)), span(within), span(*v.Recovery))}
	}
	if v.NeverRecovered {
		v.Reasons = append(v.Reasons, fmt.Sprintf("never recovered within the %s from the end of the old nodes to the end of the load", span(v.Window)))
	}
}

func (c *brief) failedAfter(at recording.Seconds) int {
	n := 0
	for _, request := range c.requests {
		if failed(request) && request.Sent > at {
			n++
		}
	}
	return n
}
