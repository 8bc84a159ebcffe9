package judge_test

import (
	"testing"

	"github.com/proxychaos/proxychaos/harness/judge"
)

// A budget of connections is about those before the first fault, and the finding says
// which URLs they were opened for.
func TestConnectionsOverTheBudget(t *testing.T) {
	w := follower()
	w.Attempts, w.Connections = nil, nil
	kept := w.open(-1, old1)
	for i, r := range w.Requests {
		conn, path := kept, "/app/users/1234"
		if i%4 == 0 {
			conn, path = w.open(r.Due, old1), "/t"
		}
		conn.Node = r.Node
		w.Connections[len(w.Connections)-1].Node = r.Node
		w.attempt(r.Due, conn, r.Seq, 200)
		a := &w.Attempts[len(w.Attempts)-1]
		a.Path, a.Number = path, 2
		if conn.Conn != kept.Conn {
			a.Number = 1
		}
	}
	w.Manifest.Plan.Budget.Connections = 0.3
	if v := w.judge(); v.Result != judge.Pass {
		t.Errorf("got %s: %v", v.Result, v.Reasons)
	}
	w.Manifest.Plan.Budget.Connections = 0.1
	v := w.judge()
	wantResult(t, v, judge.Fail, "0.25 connections for each request before the first fault, budget 0.10; 0 of 1,000 requests failed")
	wantText(t, v, judge.OpensConnections, "63 connections were opened for 251 requests before the fault: 1.00 for each of /t, 0.00 for each of /app/users/1234")
}
