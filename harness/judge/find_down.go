package judge

import (
	"fmt"

	"github.com/proxychaos/proxychaos/harness/recording"
)

// atOnce is how soon a proxy answers a request for which it tries no node.
const atOnce = recording.Seconds(0.1)

// heldDown: of the requests that failed some were answered at once by the proxy
// itself, which sent them to no node.
func (c *brief) heldDown(*Verdict) []Finding {
	sent := map[uint64]bool{}
	for _, u := range c.upstreams {
		for _, h := range u.hits {
			seq, _ := c.sequence(h)
			sent[seq] = true
		}
	}
	var rows []row
	for i, r := range c.Requests {
		if failed(r) && r.Code != 0 && r.Latency < atOnce && !sent[r.Seq] && r.Sent >= c.first.Asked {
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
