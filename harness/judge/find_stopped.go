package judge

import (
	"fmt"
	"slices"
	"strings"

	"github.com/proxychaos/proxychaos/harness/ledger"
	"github.com/proxychaos/proxychaos/harness/recording"
)

// stoppedWith finds the end of the proxy to which the load balancer in front had given a request,
// if that came before it had answered: the load balancer answered by itself then.
func (c *brief) stoppedWith(r recording.Request) (ledger.Stop, bool) {
	if !c.ofFront(r) {
		return ledger.Stop{}, false
	}
	a, _ := c.inFront(r)
	for _, s := range c.ledger.Stops() {
		if r.Sent < s.At && r.Sent+r.Latency >= s.Asked && c.mayHaveHad(s.Proxy, a) {
			return s, true
		}
	}
	return ledger.Stop{}, false
}

// stoppedInHand: whoever ends a proxy has to wait until it has finished its requests.
func (c *brief) stoppedInHand(*Verdict) []Finding {
	var rows []row
	var names []string
	for _, r := range c.Requests {
		s, stopped := c.stoppedWith(r)
		if !stopped {
			continue
		}
		rows = append(rows, c.front[r.Seq])
		if name := fmt.Sprintf("%s at t=%s", quoted(s.Name), span(s.At)); !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	if len(rows) == 0 {
		return nil
	}
	return []Finding{{
		Code: StoppedInHand, Text: fmt.Sprintf("%s under way at a proxy as it ended, and got an error of the load balancer in front: %s", count(len(rows), "request was", "requests were"), strings.Join(names, ", ")),
		Evidence: c.quote(rows...),
	}}
}
