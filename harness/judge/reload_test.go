package judge_test

import (
	"net/netip"
	"testing"

	"github.com/proxychaos/proxychaos/harness/judge"
	"github.com/proxychaos/proxychaos/harness/recording"
	model "github.com/proxychaos/proxychaos/harness/world"
)

// reloaded is a proxy that was told at 10 s to reload its configuration, before nodes that
// answer 4 s late.
func reloaded() *world {
	const late, reloads = "node 1 answers late", "the proxy reloads its configuration"
	w := rotate()
	w.Manifest.World = topology(3, 0)
	w.Manifest.Plan.Steps = planned(after(5, late), after(5, reloads))
	w.Steps = []recording.Step{
		step(1, late, 5.002, []model.Effect{{Node: old1, Serves: yes, How: "slow-response"}}),
		step(2, reloads, 10.002, []model.Effect{{Reloaded: true}}),
	}
	w.serve(0, 20, w.open(-1, old1))
	return w
}

// cut has a request end without an answer so long after it was sent.
func (w *world) cut(i int, latency seconds) {
	w.Requests[i].Outcome, w.Requests[i].Code, w.Requests[i].Node, w.Requests[i].Latency = recording.Connection, 0, netip.Addr{}, latency
	w.Attempts[i].Status = 0
}

// What the old processes did not end, the reload cost; what was given up before it or came
// later, it did not.
func TestRequestsThatAReloadCuts(t *testing.T) {
	w := reloaded()
	wantResult(t, w.judge(), judge.Pass, "0 of 1,000 requests failed")
	w.cut(450, 2.0) // sent at 9 s
	w.cut(460, 1.8)
	w.cut(520, 0.6) // by the old process, after the signal
	v := w.judge()
	wantResult(t, v, judge.Fail, "3 of 1,000 requests failed (3 connection), budget 0")
	wantText(t, v, judge.CutByReload, "3 requests failed that the proxy was working on when it was told to reload its configuration, 1.0 s after that (the median)")
	if _, short := finding(v, judge.CutShort); short {
		t.Error("got a finding about requests that were cut short too, want the reload alone")
	}
	w.cut(300, 1) // long before
	w.cut(700, 1) // long after
	v = w.judge()
	wantText(t, v, judge.CutByReload, "3 requests failed that the proxy was working on when it was told to reload its configuration, 1.0 s after that (the median)")
	wantText(t, v, judge.CutShort, "2 requests failed while a node was at work on them or had begun its answer, after 1.0 s (the median)")
}

// What the proxy gives up with its own timeout is not the reload's, also if that fell in between.
func TestATimeoutDuringAReload(t *testing.T) {
	w := reloaded()
	for _, i := range []int{300, 450, 460, 700} {
		w.cut(i, 2)
		w.Requests[i].Outcome, w.Requests[i].Code = recording.GatewayTimeout, 504
	}
	v := w.judge()
	wantText(t, v, judge.CutShort, "4 requests failed while a node was at work on them or had begun its answer, after 2.0 s (the median)")
	if _, found := finding(v, judge.CutByReload); found {
		t.Error("got a finding about the reload, want the proxy's timeout alone")
	}
}
