package judge_test

import (
	"testing"

	"github.com/proxychaos/proxychaos/harness/judge"
	"github.com/proxychaos/proxychaos/harness/recording"
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
