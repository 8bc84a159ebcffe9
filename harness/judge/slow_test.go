package judge_test

import (
	"testing"

	"github.com/proxychaos/proxychaos/harness/judge"
	"github.com/proxychaos/proxychaos/harness/recording"
	model "github.com/proxychaos/proxychaos/harness/world"
)

// lateNode is a node that answers late from 5 s on, in a run that allows 1 s.
func lateNode() *world {
	w := rotate()
	w.Manifest.World = topology(3, 0)
	w.Manifest.Plan.Budget.Within = 1
	w.Manifest.Plan.Steps = planned(after(5, "node 1 answers late"))
	w.Steps = []recording.Step{step(1, "node 1 answers late", 5.002, []model.Effect{{Node: old1, Serves: yes, How: "slow-response"}})}
	w.serve(0, 20, w.open(-1, old1))
	return w
}

func TestAnswersThatTakeTooLong(t *testing.T) {
	w := lateNode()
	wantResult(t, w.judge(), judge.Pass, "0 of 1,000 requests failed")
	w.Requests[100].Latency = 2 // before the fault
	for i := 300; i < 310; i++ {
		w.Requests[i].Latency = 2
	}
	w.Requests[320].Latency = 1 // in time
	v := w.judge()
	wantResult(t, v, judge.Fail, "10 requests were answered later than after 1.0 s; 0 of 1,000 requests failed")
	wantText(t, v, judge.SlowAnswers, "10 requests took longer than 1.0 s, the longest 2.0 s: no status shows it")
	w.Manifest.Plan.Budget.Within = 0
	wantResult(t, w.judge(), judge.Pass, "0 of 1,000 requests failed")
}

// Who gives a slow node up has a cause too.
func TestRequestsThatASlowNodeCost(t *testing.T) {
	w := lateNode()
	w.Requests[300].Outcome, w.Requests[300].Code, w.Attempts[300].Status = recording.GatewayTimeout, 504, 0
	v := w.judge()
	wantResult(t, v, judge.Fail, "1 of 1,000 requests failed (1 504), budget 0")
	wantText(t, v, judge.SlowAnswers, "1 request failed that had been sent to nodes which answer late")
}

// Without a budget of time it is the other way round: who takes long is to be waited for.
func TestRequestsThatAreCutShort(t *testing.T) {
	w := lateNode()
	w.Manifest.Plan.Budget.Within = 0
	for i := 300; i < 303; i++ {
		w.Requests[i].Outcome, w.Requests[i].Code, w.Requests[i].Latency, w.Attempts[i].Status = recording.GatewayTimeout, 504, 5, 0
	}
	v := w.judge()
	wantResult(t, v, judge.Fail, "3 of 1,000 requests failed (3 504), budget 0")
	wantText(t, v, judge.CutShort, "3 requests failed while a node was at work on them or had begun its answer, after 5.0 s (the median)")
	if _, slow := finding(v, judge.SlowAnswers); slow {
		t.Error("got a finding about answers that took too long, want none without a budget of time")
	}
}
