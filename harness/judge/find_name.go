package judge

import (
	"fmt"
	"net/http"
	"net/netip"
	"slices"

	"github.com/proxychaos/proxychaos/harness/recording"
	"github.com/proxychaos/proxychaos/harness/world"
)

// What became of a name that moved.

// resolvedOnce: traffic to nodes that the name had left went on and DNS was not
// asked, or not before these nodes had ended.
func (c *brief) resolvedOnce(u *upstream, v *Verdict) []Finding {
	hits, connects := c.staleHits(u), c.staleConnects(u)
	if len(hits)+len(connects) == 0 {
		return c.stoppedTrying(u, v)
	}
	moved := c.departure(hits, connects)
	before, after := len(u.lookupsIn(0, moved)), len(u.lookupsIn(moved, forever))
	words := c.staleWords(hits, connects)
	var text string
	switch {
	case before+after == 0:
		text = u.never() + "; " + words
	case after == 0 && len(u.lookupsIn(u.moved, moved)) > 0:
		text = fmt.Sprintf("stopped asking: 0 DNS queries after the name moved at %s, %s between t=0 and then; %s", at(moved), comma(before), words)
	case after == 0:
		text = fmt.Sprintf("resolved once at start: 0 DNS queries after the name moved, %s between t=0 and then; %s", comma(before), words)
	case c.askedOnlyAfterTheEnd(u, moved):
		text = fmt.Sprintf("resolved once per process: 0 DNS queries between the move of the name and the end of the old nodes, %s after it; %s", comma(after), words)
	case c.someProcessKeptTheAddress(u):
		text = fmt.Sprintf("resolved once per process: %s after the name moved, but not by every process: connections to the old nodes were still opened after the answer; %s",
			count(after, "DNS query", "DNS queries"), words)
	default:
		return nil
	}
	rows := u.lastBefore(moved)
	if later := u.lookupsIn(moved, forever); len(later) > 0 {
		rows = append(rows, later[0].row)
	}
	return []Finding{{Code: ResolvedOnce, Text: text, Evidence: c.quote(append(rows, rowsOf(hits, connects)...)...)}}
}

// stoppedTrying: a proxy that considers every node it knows down soon sends
// nothing any more, so that nothing counts as stale. That DNS was not asked, no node
// that the name got was used, and failures went on shows it all the same.
func (c *brief) stoppedTrying(u *upstream, v *Verdict) []Finding {
	if u.moved == forever || v.Failed == 0 || len(u.lookupsIn(u.moved, forever)) > 0 || !u.asked() {
		return nil
	}
	if len(c.deaths) == c.Manifest.World.Proxies() {
		return nil // whoever has ended asks nothing
	}
	for _, h := range u.hits {
		if h.at > u.moved && c.ledger.Named(h.node, h.at) {
			return nil
		}
	}
	if v.Recovery != nil && !v.NeverRecovered {
		return nil
	}
	text := "resolved once at start: 0 DNS queries after the name moved"
	if world.IsLiteral(u.number) {
		text = u.never()
	}
	return []Finding{{
		Code: ResolvedOnce, Text: text + ", no request reached the new nodes, and failures went on to the end of the load",
		Evidence: c.quote(append(u.lastBefore(u.moved), c.lastFailure())...),
	}}
}

// end is the first fault that took a node of the upstream away after the name had moved:
// when it began, and whether there was one.
func (c *brief) end(u *upstream, moved recording.Seconds) (recording.Seconds, bool) {
	first := forever
	for _, n := range c.ledger.Nodes() {
		if n.Upstream != u.number {
			continue
		}
		if asked, died := c.ledger.Died(n.Addr, moved, forever); died {
			first = min(first, asked)
		}
	}
	return first, first < forever
}

// askedOnlyAfterTheEnd: as Apache does from 2.4.59 on, which looks a name up
// again when every address it knows has failed. If the old nodes end as the name
// moves, the two cannot be told apart.
func (c *brief) askedOnlyAfterTheEnd(u *upstream, moved recording.Seconds) bool {
	end, ended := c.end(u, moved)
	return ended && end > moved+waitSlack && len(u.lookupsIn(moved, end)) == 0 && len(u.lookupsIn(end, forever)) > 0
}

// After how long the kernel gives up a connect that gets no answer: with one retry, as
// on the scaled clock (testbed.podSysctls), and with Linux's six.
const (
	scaledConnect     recording.Seconds = 3.1
	productionConnect recording.Seconds = 127.2
)

// kernelConnect: a request that began with the old answer tries one old node after the
// other for that long each.
func (c *brief) kernelConnect() recording.Seconds {
	if c.Manifest.Plan.Clock == recording.ProductionClock {
		return productionConnect
	}
	return scaledConnect
}

// someProcessKeptTheAddress: one process learned the fresh nodes, and yet
// connections to old ones were opened. A pool alone opens none.
func (c *brief) someProcessKeptTheAddress(u *upstream) bool {
	return slices.ContainsFunc(c.staleConnects(u), func(r row) bool {
		left, _ := c.ledger.Left(c.target(r), c.time(r))
		answer, ok := u.freshAnswer(left)
		lingering := c.kernelConnect() * recording.Seconds(max(0, c.countLeft(u, answer.at)-1))
		return ok && c.time(r) > answer.at+recording.Settle+lingering
	})
}

// countLeft counts the nodes that are out of the name at a time and had been in it.
func (c *brief) countLeft(u *upstream, at recording.Seconds) int {
	n := 0
	for _, node := range c.ledger.Nodes() {
		if _, left := c.ledger.Left(node.Addr, at); left && node.Upstream == u.number {
			n++
		}
	}
	return n
}

// pooledOld: DNS was asked and gave the fresh nodes, but connections from
// before went on being used for old nodes, longer than it takes to act on the
// answer. So in a proxy that passes TCP on, for as long as its clients stay.
func (c *brief) pooledOld(u *upstream, _ *Verdict) []Finding {
	stale := c.staleHits(u)
	if c.askedOnlyAfterTheEnd(u, c.departure(stale, c.staleConnects(u))) || c.someProcessKeptTheAddress(u) {
		return nil
	}
	var kept []hit
	connections := map[*recording.Conn]bool{}
	var last recording.Seconds
	opened := "opened before it"
	for _, h := range stale {
		left, _ := c.ledger.Left(h.node, h.at)
		if answer, ok := u.freshAnswer(left); ok && c.openedInTime(h) && h.at > answer.at+recording.Settle {
			kept = append(kept, h)
			connections[h.conn] = true
			last = max(last, h.at-left)
			if !c.early(h) {
				opened = fmt.Sprintf("opened before it or within %s of it", span(c.allowed))
			}
		}
	}
	if len(kept) == 0 {
		return nil
	}
	moved := c.departure(kept, nil)
	first, _ := u.freshAnswer(moved)
	after := len(u.lookupsIn(moved, forever))
	return []Finding{{
		Code: PooledOld, Text: fmt.Sprintf("resolved again, but pooled connections kept the old address: %s after the name moved, the first answer with the fresh nodes %s after it; %s on %s %s, the last %s after it",
			count(after, "DNS query", "DNS queries"), span(first.at-moved), requests(len(kept)), count(len(connections), "connection", "connections"), opened, span(last)),
		Evidence: c.quote(append([]row{first.row}, rowsOf(kept, nil)...)...),
	}}
}

// openedNone: connections from before went on being used for old nodes, and no other was
// opened meanwhile. Whether DNS would be asked for a new one was then not seen.
func (c *brief) openedNone(u *upstream, _ *Verdict) []Finding {
	stale := c.staleHits(u)
	if world.IsLiteral(u.number) || len(stale) == 0 || len(c.staleConnects(u)) > 0 {
		return nil
	}
	connections := map[*recording.Conn]bool{}
	var last recording.Seconds
	for _, h := range stale {
		if !c.early(h) {
			return nil
		}
		left, _ := c.ledger.Left(h.node, h.at)
		connections[h.conn], last = true, max(last, h.at-left)
	}
	moved := c.departure(stale, nil)
	if len(u.lookupsIn(moved, moved+last)) > 0 || c.failedUnasked(u, moved) {
		return nil
	}
	return []Finding{{
		Code: PooledOld, Text: fmt.Sprintf("pooled connections kept the old address: no connection was opened after the name moved, so that DNS was not asked; %s on %s opened before it, the last %s after it",
			requests(len(stale)), count(len(connections), "connection", "connections"), span(last)),
		Evidence: c.quote(rowsOf(stale, nil)...),
	}}
}

// failedUnasked: the proxy answered requests with an error of its own and sent them to no
// node. It had no connection for them, and did not look the name up to open one.
func (c *brief) failedUnasked(u *upstream, moved recording.Seconds) bool {
	return len(u.lookupsIn(moved, forever)) == 0 && slices.ContainsFunc(c.Requests, func(r recording.Request) bool {
		return r.Sent > moved && failed(r) && r.Code >= http.StatusInternalServerError && !c.sent(r) && !c.ofFront(r)
	})
}

// followed: nodes that the name has serve, and those that it left were left in time.
func (c *brief) followed(u *upstream, _ *Verdict) []Finding {
	if u.moved == forever || len(c.staleHits(u))+len(c.staleConnects(u)) > 0 {
		return nil
	}
	served := slices.IndexFunc(c.Requests, func(r recording.Request) bool {
		return r.Sent > u.moved && !failed(r) && c.ledger.Upstream(r.Node) == u.number && c.ledger.Named(r.Node, r.Sent)
	})
	if served < 0 {
		return nil
	}
	text := "left the old nodes at once when the name moved"
	var rows []row
	if after, h, ok := c.lastLeft(u); ok {
		text = fmt.Sprintf("left the old nodes %s after the name moved", span(after))
		rows = append(rows, h.row)
	}
	if answer, ok := u.freshAnswer(u.moved); ok {
		rows = append(rows, answer.row)
	}
	return []Finding{{Code: FollowedDNS, Text: text, Evidence: c.quote(rows...)}}
}

// leftLate: requests went to nodes that the name had left and that had died. The proxy
// stayed with them although they did not answer, perhaps within the time in which it need
// not know.
func (c *brief) leftLate(u *upstream, _ *Verdict) []Finding {
	hits, connects := c.toDead(u)
	if len(hits)+len(connects) == 0 {
		return nil
	}
	last := recording.Seconds(0)
	late := func(node netip.Addr, at recording.Seconds) {
		left, _ := c.ledger.Left(node, at)
		last = max(last, at-left)
	}
	for _, h := range hits {
		late(h.node, h.at)
	}
	for _, r := range connects {
		late(c.target(r), c.time(r))
	}
	return []Finding{{
		Code: LeftLate, Text: fmt.Sprintf("stayed with nodes that the name had left and that did not answer: %s, the last %s after the name had left them",
			traffic(len(hits), len(connects)), span(last)),
		Evidence: c.quote(rowsOf(hits, connects)...),
	}}
}

// toDead is what was sent to nodes of the upstream that its name had left and that had died.
func (c *brief) toDead(u *upstream) (hits []hit, connects []row) {
	dead := func(node netip.Addr, at recording.Seconds) bool {
		_, out := c.ledger.Left(node, at)
		serves, _ := c.ledger.Serves(node, at)
		return out && !serves
	}
	for _, h := range u.hits {
		if dead(h.node, h.at) {
			hits = append(hits, h)
		}
	}
	for _, r := range u.connects {
		if dead(c.target(r), c.time(r)) {
			connects = append(connects, r)
		}
	}
	return hits, connects
}
