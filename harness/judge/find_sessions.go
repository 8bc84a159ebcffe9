package judge

import (
	"fmt"
	"net/netip"

	"github.com/proxychaos/proxychaos/harness/recording"
)

// visit is a request of a session that had a node before.
type visit struct {
	row     row
	session uint64
	served  bool // the node that it had served until the answer came
}

// visits are the moves of sessions to other nodes, and the failures of those whose node did
// not serve while another did, in the order in which the requests were sent.
func (c *brief) visits() (moves, held []visit) {
	has := map[uint64]netip.Addr{}
	for _, place := range c.order {
		request := c.Requests[place]
		node, known := has[request.Session]
		if request.Session == 0 || !known && failed(request) {
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
			has[request.Session] = request.Node
		case !v.served && !c.withoutNode(request):
			held = append(held, v)
		}
	}
	return moves, held
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
