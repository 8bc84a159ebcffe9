package judge

import (
	"net/netip"

	"github.com/proxychaos/proxychaos/harness/recording"
)

// stale says whether what was sent to a node at a time should not have gone there
// any more: its name had left it, and the resolvers had told so, for longer than a proxy
// needs to know.
func (c *brief) stale(node netip.Addr, at recording.Seconds) bool {
	left, out := c.ledger.Left(node, at)
	return out && at > c.ledger.Told(left, c.allowed)
}

func (c *brief) staleHits(u *upstream) []hit {
	var stale []hit
	for _, h := range u.hits {
		if c.stale(h.node, h.at) {
			stale = append(stale, h)
		}
	}
	return stale
}

// staleConnects are the connection attempts to nodes in the same time. A SYN that
// was sent again is the same attempt.
func (c *brief) staleConnects(u *upstream) []row {
	var rows []row
	for _, r := range u.connects {
		if c.stale(c.target(r), c.time(r)) {
			rows = append(rows, r)
		}
	}
	return rows
}

// departure is when the first of the nodes left the name to which all this was sent
// afterwards; forever if nothing was.
func (c *brief) departure(hits []hit, connects []row) recording.Seconds {
	first := forever
	for _, h := range hits {
		left, _ := c.ledger.Left(h.node, h.at)
		first = min(first, left)
	}
	for _, r := range connects {
		left, _ := c.ledger.Left(c.target(r), c.time(r))
		first = min(first, left)
	}
	return first
}

// early says whether a hit came over a connection from before its node left the name.
func (c *brief) early(h hit) bool {
	left, out := c.ledger.Left(h.node, h.at)
	return out && h.conn != nil && h.conn.Opened < left
}

// openedInTime says whether a hit came over a connection that was opened when the proxy need
// not know yet that the name had left its node.
func (c *brief) openedInTime(h hit) bool { return h.conn != nil && !c.stale(h.node, h.conn.Opened) }

// lastLeft is how long after a node had left the name the last request went to it,
// with that request; false if none did. Of several nodes, or of one that left several
// times, it is the longest.
func (c *brief) lastLeft(u *upstream) (longest recording.Seconds, last hit, ok bool) {
	for _, h := range u.hits {
		if left, out := c.ledger.Left(h.node, h.at); out && h.at-left > longest {
			longest, last, ok = h.at-left, h, true
		}
	}
	return longest, last, ok
}

func (c *brief) countStale(v *Verdict) {
	for _, u := range c.upstreams {
		v.Stale += len(c.staleHits(u))
		v.StaleConnects += len(c.staleConnects(u))
		if after, _, ok := c.lastLeft(u); ok && (v.LastStale == nil || after > *v.LastStale) {
			v.LastStale = &after
		}
	}
}

// staleWords gives "1,996 requests and 12 connection attempts on the retired
// 198.18.1.21, 198.18.1.22".
func (c *brief) staleWords(hits []hit, connects []row) string {
	nodes := map[netip.Addr]bool{}
	for _, h := range hits {
		nodes[h.node] = true
	}
	for _, r := range connects {
		nodes[c.target(r)] = true
	}
	var list []netip.Addr
	for _, n := range c.ledger.Nodes() {
		if nodes[n.Addr] {
			list = append(list, c.ledger.Asked(n.Addr)...)
		}
	}
	return traffic(len(hits), len(connects)) + " on the retired " + addresses(list)
}

// traffic gives "1,996 requests and 12 connection attempts", without what there was
// none of.
func traffic(hits, connects int) string {
	words := requests(hits)
	attempts := count(connects, "connection attempt", "connection attempts")
	switch {
	case hits == 0:
		return attempts
	case connects > 0:
		return words + " and " + attempts
	}
	return words
}

func rowsOf(hits []hit, connects []row) []row {
	var rows []row
	for _, h := range hits {
		rows = append(rows, h.row)
	}
	return append(rows, connects...)
}
