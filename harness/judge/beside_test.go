package judge_test

import (
	"net/netip"
	"testing"

	"github.com/proxychaos/proxychaos/harness/judge"
	model "github.com/proxychaos/proxychaos/harness/world"
)

// What an application beside the proxy answers is good, is told, and is about no upstream.
func TestRequestsThatAnApplicationAnswered(t *testing.T) {
	plain := follower().judge()
	w := follower()
	app := w.open(-1, netip.MustParseAddr("198.18.1.5"))
	for i, a := range w.Attempts {
		if a.At >= 9 && a.At < 10 {
			w.Attempts[i].LB, w.Attempts[i].Node, w.Attempts[i].Conn = model.Beside, app.Node, app.Conn
			w.Requests[a.Seq-1].Node = app.Node
		}
	}
	v := w.judge()
	wantResult(t, v, judge.Pass, "0 of 1,000 requests failed", "50 of 1,000 requests were answered by an application beside the proxy, which no fault strikes")
	if v.ConnectionsPerRequest != plain.ConnectionsPerRequest || v.Retries != 0 || len(v.Findings) != len(plain.Findings) {
		t.Errorf("got %+v, want what the other requests show: %+v", v, plain)
	}
}
