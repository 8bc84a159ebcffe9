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
	_, struck := c.struckSince(node, at)
	return struck
}

// struckSince is since when that was so.
func (c *brief) struckSince(node netip.Addr, at recording.Seconds) (since recording.Seconds, struck bool) {
	for _, s := range c.ledger.Struck(node) {
		if at > s.From && at < s.To {
			return s.From, true
		}
	}
	return 0, false
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
	return c.lossAt(first)
}

// lossAt is the loss that came into force at a time, and false if none did.
func (c *brief) lossAt(t recording.Seconds) (ledger.Moment, bool) {
	for _, loss := range c.losses {
		if loss.At == t {
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
	met := map[recording.Seconds]bool{} // the strikes after which something was sent
	meets := func(r row, since, at recording.Seconds) {
		rows, last, met[since] = append(rows, r), max(last, at-since), true
	}
	for _, h := range u.hits {
		if since, struck := c.struckSince(h.node, h.at); struck {
			meets(h.row, since, h.at)
		}
	}
	sent, attempts := len(rows), c.struckAttempts(u)
	for _, r := range attempts {
		since, _ := c.struckSince(c.target(r), c.time(r))
		meets(r, since, c.time(r))
	}
	if len(rows) == 0 {
		return []Finding{{Code: StruckNodes, Text: fmt.Sprintf("sent nothing to the nodes concerned after %s", quoted(strike.Name)), Evidence: []string{}}}
	}
	after := fmt.Sprintf("each of %d faults", len(met))
	if len(met) == 1 {
		for since := range met {
			if loss, ok := c.lossAt(since); ok {
				strike = loss
			}
		}
		after = quoted(strike.Name)
	}
	return []Finding{{
		Code: StruckNodes, Text: fmt.Sprintf("after %s, %s still went to the nodes concerned, the last %s after it",
			after, traffic(sent, len(attempts)), span(last)),
		Evidence: c.quote(rows...),
	}}
}
