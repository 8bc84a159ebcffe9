package judge_test

import (
	"net/netip"
	"testing"

	"github.com/proxychaos/proxychaos/harness/judge"
	"github.com/proxychaos/proxychaos/harness/recording"
	model "github.com/proxychaos/proxychaos/harness/world"
)

// behindNLB is behindALB with a load balancer that passes connections on, and sees no requests.
func behindNLB() *world {
	const forgets = "the NLB in front forgets connections that lie idle for 60 s"
	w := behindALB()
	w.Manifest.World.Front.Network = true
	w.Manifest.Plan.Steps = planned(after(5, forgets))
	w.Steps = []recording.Step{step(1, forgets, 5.002, []model.Effect{{Node: edge, Serves: no, Partly: true, How: "forget-idle"}})}
	conn := w.open(-1, old1)
	w.serve(0, 6, conn)
	w.serve(12, 20, conn)
	return w
}

// idle adds a connection of a client that ended in this way.
func (w *world) idle(how string) {
	w.open(5.5, edge)
	closed := seconds(12)
	conn := &w.Connections[len(w.Connections)-1]
	conn.Closed, conn.How = &closed, how
}

func TestForgottenConnections(t *testing.T) {
	w := behindNLB()
	w.idle("node: idle-timeout")
	w.idle("node: idle-timeout")
	wantResult(t, w.judge(), judge.Pass, "0 of 700 requests failed")
	for _, i := range []int{300, 302} {
		w.Requests[i].Outcome, w.Requests[i].Code, w.Requests[i].Node = recording.Connection, 0, netip.Addr{}
		w.Attempts[i].Seq = 0 // what came on it reached no node
	}
	v := w.judge()
	wantResult(t, v, judge.Fail, "2 of 700 requests failed (2 connection), budget 0")
	wantText(t, v, judge.FlowForgotten, "the load balancer in front had forgotten 2 connections that lay idle and that the proxy had not closed: 2 requests that came on them were reset, and reached no node")

	for i, outcome := range map[int]string{100: recording.Connection, 310: recording.Timeout} { // before there was any to forget; no reset
		w.Requests[i].Outcome, w.Requests[i].Code, w.Requests[i].Node = outcome, 0, netip.Addr{}
		w.Attempts[i].Seq = 0
	}
	wantText(t, w.judge(), judge.FlowForgotten, "the load balancer in front had forgotten 2 connections that lay idle and that the proxy had not closed: 2 requests that came on them were reset, and reached no node")

	for i := range w.Connections {
		if w.Connections[i].How != "" {
			w.Connections[i].How = "peer: fin"
		}
	}
	if _, found := finding(w.judge(), judge.FlowForgotten); found {
		t.Error("got the finding, want none if no connection was forgotten")
	}
}
