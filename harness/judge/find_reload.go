package judge

import (
	"fmt"
	"slices"

	"github.com/proxychaos/proxychaos/harness/recording"
)

// handover is how long after it was told to reload its configuration a proxy may give
// requests to processes that it is about to end.
const handover = recording.Seconds(1)

// cutByReload says whether a request failed that the proxy was working on as it was told to
// reload its configuration, and how long after that it did. With 504 the proxy says that its own
// patience with a node was at its end, which it would have been without the reload too; and so it
// is if the node died.
func (c *brief) cutByReload(r recording.Request) (recording.Seconds, bool) {
	if !failed(r) || !c.sent(r) || r.Outcome == recording.GatewayTimeout || c.nodeDied(r) {
		return 0, false
	}
	for _, m := range c.ledger.Reloads() {
		if ended := r.Sent + r.Latency; r.Sent < m.At+handover && ended >= m.Asked {
			return ended - m.At, true
		}
	}
	return 0, false
}

// reloadCuts: a proxy that reloads its configuration can let old processes end their work.
func (c *brief) reloadCuts(*Verdict) []Finding {
	var rows []row
	var after []recording.Seconds
	for i, r := range c.Requests {
		if ended, cut := c.cutByReload(r); cut {
			rows, after = append(rows, row{recording.RequestsFile, i}), append(after, ended)
		}
	}
	if len(rows) == 0 {
		return nil
	}
	slices.Sort(after)
	return []Finding{{
		Code: CutByReload, Text: fmt.Sprintf("%s failed that the proxy was working on when it was told to reload its configuration, %s after that (the median)", requests(len(rows)), span(percentile(after, 0.5))),
		Evidence: c.quote(rows...),
	}}
}
