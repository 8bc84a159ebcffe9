package judge

import (
	"fmt"

	"github.com/proxychaos/proxychaos/harness/recording"
)

// nodeDied says whether the node to which a request was sent last did not serve any more before
// its answer had left it.
func (c *brief) nodeDied(r recording.Request) bool {
	hits := c.hits.of(r.Seq)
	for i := len(hits) - 1; i >= 0; i-- {
		if h := hits[i]; c.isOwn(h, r) {
			_, died := c.ledger.Died(h.node, h.at, max(h.at, r.Sent+r.Latency))
			return died && !c.answered(h)
		}
	}
	return false
}

// lostWithNode: requests were under way at a node as it died, and were not sent to another in
// time. Of a run in which nothing was sent to dead nodes later, that is the cause.
func (c *brief) lostWithNode() []Finding {
	rows := c.requestRows(func(r recording.Request) bool { return failed(r) && c.nodeDied(r) })
	if len(rows) == 0 {
		return nil
	}
	return []Finding{{
		Code: LostWithNode, Text: fmt.Sprintf("%s under way at a node that died before its answer had left it, and got no answer of another in time", count(len(rows), "request was", "requests were")),
		Evidence: c.quote(rows...),
	}}
}
