package judge_test

import (
	"net/netip"
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

// The name moves at 5 s, and DNS fails from 5.5 to 12 s: a proxy that looks once a second may
// have looked just before the move, and just before the failure not yet again.
func TestNothingIsStaleIfDNSFailsSoonAfterTheMove(t *testing.T) {
	w := rotate()
	w.Manifest.Plan.Steps = planned(after(5, moves), after(0.5, "DNS fails: servfail"), after(6.5, "DNS answers again"), after(5, silent))
	w.Steps = []recording.Step{
		step(1, moves, 5, left()),
		step(2, "DNS fails: servfail", 5.5, []model.Effect{{Resolves: no, How: "servfail"}}),
		step(3, "DNS answers again", 12, []model.Effect{{Resolves: yes}}),
		step(4, silent, 17, struck("silence")),
	}
	w.query(4.9, old1, old2)
	w.query(12.5, fresh1)
	w.serve(0, 13, w.open(-1, old1))
	w.serve(13, 20, w.open(12.9, fresh1))
	v := w.judge()
	wantResult(t, v, judge.Pass, "0 of 1,000 requests failed")
	if v.Stale != 0 {
		t.Errorf("got %d stale requests, want none: nobody could tell the proxy", v.Stale)
	}
	if f, found := finding(v, judge.PooledOld); found {
		t.Errorf("got %q", f.Text)
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

// What failed long after DNS had answered again, since the nodes went silent, is not the outage's.
func TestAFailureLongAfterTheOutageIsNotOfIt(t *testing.T) {
	w := outageLater()
	w.failAt(17)
	wantText(t, w.judge(), judge.DNSOutage, "2 DNS queries while DNS failed, and no request failed: it kept using the addresses that it had")
	w.failAt(13.5) // it need not know yet
	wantText(t, w.judge(), judge.DNSOutage, "2 DNS queries while DNS failed; the first request to fail was sent 3.5 s after it began")
}

// A node is struck at 5 s, is back at 8 s, and is struck in another way at 15 s: what goes to it
// then does so that long after the second fault.
func TestWhatGoesToANodeThatIsStruckAgain(t *testing.T) {
	w := rotate()
	w.Manifest.World = topology(3, 0)
	w.Manifest.Plan.Steps = planned(after(5, "node 1 refuses"), after(3, "the nodes are back"), after(7, "node 1 goes silent"))
	w.Steps = []recording.Step{
		step(1, "node 1 refuses", 5, []model.Effect{{Node: old1, Serves: no, How: "refuse"}}),
		step(2, "the nodes are back", 8, []model.Effect{{Node: old1, Serves: yes}}),
		step(3, "node 1 goes silent", 15, []model.Effect{{Node: old1, Serves: no, How: "silence"}}),
	}
	w.serve(0, 5, w.open(-1, old1))
	w.serve(5, 20, w.open(-1, old2))
	w.syn(15.5, old1)
	wantText(t, w.judge(), judge.StruckNodes, `backend.example.com: after "node 1 goes silent", 1 connection attempt still went to the nodes concerned, the last 0.5 s after it`)
	w.syn(6, old1)
	wantText(t, w.judge(), judge.StruckNodes, "backend.example.com: after each of 2 faults, 2 connection attempts still went to the nodes concerned, the last 1.0 s after it")
}

// A request that was under way as its node died, and that alone, has a cause.
func TestARequestThatIsLostWithItsNode(t *testing.T) {
	w := rotate()
	w.Manifest.World = topology(3, 0)
	w.Manifest.Plan.Steps = planned(after(5, "node 1 goes silent"))
	w.Steps = []recording.Step{step(1, "node 1 goes silent", 5, []model.Effect{{Node: old1, Serves: no, How: "silence"}})}
	conn := w.open(-1, old1)
	w.serve(0, 4.98, conn)
	w.attempt(4.98, conn, w.request(4.98, recording.Timeout, netip.Addr{}), 0)
	w.Attempts[len(w.Attempts)-1].Done = 0
	w.serve(5, 20, w.open(-1, old2))
	v := w.judge()
	wantResult(t, v, judge.Fail, "1 of 1,000 requests failed (1 timeout), budget 0")
	wantText(t, v, judge.LostWithNode, "1 request was under way at a node that died before its answer had left it, and got no answer of another in time")
	if _, found := finding(v, judge.Unexplained); found {
		t.Error("got no cause")
	}
}

// What a node took with it as it died, a reload at the same time did not.
func TestANodeThatDiesDuringAReload(t *testing.T) {
	w := reloaded()
	w.Manifest.Plan.Steps = append(w.Manifest.Plan.Steps, after(0, "node 1 goes silent"))
	w.Steps = append(w.Steps, step(3, "node 1 goes silent", 10.1, []model.Effect{{Node: old1, Serves: no, How: "silence"}}))
	w.cut(450, 2.0) // sent at 9 s
	w.cut(501, 2.0)
	for _, i := range []int{450, 501} {
		w.Attempts[i].Done = 0
	}
	v := w.judge()
	for _, code := range []string{judge.CutByReload, judge.CutShort} {
		if f, found := finding(v, code); found {
			t.Errorf("got %+v, want the node to be the cause", f)
		}
	}
}

// A fault of the proxy alone is about every node that it uses. While it starts, nothing takes a
// connection, and that is the cause.
func TestAProxyThatIsRestartedAndNothingElse(t *testing.T) {
	w := rotate()
	w.Manifest.Plan.Steps = planned(after(5, restarted))
	w.Steps = []recording.Step{step(1, restarted, 5, []model.Effect{{Restarted: true}})}
	w.serve(0, 5, w.open(-1, old1))
	w.fail(5, 7.5, recording.Connection)
	w.serve(7.5, 20, w.open(7.5, old1))
	v := w.judge()
	wantResult(t, v, judge.Fail, "125 of 1,000 requests failed (125 connection), budget 0")
	wantText(t, v, judge.NotStarted, "the proxy accepted no connection for 2.5 s after it was restarted: 125 requests failed")
	if _, found := finding(v, judge.Unexplained); found {
		t.Error("got no cause")
	}
}

// slowAndThenGone is a run with a budget of 2 s in which the application takes 3 s for its answers
// from 5 s on. One of its nodes goes silent at 10 s, the other one at 15 s; the first is back at
// 14 s.
func slowAndThenGone() *world {
	const late, first, back, second = "all nodes answer late", "node 1 goes silent", "the nodes are back", "node 2 goes silent"
	w := rotate()
	w.Manifest.World = topology(3, 0)
	w.Manifest.Plan.Budget.RecoverWithin = 2
	w.Manifest.Plan.Steps = planned(after(5, late), after(5, first), after(4, back), after(1, second))
	w.Steps = []recording.Step{
		step(1, late, 5, []model.Effect{{Node: old1, Serves: yes, How: "slow-response"}, {Node: old2, Serves: yes, How: "slow-response"}}),
		step(2, first, 10, []model.Effect{{Node: old1, Serves: no, How: "silence"}}),
		step(3, back, 14, []model.Effect{{Node: old1, Serves: yes}}),
		step(4, second, 15, []model.Effect{{Node: old2, Serves: no, How: "silence"}}),
	}
	w.serve(0, 10, w.open(-1, old1))
	w.serve(10, 15, w.open(-1, old2))
	w.serve(15, 20, w.open(-1, old1))
	return w
}

// hung has a request get no answer for 4 s.
func (w *world) hung(at seconds) {
	i := int(at*rate + 0.5)
	r := &w.Requests[i]
	r.Outcome, r.Code, r.Node, r.Latency = recording.Timeout, 0, netip.Addr{}, 4
	w.Attempts[i].Status, w.Attempts[i].Done = 0, 0
}

// What was under way at a node for long as a loss took it met that loss.
func TestLongRequestsThatMetALoss(t *testing.T) {
	w := slowAndThenGone()
	w.hung(8)    // it was to be answered at 11 s
	w.hung(13.5) // at 16.5 s
	if v := w.judge(); v.Result != judge.Pass {
		t.Errorf("got %s: %q, want a pass: the nodes took them", v.Result, v.Reasons)
	}
	w.hung(5.5) // its node served to the end of the client's patience
	wantResult(t, w.judge(), judge.Fail, `3 of 1,000 requests failed (3 timeout); 1 request before "node 1 goes silent", which is the first fault that takes something away`)
	w = slowAndThenGone()
	w.hung(12.5)
	w.Attempts[625].Node = old1 // which was silent by then
	wantResult(t, w.judge(), judge.Fail, `1 of 1,000 requests failed (1 timeout); 1 request sent more than 2.0 s after one of 2 faults, the last one 2.5 s after`)
}

// A proxy that waits before it answers with an error, and tries no node, has a cause too.
func TestAProxyThatWaitsForANode(t *testing.T) {
	w := rotate()
	w.Manifest.World = topology(3, 0)
	w.Manifest.Plan.Steps = planned(after(5, "node 1 refuses"))
	w.Steps = []recording.Step{step(1, "node 1 refuses", 5, []model.Effect{{Node: old1, Serves: no, How: "refuse"}})}
	w.serve(0, 5, w.open(-1, old1))
	w.fail(5, 6, recording.Unavailable)
	w.serve(6, 20, w.open(-1, old2))
	for i := 250; i < 300; i++ {
		w.Requests[i].Latency = 1
	}
	v := w.judge()
	wantText(t, v, judge.HeldDown, "the proxy itself answered 50 requests with an error, after 1.0 s (the median), and sent them to no node: it waited for an address, or for a node that it holds to be up")
	if _, found := finding(v, judge.Unexplained); found {
		t.Error("got no cause")
	}
}
