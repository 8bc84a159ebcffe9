package judge

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/proxychaos/proxychaos/harness/recording"
)

// visit is a request of a session that had a node before.
type visit struct {
	row     row
	session uint64
	served  bool // the node that it had served until the answer came
}

// stay is what a session has at one name: the nodes of each keep sessions of their own.
type stay struct {
	session  uint64
	upstream int
}

// visits are the moves of sessions to other nodes of a name, and the failures of those whose node
// did not serve while another did, in the order in which the requests were sent.
func (c *brief) visits() (moves, held []visit) {
	has := map[stay]netip.Addr{}
	leads := c.leads()
	for _, place := range c.order {
		request := c.Requests[place]
		if request.Session == 0 {
			continue
		}
		at := stay{request.Session, leads[c.pathOf(request)]}
		if !failed(request) {
			at.upstream = c.ledger.Upstream(request.Node)
		}
		node, known := has[at]
		if at.upstream == 0 || !known && failed(request) {
			continue
		}
		v := visit{row: row{recording.RequestsFile, place}, session: request.Session}
		_, died := c.ledger.Died(node, request.Sent, request.Sent+request.Latency)
		v.served = !died
		switch {
		case !failed(request):
			if known && request.Node != node {
				moves = append(moves, v)
			}
			has[at] = request.Node
		case !v.served && !c.withoutNode(request):
			held = append(held, v)
		}
	}
	return moves, held
}

// pathOf is the path that a request was for, without its number; empty in a recording from before
// there were several.
func (c *brief) pathOf(request recording.Request) string {
	if len(c.Manifest.Way.Paths) == 0 {
		return ""
	}
	path, _, _ := strings.Cut(c.Manifest.Way.Path(request.Seq), "?")
	return path
}

// leads are the upstreams to which paths lead, as those requests of sessions show that were served.
func (c *brief) leads() map[string]int {
	leads := map[string]int{}
	for _, request := range c.Requests {
		if upstream := c.ledger.Upstream(request.Node); request.Session != 0 && upstream != 0 && !failed(request) {
			leads[c.pathOf(request)] = upstream
		}
	}
	return leads
}

// sessions is how many different ones there are among visits.
func sessions(of []visit) int {
	set := map[uint64]bool{}
	for _, v := range of {
		set[v.session] = true
	}
	return len(set)
}

// needless are the moves of sessions whose node served.
func needless(moves []visit) []visit {
	var some []visit
	for _, v := range moves {
		if v.served {
			some = append(some, v)
		}
	}
	return some
}

func (c *brief) countSessions(v *Verdict) {
	moves, _ := c.visits()
	v.SessionsMoved = sessions(needless(moves))
}

// movedSessions: who kept something on the node has lost it, unless all nodes share it.
func (c *brief) movedSessions(*Verdict) []Finding {
	moves, _ := c.visits()
	if len(moves) == 0 {
		return nil
	}
	why, rows := "because their node did not serve", moves
	if some := needless(moves); len(some) > 0 {
		why, rows = fmt.Sprintf("%s while their node served", count(len(some), "time", "times")), some
	}
	return []Finding{{
		Code: MovedSessions, Text: fmt.Sprintf("%s moved to another node, %s: what it kept for them was lost, unless the nodes share it",
			count(sessions(moves), "session was", "sessions were"), why),
		Evidence: c.quoteVisits(rows),
	}}
}

// lostSessions: the proxy holds sessions to their node, also while that does not serve.
func (c *brief) lostSessions(*Verdict) []Finding {
	_, held := c.visits()
	if len(held) == 0 {
		return nil
	}
	return []Finding{{
		Code: LostSessions, Text: fmt.Sprintf("%s of %s failed while their node did not serve and others did",
			requests(len(held)), count(sessions(held), "session", "sessions")),
		Evidence: c.quoteVisits(held),
	}}
}

func (c *brief) quoteVisits(of []visit) []string {
	var rows []row
	for _, v := range of {
		rows = append(rows, v.row)
	}
	return c.quote(rows...)
}
