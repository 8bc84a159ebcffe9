package judge_test

import (
	"net/netip"
	"testing"

	"github.com/proxychaos/proxychaos/harness/judge"
	"github.com/proxychaos/proxychaos/harness/recording"
	model "github.com/proxychaos/proxychaos/harness/world"
)

// sticky is a run in which the first node refuses from 8 to 13 s. The sessions 1 and 2 take
// turns. Their requests come to what node says, at their times; none is a 503 at once.
func sticky(node func(session uint64, at seconds) netip.Addr) *world {
	w := rotate()
	w.Manifest.Plan.Budget = recording.Budget{RecoverWithin: 2, Sessions: true}
	w.Manifest.Plan.Steps = planned(after(8, "node 1 refuses"), after(5, "the nodes are back"))
	w.Steps = []recording.Step{
		step(1, "node 1 refuses", 8, []model.Effect{{Node: old1, Serves: no, How: "refuse"}}),
		step(2, "the nodes are back", 13, []model.Effect{{Node: old1, Serves: yes}}),
	}
	conns := map[netip.Addr]recording.Conn{old1: w.open(-1, old1), old2: w.open(-1, old2)}
	for i := range 20 * rate {
		at, session := seconds(i)*gap, uint64(1+i%2)
		if to := node(session, at); to.IsValid() {
			w.serve(at, at+gap, conns[to])
		} else {
			w.fail(at, at+gap, recording.Unavailable)
			w.Requests[i].Code = 503
		}
		w.Requests[i].Session = session
	}
	return w
}

func TestSessionsThatMoveWithNeed(t *testing.T) {
	v := sticky(func(session uint64, at seconds) netip.Addr {
		if session == 1 && at < 8 {
			return old1
		}
		return old2
	}).judge()
	wantResult(t, v, judge.Pass, "0 of 1,000 requests failed")
	wantText(t, v, judge.MovedSessions, "1 session was moved to another node, because their node did not serve: what it kept for them was lost, unless the nodes share it")
	if _, lost := finding(v, judge.LostSessions); lost || v.SessionsMoved != 0 {
		t.Errorf("got %d needless moves, %t lost, want none", v.SessionsMoved, lost)
	}
}

// The second session changes its node once while that serves: no status shows it.
func TestSessionsThatMoveWithoutNeed(t *testing.T) {
	v := sticky(func(session uint64, at seconds) netip.Addr {
		if session == 2 && at < 4 || session == 1 && at < 8 {
			return old1
		}
		return old2
	}).judge()
	wantResult(t, v, judge.Fail, "1 session was moved while their nodes served; 0 of 1,000 requests failed")
	wantText(t, v, judge.MovedSessions, "2 sessions were moved to another node, 1 time while their node served: what it kept for them was lost, unless the nodes share it")
}

func TestSessionsThatAreHeldToADeadNode(t *testing.T) {
	v := sticky(func(session uint64, at seconds) netip.Addr {
		switch {
		case session == 2:
			return old2
		case at >= 8 && at < 13:
			return netip.Addr{}
		}
		return old1
	}).judge()
	if v.Result != judge.Fail {
		t.Errorf("got %s: %q, want a fail", v.Result, v.Reasons)
	}
	wantText(t, v, judge.LostSessions, "125 requests of 1 session failed while their node did not serve and others did")
	if _, moved := finding(v, judge.MovedSessions); moved {
		t.Error("no session was moved")
	}
}

// Clients that keep no cookies have no sessions that could be moved.
func TestNoSessions(t *testing.T) {
	w := sticky(func(_ uint64, at seconds) netip.Addr {
		if int(at*rate)%3 == 0 && at < 8 {
			return old1
		}
		return old2
	})
	for i := range w.Requests {
		w.Requests[i].Session = 0
	}
	if v := w.judge(); v.SessionsMoved != 0 || v.Result != judge.Pass {
		t.Errorf("got %s, %d moves: %q", v.Result, v.SessionsMoved, v.Reasons)
	}
}

// Two names of one config have nodes of their own, and a session has one of each.
func TestSessionsOfTwoNames(t *testing.T) {
	w := sticky(func(session uint64, at seconds) netip.Addr {
		if session == 1 && at >= 8 && at < 9 {
			return netip.Addr{}
		}
		return old2
	})
	w.Manifest.World.Nodes = append(w.Manifest.World.Nodes, model.Node{Addr: login1, Upstream: 2, Balancer: "backend", Number: 1})
	w.Manifest.Way.Paths, w.Manifest.Way.Bare = []string{"/", "/login"}, true
	for i := range w.Requests {
		if r := &w.Requests[i]; w.Manifest.Way.Path(r.Seq) == "/login" {
			r.Node, r.Outcome = login1, recording.OK
		}
	}
	v := w.judge()
	if v.SessionsMoved != 0 {
		t.Errorf("got %d sessions moved, want none: %q", v.SessionsMoved, v.Reasons)
	}
	for _, code := range []string{judge.MovedSessions, judge.LostSessions} {
		if f, found := finding(v, code); found {
			t.Errorf("got %+v, though each session stayed where it was", f)
		}
	}
}

// The first finding of a run that failed is its cause: not that a fault met nothing.
func TestTheFirstFindingIsACause(t *testing.T) {
	v := sticky(func(session uint64, at seconds) netip.Addr {
		if session == 1 && at < 8 || session == 2 && at < 4 {
			return old1
		}
		return old2
	}).judge()
	if _, struck := finding(v, judge.StruckNodes); !struck || v.Result != judge.Fail || v.Findings[0].Code != judge.MovedSessions {
		t.Errorf("got %s, first %+v", v.Result, v.Findings[0])
	}
}
