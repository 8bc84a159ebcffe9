package judge

import (
	"fmt"
	"slices"
	"strings"

	"github.com/proxychaos/proxychaos/harness/ledger"
	"github.com/proxychaos/proxychaos/harness/recording"
)

// stoppedWith says whether the load balancer in front had given a request to a proxy that was
// ended before it had answered: the load balancer answered by itself then.
func (c *brief) stoppedWith(r recording.Request) bool {
	return c.ofFront(r) && slices.ContainsFunc(c.ledger.Stops(), func(m ledger.Moment) bool {
		return r.Sent < m.At && r.Sent+r.Latency >= m.Asked
	})
}

// stoppedInHand: whoever ends a proxy has to wait until it has finished its requests.
func (c *brief) stoppedInHand(*Verdict) []Finding {
	rows := c.requestRows(c.stoppedWith)
	if len(rows) == 0 {
		return nil
	}
	var names []string
	for _, m := range c.ledger.Stops() {
		names = append(names, fmt.Sprintf("%s at t=%s", quoted(m.Name), span(m.At)))
	}
	var evidence []row
	for _, r := range rows {
		evidence = append(evidence, c.front[c.Requests[r.index].Seq])
	}
	return []Finding{{
		Code: StoppedInHand, Text: fmt.Sprintf("%s were under way at a proxy as it ended, and got an error of the load balancer in front: %s", requests(len(rows)), strings.Join(names, ", ")),
		Evidence: c.quote(evidence...),
	}}
}
