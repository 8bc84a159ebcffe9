package judge

import (
	"fmt"

	"github.com/proxychaos/proxychaos/harness/ledger"
	"github.com/proxychaos/proxychaos/harness/recording"
)

// lastHit is where a request was sent last, and false if it was sent nowhere. A sub-request does
// not count.
func (c *brief) lastHit(r recording.Request) (hit, bool) {
	hits := c.hits.of(r.Seq)
	for i := len(hits) - 1; i >= 0; i-- {
		if c.isOwn(hits[i], r) {
			return hits[i], true
		}
	}
	return hit{}, false
}

// nodeDied says whether the node to which a request was sent last did not serve any more before
// its answer had left it.
func (c *brief) nodeDied(r recording.Request) bool {
	h, sent := c.lastHit(r)
	if !sent || c.answered(h) {
		return false
	}
	_, died := c.ledger.Died(h.node, h.at, max(h.at, r.Sent+r.Latency))
	return died
}

// tookNodeOf says whether a request failed that was under way at a node which served until a loss,
// and no longer: the application may take long for its answers.
func (c *brief) tookNodeOf(loss ledger.Moment, r recording.Request) bool {
	if !failed(r) || r.Sent+r.Latency < loss.Asked {
		return false
	}
	h, sent := c.lastHit(r)
	if !sent || h.at >= loss.At || c.answered(h) {
		return false
	}
	served, _ := c.ledger.Serves(h.node, h.at)
	serves, _ := c.ledger.Serves(h.node, loss.At)
	return served && !serves
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
