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
	var rows []row
	for i, r := range c.Requests {
		soon := r.Code != 0 && r.Latency < atOnce && !recording.IsByProxy(r.Outcome)
		if failed(r) && soon && !c.sent(r) && !c.refused(r) && !c.ofFront(r) && r.Sent >= c.first.Asked {
			rows = append(rows, row{recording.RequestsFile, i})
		}
	}
	if len(rows) == 0 {
		return nil
	}
	return []Finding{{
		Code: HeldDown, Text: fmt.Sprintf("the proxy itself answered %s at once with an error and sent them to no node: it had no address, or held every one to be down", requests(len(rows))),
		Evidence: c.quote(rows...),
	}}
}

// sent says whether the proxy sent the request to a node. A sub-request does not count.
func (c *brief) sent(r recording.Request) bool {
	return slices.ContainsFunc(c.hits[r.Seq], func(h hit) bool { return c.isOwn(h, r) })
}
