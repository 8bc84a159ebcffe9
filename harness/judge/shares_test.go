package judge_test

import (
	"net/netip"
	"testing"

	"github.com/proxychaos/proxychaos/harness/judge"
	"github.com/proxychaos/proxychaos/harness/recording"
	model "github.com/proxychaos/proxychaos/harness/world"
)

// weighed is a run in which the first node refuses from 8 to 12 s and serves again. It gets three
// of four requests before, and a number of four from 14 s on.
func weighed(later int) *world {
	w := rotate()
	w.Manifest.Plan.Budget = recording.Budget{RecoverWithin: 2, Shares: []float64{0.75, 0.25}}
	w.Manifest.Plan.Steps = planned(after(8, "nodes 1 refuse"), after(4, "the nodes are back"))
	w.Steps = []recording.Step{
		step(1, "nodes 1 refuse", 8, []model.Effect{{Node: old1, Serves: no, How: "refuse"}}),
		step(2, "the nodes are back", 12, []model.Effect{{Node: old1, Serves: yes}}),
	}
	conns := map[netip.Addr]recording.Conn{old1: w.open(-1, old1), old2: w.open(-1, old2)}
	for i := range 20 * rate {
		at, to := seconds(i)*gap, old2
		if at < 8 && i%4 < 3 || at >= 14 && i%4 < later {
			to = old1
		}
		w.serve(at, at+gap, conns[to])
	}
	return w
}

func TestSharesThatComeBack(t *testing.T) {
	v := weighed(3).judge()
	wantResult(t, v, judge.Pass, "0 of 1,000 requests failed")
	if len(v.Shares) != 2 || v.Shares[0].Node != old1 || v.Shares[0].Before != 0.75 || v.Shares[0].After != 0.75 {
		t.Errorf("got %+v, want 0.75 for %s, before and after", v.Shares, old1)
	}
	if _, found := finding(v, judge.UnevenShares); found {
		t.Error("got a finding about shares that are right")
	}
}

func TestSharesThatDoNotComeBack(t *testing.T) {
	const words = "198.18.1.21 0.75 and then 0.00, 198.18.1.22 0.25 and then 1.00"
	v := weighed(0).judge()
	wantResult(t, v, judge.Fail, "shares of the nodes are not as they should be: "+words+"; 0 of 1,000 requests failed")
	f := wantText(t, v, judge.UnevenShares, "shares of the requests before the fault, and later than 2.0 s after all nodes were back: "+words)
	if len(f.Evidence) == 0 {
		t.Error("got no evidence, want requests that show it")
	}
}

// What the weights say is wrong from the start, and stays so.
func TestSharesThatWereNeverRight(t *testing.T) {
	w := weighed(3)
	w.Manifest.Plan.Budget.Shares = []float64{0.5, 0.5}
	if v := w.judge(); v.Result != judge.Fail {
		t.Errorf("got %s: %q, want a fail", v.Result, v.Reasons)
	}
	w.Manifest.Plan.Budget.Shares = []float64{0.72, 0.28} // not off by more than 0.05
	wantResult(t, w.judge(), judge.Pass, "0 of 1,000 requests failed")
	w.Manifest.Plan.Budget.Shares = nil
	if v := w.judge(); v.Shares != nil {
		t.Errorf("got %+v, want none without a budget", v.Shares)
	}
}
