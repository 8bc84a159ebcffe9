package judge

import (
	"fmt"
	"net/netip"
	"slices"

	"github.com/proxychaos/proxychaos/harness/recording"
)

// findings gives the causes, the most telling first.
func (c *brief) findings(v *Verdict) []Finding {
	findings := []Finding{}
	for _, find := range []func(*Verdict) []Finding{
		c.resolvedOnce,
		c.pooledOld,
		c.healed,
		c.followed,
		c.usedStruck,
		c.livedWithoutDNS,
		c.lostPosts,
		c.resentRequests,
		c.connectionPerRequest,
		c.logEvidence,
	} {
		findings = append(findings, find(v)...)
	}
	return findings
}

// resolvedOnce: traffic to old nodes went on and DNS was not asked, or not
// before the old nodes had ended.
func (c *brief) resolvedOnce(v *Verdict) []Finding {
	if v.Stale+v.StaleConnects == 0 {
		return nil
	}
	traffic := c.staleWords(v)
	var text string
	switch {
	case v.DNSBefore+v.DNSAfter == 0:
		text = "resolved once at start: 0 DNS queries after t=0; " + traffic
	case v.DNSAfter == 0:
		text = fmt.Sprintf("resolved once at start: 0 DNS queries after the name moved, %s between t=0 and then; %s", comma(v.DNSBefore), traffic)
	case c.askedOnlyAfterTheEnd():
		text = fmt.Sprintf("resolved once per process: 0 DNS queries between the move of the name and the end of the old nodes, %s after it; %s", comma(v.DNSAfter), traffic)
	case c.someProcessKeptTheAddress():
		text = fmt.Sprintf("resolved once per process: %s after the name moved, but not by every process: connections to the old nodes were still opened after the answer; %s",
			count(v.DNSAfter, "DNS query", "DNS queries"), traffic)
	default:
		return nil
	}
	var rows []row
	if earlier := c.lookupsIn(-forever, c.flip); len(earlier) > 0 {
		rows = append(rows, earlier[len(earlier)-1].row)
	}
	if later := c.lookupsIn(c.flip, forever); len(later) > 0 {
		rows = append(rows, later[0].row)
	}
	return []Finding{{ResolvedOnce, text, c.quote(append(rows, c.staleRows()...)...)}}
}

// askedOnlyAfterTheEnd: as Apache does from 2.4.59 on, which looks a name up
// again when every address it knows has failed. It cannot be told where the
// old nodes end with the move of the name.
func (c *brief) askedOnlyAfterTheEnd() bool {
	return c.Manifest.Plan.Grace > 0 && len(c.lookupsIn(c.flip, c.ending)) == 0 && len(c.lookupsIn(c.ending, forever)) > 0
}

// kernelConnect is after how long the testbed's kernel gives up a connect that
// gets no answer (testbed.scaledTCP): a request that began with the old answer
// tries one old node after the other for that long each.
const kernelConnect = recording.Seconds(3.1)

// someProcessKeptTheAddress: one process learned the fresh nodes, and yet
// connections to old ones were opened. A pool alone opens none.
func (c *brief) someProcessKeptTheAddress() bool {
	answer, ok := c.freshAnswer()
	lingering := kernelConnect * recording.Seconds(len(c.Manifest.Plan.Old)-1)
	return ok && slices.ContainsFunc(c.staleConnects(), func(r row) bool {
		return c.Packets[r.index].At > answer.at+settle+lingering
	})
}

// freshAnswer is the first one after the move that gave the fresh nodes.
func (c *brief) freshAnswer() (lookup, bool) {
	for _, l := range c.lookupsIn(c.flip, forever) {
		if l.fresh {
			return l, true
		}
	}
	return lookup{}, false
}

// pooledOld: DNS was asked and gave the fresh nodes, but connections from
// before went on being used for old nodes, longer than it takes to act on the
// answer.
func (c *brief) pooledOld(v *Verdict) []Finding {
	first, ok := c.freshAnswer()
	if !ok || c.askedOnlyAfterTheEnd() || c.someProcessKeptTheAddress() {
		return nil
	}
	rows := []row{first.row}
	connections := map[*recording.Conn]bool{}
	var last recording.Seconds
	for _, h := range c.staleHits() {
		if h.early && h.at > first.at+settle {
			rows = append(rows, h.row)
			connections[h.conn] = true
			last = h.at
		}
	}
	if len(connections) == 0 {
		return nil
	}
	return []Finding{{
		PooledOld, fmt.Sprintf("resolved again, but pooled connections kept the old address: %s after the name moved, the first answer with the fresh nodes %s after it; %s on %s opened before it, the last %s after it",
			count(v.DNSAfter, "DNS query", "DNS queries"), span(first.at-c.flip), requests(len(rows)-1), count(len(connections), "connection", "connections"), span(last-c.flip)),
		c.quote(rows...),
	}}
}

// healed: requests failed after the old nodes ended, and then no more.
func (c *brief) healed(v *Verdict) []Finding {
	if v.Recovery == nil || v.NeverRecovered {
		return nil
	}
	text := fmt.Sprintf("healed by itself %s after %s", span(*v.Recovery), c.last())
	rows := []row{c.lastFailure()}
	later := c.lookupsIn(c.flip, forever)
	switch {
	case c.Manifest.Plan.Stays:
		switch late := c.retire + *v.Recovery - c.whole; {
		case late > 0:
			text = fmt.Sprintf("failed until %s after what had failed was whole again, %s after %s", span(late), span(*v.Recovery), c.last())
		case late > -lastSecond:
			text = fmt.Sprintf("failed until what had failed was whole again, %s after %s", span(*v.Recovery), c.last())
		}
	case len(later) == 0:
		text += ", without asking DNS again"
	case c.askedOnlyAfterTheEnd():
		text += fmt.Sprintf(": it asked DNS again %s after that", span(max(0, later[0].at-c.retire)))
		rows = append(rows, later[0].row)
	default:
		text += fmt.Sprintf(": it asked DNS again %s after the name moved", span(later[0].at-c.flip))
		rows = append(rows, later[0].row)
	}
	return []Finding{{HealedItself, text, c.quote(rows...)}}
}

func (c *brief) lastFailure() row {
	last := -1
	for i, request := range c.Requests {
		if failed(request) && (last < 0 || request.Sent >= c.Requests[last].Sent) {
			last = i
		}
	}
	return row{recording.RequestsFile, last}
}

// followed: the fresh nodes serve, and the old ones were left in time.
func (c *brief) followed(v *Verdict) []Finding {
	if v.Stale+v.StaleConnects > 0 || c.Manifest.Plan.Stays {
		return nil
	}
	served := slices.IndexFunc(c.Requests, func(r recording.Request) bool {
		return r.Sent > c.flip && !failed(r) && c.isFresh(r.Node)
	})
	if served < 0 {
		return nil
	}
	text := "left the old nodes at once when the name moved"
	var rows []row
	if v.LastStale != nil {
		text = fmt.Sprintf("left the old nodes %s after the name moved", span(*v.LastStale))
		rows = append(rows, c.oldHits[len(c.oldHits)-1].row)
	}
	if answer, ok := c.freshAnswer(); ok {
		rows = append(rows, answer.row)
	}
	return []Finding{{FollowedDNS, text, c.quote(rows...)}}
}

// perRequest is the ratio from which on every request opens a connection. A
// few come over a connection of the warm-up.
const perRequest = 0.9

func (c *brief) connectionPerRequest(v *Verdict) []Finding {
	if v.ConnectionsPerRequest < perRequest {
		return nil
	}
	rows, n := c.opened()
	return []Finding{{ConnectionPerRequest, fmt.Sprintf("every request opens a connection: %s for %s before the fault",
		count(len(rows), "connection", "connections"), requests(n)), c.quote(rows...)}}
}

// staleWords gives "1,996 requests and 12 connection attempts on the retired
// 198.18.1.21, 198.18.1.22".
func (c *brief) staleWords(v *Verdict) string {
	nodes := map[netip.Addr]bool{}
	for _, h := range c.staleHits() {
		nodes[h.node] = true
	}
	for _, r := range c.staleConnects() {
		nodes[c.Packets[r.index].Node] = true
	}
	var list []netip.Addr
	for _, node := range c.Manifest.Plan.Old {
		if nodes[node] {
			list = append(list, node)
		}
	}
	traffic := requests(v.Stale)
	switch connects := count(v.StaleConnects, "connection attempt", "connection attempts"); {
	case v.Stale == 0:
		traffic = connects
	case v.StaleConnects > 0:
		traffic += " and " + connects
	}
	return traffic + " on the retired " + addresses(list)
}

func (c *brief) staleRows() []row {
	var rows []row
	for _, h := range c.staleHits() {
		rows = append(rows, h.row)
	}
	return append(rows, c.staleConnects()...)
}
