package judge_test

import (
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
	wantText(t, w.judge(), judge.DNSOutage, "2 DNS queries while DNS failed, and no request did: it went on with the addresses it had")
}
