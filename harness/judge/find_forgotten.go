package judge

import (
	"fmt"

	"github.com/proxychaos/proxychaos/harness/recording"
	"github.com/proxychaos/proxychaos/harness/world"
)

// forgotten is how a connection ended that a Network Load Balancer had forgotten for its silence.
const forgotten = "node: idle-timeout"

// flowForgotten: a Network Load Balancer in front forgets connections that lie idle, and tells
// nobody. What comes on such a one is reset; it reaches no proxy.
func (c *brief) flowForgotten(*Verdict) []Finding {
	if front := c.Manifest.World.Front; front == nil || !front.Network {
		return nil
	}
	var gone []row
	first := forever
	for i, conn := range c.Connections {
		if n, known := c.ledger.Node(conn.Node); known && n.Upstream == world.InFront && conn.How == forgotten {
			gone, first = append(gone, row{recording.ConnectionsFile, i}), min(first, conn.Opened)
		}
	}
	rows := c.requestRows(func(r recording.Request) bool {
		return r.Outcome == recording.Connection && r.Sent > first && len(c.hits.of(r.Seq)) == 0 && !c.ofDead[r.Seq]
	})
	if len(gone) == 0 || len(rows) == 0 {
		return nil
	}
	return []Finding{{
		Code: FlowForgotten, Text: fmt.Sprintf("the load balancer in front had forgotten %s that lay idle and that the proxy had not closed: %s that came on them were reset, and reached no node",
			count(len(gone), "connection", "connections"), requests(len(rows))),
		Evidence: c.quote(append(rows, gone...)...),
	}}
}
