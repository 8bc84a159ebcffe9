package judge_test

import (
	"strings"
	"testing"

	"github.com/proxychaos/proxychaos/harness/judge"
	"github.com/proxychaos/proxychaos/harness/recording"
	model "github.com/proxychaos/proxychaos/harness/world"
)

// Timelines that no scenario of the catalogue has.

// A budget allows failures after a loss. It allows none between a move of the name,
// which takes nothing away, and the first loss.
func TestABudgetAllowsNothingBeforeTheFirstLoss(t *testing.T) {
	w := rotate()
	w.Manifest.Plan.Budget.RecoverWithin = 2
	w.query(5.5, fresh1)
	w.serve(0, 5.5, w.open(-1, old1))
	w.fail(5.5, 6.5, recording.BadGateway)
	w.serve(6.5, 20, w.open(6.5, fresh1))
	v := w.judge()
	wantResult(t, v, judge.Fail, `50 of 1,000 requests failed (50 502); 50 requests before "old nodes go silent", which is the first fault that takes something away`)
}

// A request that was under way when the first loss came is allowed to fail.
func TestABudgetAllowsWhatTheFirstLossMet(t *testing.T) {
	w := rotate()
	w.Manifest.Plan.Budget.RecoverWithin = 2
	w.query(5.5, fresh1)
	conn := w.open(-1, old1)
	w.serve(0, 7.9, conn)
	w.stall(7.9, 8.1, conn)
	w.serve(8.1, 20, w.open(8.1, fresh1))
	if v := w.judge(); v.Result != judge.Pass {
		t.Errorf("got %s: %q, want a pass", v.Result, v.Reasons)
	}
}

// outageLater moves the name at 5 s. DNS fails from 10 to 12 s.
func outageLater() *world {
	w := follower()
	w.Manifest.Plan.Steps = planned(after(5, moves), after(5, "DNS fails: servfail"), after(2, "DNS answers again"))
	w.Steps = []recording.Step{
		step(1, moves, 5.002, left()),
		step(2, "DNS fails: servfail", 10, []model.Effect{{Resolves: no, How: "servfail"}}),
		step(3, "DNS answers again", 12, []model.Effect{{Resolves: yes}}),
	}
	return w
}

// failAt makes the request fail that is due at a time.
func (w *world) failAt(at seconds) {
	w.Requests[int(at*rate+0.5)].Outcome = recording.BadGateway
}

func TestTheFirstFailureIsCountedFromTheOutage(t *testing.T) {
	w := outageLater()
	w.failAt(6)
	w.failAt(10.5)
	wantText(t, w.judge(), judge.DNSOutage, "2 DNS queries while DNS failed; the first request to fail was sent 0.5 s after it began")
}

func TestAFailureBeforeTheOutageIsNotOfIt(t *testing.T) {
	w := outageLater()
	w.failAt(6)
	wantText(t, w.judge(), judge.DNSOutage, "2 DNS queries while DNS failed, and no request failed: it kept using the addresses that it had")
}

// One node leaves at 5 s and is used for 6.9 s more, the other leaves at 14 s and is
// used for 0.1 s.
func TestTheLongestStayCounts(t *testing.T) {
	w := rotate()
	w.Manifest.Plan.Steps = planned(after(5, "name has nodes 2 and 3"), after(9, "name has node 3"))
	w.Steps = []recording.Step{
		step(1, "name has nodes 2 and 3", 5, []model.Effect{{Node: old1, Named: no}, {Node: fresh1, Named: yes}}),
		step(2, "name has node 3", 14, []model.Effect{{Node: old2, Named: no}}),
	}
	w.Manifest.Plan.Refresh = 10
	w.serve(0, 11.92, w.open(-1, old1))
	w.serve(11.92, 14.12, w.open(-1, old2))
	w.serve(14.12, 20, w.open(14, fresh1))
	v := w.judge()
	near(t, "last stale", *v.LastStale, 6.902)
	wantText(t, v, judge.FollowedDNS, "backend.example.com: left the old nodes 6.9 s after the name moved")
}

// switching: the name moves to the spare node at 3 s, back at 8 s, and to the spare one
// again at 13 s. No node is struck.
func switching() *world {
	w := rotate()
	back := []model.Effect{{Node: old1, Named: yes}, {Node: old2, Named: yes}, {Node: fresh1, Named: no}}
	w.Manifest.Plan.Steps = planned(after(3, moves), after(5, "name has old nodes"), after(5, moves))
	w.Steps = []recording.Step{step(1, moves, 3, left()), step(2, "name has old nodes", 8, back), step(3, moves, 13, left())}
	return w
}

// It followed the first two moves and never asked again: no process of it knew of the
// third, and its connections are from after an answer.
func TestAnAnswerIsNotFreshForALaterMove(t *testing.T) {
	w := switching()
	w.query(3.5, fresh1)
	w.query(8.5, old1, old2)
	w.serve(0, 3.6, w.open(-1, old1))
	w.serve(3.6, 8.6, w.open(3.6, fresh1))
	conn := w.open(8.6, old1)
	w.serve(8.6, 20, conn)
	w.syn(16, old2)
	v := w.judge()
	for _, f := range v.Findings {
		if strings.Contains(f.Text, "not by every process") || f.Code == judge.PooledOld {
			t.Errorf("got %s %q, but DNS was not asked after the last move", f.Code, f.Text)
		}
	}
	f, ok := finding(v, judge.ResolvedOnce)
	if want := "backend.example.com: stopped asking: 0 DNS queries after the name moved at t=13.000 s, 2 between t=0 and then; "; !ok || !strings.HasPrefix(f.Text, want) {
		t.Errorf("got finding %q, want %q...", f.Text, want)
	}
}

// Its pool kept a node that left for the second time: the figures are of that time.
func TestAPoolThatKeptANodeThatCameBack(t *testing.T) {
	w := switching()
	w.query(3.5, fresh1)
	w.query(8.5, old1, old2)
	w.query(13.5, fresh1)
	w.serve(0, 3.6, w.open(-1, old1))
	w.serve(3.6, 8.6, w.open(3.6, fresh1))
	w.serve(8.6, 20, w.open(8.6, old1))
	f, _ := finding(w.judge(), judge.PooledOld)
	want := "backend.example.com: resolved again, but pooled connections kept the old address: 1 DNS query after the name moved, the first answer with the fresh nodes 0.5 s after it; 250 requests on 1 connection opened before it, the last 7.0 s after it"
	if f.Text != want {
		t.Errorf("got %q, want %q", f.Text, want)
	}
}

// DNS fails as the name moves: a query that failed told the proxy nothing.
func TestHealedAfterAnOutageOfDNS(t *testing.T) {
	w := rotate()
	w.Manifest.Plan.Steps = planned(after(4, "DNS fails: servfail"), after(1, moves), after(3, silent), after(2, "DNS answers again"))
	w.Steps = []recording.Step{
		step(1, "DNS fails: servfail", 4, []model.Effect{{Resolves: no, How: "servfail"}}),
		step(2, moves, 5, left()),
		step(3, silent, 8, struck("silence")),
		step(4, "DNS answers again", 10, []model.Effect{{Resolves: yes}}),
	}
	w.query(5.2)
	w.query(10.5, fresh1)
	conn := w.open(-1, old1)
	w.serve(0, 8, conn)
	w.stall(8, 10.5, conn)
	w.serve(10.5, 20, w.open(10.5, fresh1))
	wantText(t, w.judge(), judge.HealedItself, `healed by itself 2.5 s after "old nodes go silent": DNS gave it the new nodes 5.5 s after the name moved`)
}

// DNS fails from 5 to 10 s, and the name moves at 6 s: a proxy that goes on with the old node
// until 11 s cannot have known better, one that goes on after it could.
func TestNothingIsStaleWhileDNSDoesNotTell(t *testing.T) {
	kept := func(until seconds) judge.Verdict {
		w := rotate()
		w.Manifest.Plan.Steps = planned(after(5, "DNS fails: servfail"), after(1, moves), after(4, "DNS answers again"), after(5, silent))
		w.Steps = []recording.Step{
			step(1, "DNS fails: servfail", 5, []model.Effect{{Resolves: no, How: "servfail"}}),
			step(2, moves, 6, left()),
			step(3, "DNS answers again", 10, []model.Effect{{Resolves: yes}}),
			step(4, silent, 15, struck("silence")),
		}
		w.query(10.5, fresh1)
		w.serve(0, until, w.open(-1, old1))
		w.serve(until, 20, w.open(until-0.01, fresh1))
		return w.judge()
	}
	v := kept(11)
	wantResult(t, v, judge.Pass, "0 of 1,000 requests failed")
	wantText(t, v, judge.FollowedDNS, "backend.example.com: left the old nodes 5.0 s after the name moved")
	if v := kept(14); v.Stale != 100 {
		t.Errorf("got %d stale requests, want those of the last 2 s", v.Stale)
	}
}

// Both nodes refuse from 5 to 8 s. The proxy answers at once and asks nobody, before they are
// back and for 2 s after it.
func TestHeldDownAfterwards(t *testing.T) {
	down := func(until seconds) judge.Verdict {
		w := rotate()
		w.Manifest.Plan.Budget.RecoverWithin = 2
		w.Manifest.Plan.Steps = planned(after(5, "all nodes refuse"), after(3, "the nodes are back"))
		w.Steps = []recording.Step{
			step(1, "all nodes refuse", 5, struck("refuse")),
			step(2, "the nodes are back", 8, []model.Effect{{Node: old1, Serves: yes}, {Node: old2, Serves: yes}}),
		}
		w.serve(0, 5, w.open(-1, old1))
		w.fail(5, until, recording.BadGateway)
		for i := range w.Requests {
			if w.Requests[i].Outcome == recording.BadGateway {
				w.Requests[i].Code = 502
			}
		}
		w.serve(until, 20, w.open(until-0.01, old1))
		return w.judge()
	}
	v := down(10)
	wantText(t, v, judge.HeldDown, "after everything was back, the proxy itself still answered 100 requests at once with an error and sent them to no node, the last 2.0 s later: it had no address, or considered every one down")
	if v.Result != judge.Fail {
		t.Errorf("got %s: %q, want a fail", v.Result, v.Reasons)
	}
	if f, ok := finding(down(8), judge.HeldDown); ok {
		t.Errorf("got %q, though no request failed after the nodes were back", f.Text)
	}
}
