package judge_test

import (
	"net/netip"
	"testing"

	"github.com/proxychaos/proxychaos/harness/judge"
	"github.com/proxychaos/proxychaos/harness/recording"
	model "github.com/proxychaos/proxychaos/harness/world"
)

// killedProxy is a run behind a load balancer in front in which one of the proxies is killed at
// 10 s, and requests take the application long.
func killedProxy() *world {
	const late, killed = "node 1 answers late", "proxy 2 is killed"
	w := behindALB()
	w.Manifest.World.Front.Proxies = 2
	w.Manifest.Proxies = []netip.AddrPort{netip.MustParseAddrPort("198.18.1.5:80"), netip.MustParseAddrPort("198.18.1.2:80")}
	w.Manifest.Plan.Quiet = recording.Quiet{}
	w.Manifest.Plan.Steps = planned(after(5, late), after(5, killed))
	w.Steps = []recording.Step{
		step(1, late, 5.002, []model.Effect{{Node: old1, Serves: yes, How: "slow-response"}}),
		step(2, killed, 10.002, []model.Effect{{Proxy: 2, Runs: no}}),
	}
	w.pass(0, 20, w.open(-1, old1))
	w.ended(0, 1)
	return w
}

// lost has the load balancer in front answer a request by itself, so long after it was sent.
func (w *world) lost(i int, latency seconds) {
	w.Requests[i].Outcome, w.Requests[i].Code, w.Requests[i].Latency = recording.BadGateway, 502, latency
	for n := range w.Attempts {
		a := &w.Attempts[n]
		if a.Seq != w.Requests[i].Seq {
			continue
		}
		if a.Status = 0; a.Node == edge {
			a.Status, a.TargetStatus = 502, 0
		}
	}
}

func TestRequestsThatEndWithTheirProxy(t *testing.T) {
	w := killedProxy()
	wantResult(t, w.judge(), judge.Pass, "0 of 1,000 requests failed")
	w.lost(450, 1.1) // sent at 9 s
	w.lost(460, 0.9)
	v := w.judge()
	wantResult(t, v, judge.Fail, "2 of 1,000 requests failed (2 502), 2 of them answered by the load balancer in front, budget 0")
	wantText(t, v, judge.StoppedInHand, `2 requests were under way at a proxy as it ended, and got an error of the load balancer in front: "proxy 2 is killed" at t=10.0 s`)
	for _, code := range []string{judge.CutShort, judge.AnsweredByFront} {
		if _, found := finding(v, code); found {
			t.Errorf("got the finding %s too, want the end of the proxy alone", code)
		}
	}
	w.lost(700, 1) // long after
	if _, found := finding(w.judge(), judge.AnsweredByFront); !found {
		t.Error("got no finding about what the load balancer answered later")
	}
}

// What was under way at another proxy is none of the one's that was ended, nor is what came later.
func TestRequestsThatEndWithAnotherProxy(t *testing.T) {
	w := killedProxy()
	w.lost(450, 1.1)
	w.lost(460, 0.9)
	w.lost(600, 0.1) // sent at 12 s
	for i := range w.Attempts {
		if a := &w.Attempts[i]; a.Node == edge && a.Seq == w.Requests[450].Seq {
			a.Target = "198.18.1.5:80"
		}
	}
	v := w.judge()
	wantText(t, v, judge.StoppedInHand, `1 request was under way at a proxy as it ended, and got an error of the load balancer in front: "proxy 2 is killed" at t=10.0 s`)
	wantText(t, v, judge.AnsweredByFront, `the load balancer in front answered 2 requests by itself (2 502): the proxy gave it no answer, to 1 of them because it had been ended: "proxy 2 is killed"`)
	w.Manifest.Proxies = nil // as older builds wrote it
	if f, _ := finding(w.judge(), judge.StoppedInHand); len(f.Evidence) != 2 {
		t.Errorf("got %q, want both requests that were under way then", f.Evidence)
	}
}
