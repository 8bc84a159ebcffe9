package judge

import (
	"fmt"
	"net/netip"

	"github.com/proxychaos/proxychaos/harness/ledger"
	"github.com/proxychaos/proxychaos/harness/recording"
)

// struck says whether the name had the node at a time and the node did not serve.
// Sending to it is no sign of a stale address, but of how long a proxy takes to find
// out, and how often it looks again.
func (c *brief) struck(node netip.Addr, at recording.Seconds) bool {
	for _, s := range c.ledger.Struck(node) {
		if at > s.From && at < s.To {
			return true
		}
	}
	return false
}

// struckAttempts are the connections that were tried to struck nodes: SYNs, or if no
// capture saw any, what was accepted.
func (c *brief) struckAttempts(u *upstream) []row {
	var syns, accepted []row
	for _, r := range u.connects {
		if c.struck(c.target(r), c.time(r)) {
			syns = append(syns, r)
		}
	}
	if len(syns) > 0 {
		return syns
	}
	for i, conn := range c.Connections {
		if !conn.Probe && c.ledger.Upstream(conn.Node) == u.number && c.struck(conn.Node, conn.Opened) {
			accepted = append(accepted, row{recording.ConnectionsFile, i})
		}
	}
	return accepted
}

// strike is the first fault that struck a node of the upstream which its name had.
func (c *brief) strike(u *upstream) (ledger.Moment, bool) {
	first := forever
	for _, n := range c.ledger.Nodes() {
		if spans := c.ledger.Struck(n.Addr); n.Upstream == u.number && len(spans) > 0 {
			first = min(first, spans[0].From)
		}
	}
	for _, loss := range c.losses {
		if loss.At == first {
			return loss, true
		}
	}
	return ledger.Moment{}, false
}

func (c *brief) usedStruck(u *upstream, _ *Verdict) []Finding {
	strike, ok := c.strike(u)
	if !ok {
		return nil
	}
	var rows []row
	last := recording.Seconds(0)
	for _, h := range u.hits {
		if c.struck(h.node, h.at) {
			rows = append(rows, h.row)
			last = max(last, h.at)
		}
	}
	sent, attempts := len(rows), c.struckAttempts(u)
	for _, r := range attempts {
		rows = append(rows, r)
		last = max(last, c.time(r))
	}
	if len(rows) == 0 {
		return []Finding{{Code: StruckNodes, Text: fmt.Sprintf("sent nothing to the nodes concerned after %s", quoted(strike.Name)), Evidence: []string{}}}
	}
	return []Finding{{
		Code: StruckNodes, Text: fmt.Sprintf("after %s, %s still went to the nodes concerned, the last %s after it",
			quoted(strike.Name), traffic(sent, len(attempts)), span(last-strike.At)),
		Evidence: c.quote(rows...),
	}}
}
