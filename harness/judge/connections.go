package judge

import (
	"fmt"

	"github.com/proxychaos/proxychaos/harness/recording"
)

// opened gives the upstream connections that were opened, and for how many requests any
// were used, from the start of the load to the first fault. What the proxy sends besides
// a client's request, or sends again, counts with it; what has no number counts by itself.
func (c *brief) opened() (connections []row, requests int) {
	for i, conn := range c.Connections {
		if !conn.Probe && c.ledger.Upstream(conn.Node) != 0 && conn.Opened >= 0 && conn.Opened < c.first.At {
			connections = append(connections, row{recording.ConnectionsFile, i})
		}
	}
	counted := map[uint64]bool{}
	for _, a := range c.Attempts {
		if a.Probe || c.ledger.Upstream(a.Node) == 0 || a.At < 0 || a.At >= c.first.At || counted[a.Seq] {
			continue
		}
		counted[a.Seq] = a.Seq != 0
		requests++
	}
	return connections, requests
}

func (c *brief) countConnections(v *Verdict) {
	if connections, requests := c.opened(); requests > 0 {
		v.ConnectionsPerRequest = float64(len(connections)) / float64(requests)
	}
}

// perRequest is the ratio from which on every request opens a connection. A
// few come over a connection of the warm-up.
const perRequest = 0.9

func (c *brief) connectionPerRequest(v *Verdict) []Finding {
	if v.ConnectionsPerRequest < perRequest {
		return nil
	}
	rows, n := c.opened()
	return []Finding{{Code: ConnectionPerRequest, Text: fmt.Sprintf("every request opens a connection: %s for %s before the fault",
		count(len(rows), "connection", "connections"), requests(n)), Evidence: c.quote(rows...)}}
}
