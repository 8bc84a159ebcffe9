package judge

import (
	"fmt"
	"slices"

	"github.com/proxychaos/proxychaos/harness/recording"
)

// atOnce is how soon a proxy answers a request for which it tries no node.
const atOnce = recording.Seconds(0.1)

// heldDown: of the requests that failed some were answered at once by the proxy
// itself, which sent them to no node.
func (c *brief) heldDown(*Verdict) []Finding {
	rows, _ := c.answeredUntried(c.first.Asked, atOnce)
	if len(rows) == 0 {
		return nil
	}
	return []Finding{{
		Code: HeldDown, Text: fmt.Sprintf("the proxy itself answered %s at once with an error and sent them to no node: it had no address, or considered every one down", requests(len(rows))),
		Evidence: c.quote(rows...),
	}}
}

// heldDownAfterwards: it did so when every node that the names had served again, and the
// resolvers answered. A name that has left its dead nodes heals nothing by itself.
func (c *brief) heldDownAfterwards() []Finding {
	whole := c.ledger.Whole()
	if !c.ledger.Healed(whole) {
		return nil
	}
	rows, last := c.answeredUntried(whole, atOnce)
	if len(rows) == 0 {
		return nil
	}
	return []Finding{{
		Code: HeldDown, Text: fmt.Sprintf("after everything was back, the proxy itself still answered %s at once with an error and sent them to no node, the last %s later: it had no address, or considered every one down",
			requests(len(rows)), span(last-whole)),
		Evidence: c.quote(rows...),
	}}
}

// waitedInVain: the proxy itself answered requests with an error, not at once, and sent them to no
// node.
func (c *brief) waitedInVain() []Finding {
	rows, _ := c.answeredUntried(c.first.Asked, forever)
	if len(rows) == 0 {
		return nil
	}
	var waits []recording.Seconds
	for _, r := range rows {
		waits = append(waits, c.Requests[r.index].Latency)
	}
	slices.Sort(waits)
	return []Finding{{
		Code: HeldDown, Text: fmt.Sprintf("the proxy itself answered %s with an error, after %s (the median), and sent them to no node: it waited for an address, or for a node that it holds to be up",
			requests(len(rows)), span(percentile(waits, 0.5))),
		Evidence: c.quote(rows...),
	}}
}

// answeredUntried are the requests that were sent from a time on and that the proxy answered
// with an error within another, sending them to no node, and when the last of them was sent.
func (c *brief) answeredUntried(from, within recording.Seconds) (rows []row, last recording.Seconds) {
	rows = c.requestRows(func(r recording.Request) bool {
		soon := r.Code != 0 && r.Latency < within && !recording.IsByProxy(r.Outcome)
		return failed(r) && soon && !c.sent(r) && !c.refused(r) && !c.ofFront(r) && r.Sent >= from
	})
	for _, r := range rows {
		last = max(last, c.Requests[r.index].Sent)
	}
	return rows, last
}

// sent says whether the proxy sent the request to a node. A sub-request does not count.
func (c *brief) sent(r recording.Request) bool {
	return slices.ContainsFunc(c.hits.of(r.Seq), func(h hit) bool { return c.isOwn(h, r) })
}
