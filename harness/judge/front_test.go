package judge_test

import (
	"net/netip"
	"testing"

	"github.com/proxychaos/proxychaos/harness/judge"
	"github.com/proxychaos/proxychaos/harness/recording"
	model "github.com/proxychaos/proxychaos/harness/world"
)

var edge = netip.MustParseAddr("198.18.1.11")

const seesTooLate = "nodes in front see too late that targets close kept connections"

// behindALB builds a recording of 20 s in which clients call a load balancer in front of the
// proxy. From 5 s on its node learns too late that the proxy has closed a connection, and
// from 6 s to 12 s no client asks for anything.
func behindALB() *world {
	w := rotate()
	w.Manifest.World.Front = &model.Front{Nodes: 1}
	w.Manifest.World.Nodes = append([]model.Node{{Addr: edge, Balancer: model.FrontName, Number: 1}}, w.Manifest.World.Nodes...)
	plan := &w.Manifest.Plan
	plan.Steps, plan.Quiet = planned(after(5, seesTooLate)), recording.Quiet{From: 6, For: 6}
	w.Steps = []recording.Step{step(1, seesTooLate, 5.002, []model.Effect{{Node: edge, Serves: no, Partly: true, How: "target-keepalive-race"}})}
	return w
}

// enter adds what the node in front saw of a request: what the proxy answered it, and on a
// connection that had lain idle for how long.
func (w *world) enter(at seconds, seq uint64, status, answered int, idle seconds) {
	w.Attempts = append(w.Attempts, recording.Attempt{
		Seq: seq, At: at + 0.001, Done: at + 0.004, Node: edge, Port: 80, LB: "front-0", Conn: 900, Method: "GET", Path: "/",
		Status: status, Target: "198.18.1.2:80", TargetStatus: answered, TargetIdle: idle,
	})
}

// pass lets the node in front pass every request on to a node behind the proxy.
func (w *world) pass(from, to seconds, conn recording.Conn) {
	for at := from; at < to-gap/2; at += gap {
		seq := w.request(at, recording.OK, conn.Node)
		w.enter(at, seq, 200, 200, gap)
		w.attempt(at, conn, seq, 200)
	}
}

// race lets a request meet the end of a connection that the proxy had closed.
func (w *world) race(at seconds, idle seconds) {
	seq := w.request(at, recording.BadGateway, netip.Addr{})
	w.Requests[seq-1].Code, w.Requests[seq-1].Latency = 502, 0.001
	w.enter(at, seq, 502, 0, idle)
}

func TestKeepAliveRace(t *testing.T) {
	w := behindALB()
	conn := w.open(-1, old1)
	for i := range 200 {
		w.open(seconds(i)/100, edge) // of clients, which are none of the proxy's
	}
	w.pass(0, 6, conn)
	w.race(12, 6.02)
	w.race(12.02, 8.5)
	w.pass(12.04, 20, conn)
	v := w.judge()
	wantResult(t, v, judge.Fail, "2 of 700 requests failed (2 502), 2 of them answered by the load balancer in front, budget 0")
	wantFindings(t, v, judge.KeepAliveRace)
	f := wantText(t, v, judge.KeepAliveRace,
		"the proxy closes idle connections that the load balancer in front keeps: 2 requests came on one that the proxy had closed after 6.0 s or longer without a request, and got 502 from the load balancer")
	want := "attempts.jsonl:601 t=12.001 s GET / (seq 301) at 198.18.1.11 on connection 900: 502; passed on to 198.18.1.2:80 on a connection idle for 6.0 s: no answer"
	if len(f.Evidence) != 2 || f.Evidence[0] != want {
		t.Errorf("got evidence %q, want first %q", f.Evidence, want)
	}
	if v.OfFront != 2 || v.ConnectionsPerRequest > 0.01 {
		t.Errorf("got %d answers of the front and %.2f connections for each request, want 2 and those of the nodes behind the proxy alone", v.OfFront, v.ConnectionsPerRequest)
	}
	if v.Load.Offered < rate*0.99 {
		t.Errorf("got %.1f requests offered a second, want those of the time in which any were due", v.Load.Offered)
	}
}

func TestKeepAliveHeld(t *testing.T) {
	w := behindALB()
	conn := w.open(-1, old1)
	w.pass(0, 6, conn)
	seq := w.request(12, recording.OK, old1)
	w.enter(12, seq, 200, 200, 6.02)
	w.attempt(12, conn, seq, 200)
	w.pass(12.02, 20, conn)
	v := w.judge()
	wantResult(t, v, judge.Pass, "0 of 700 requests failed")
	wantFindings(t, v, judge.KeepAliveHeld)
	wantText(t, v, judge.KeepAliveHeld, "the proxy kept connections that lay idle for 6.0 s, and answered 1 request that came on them then")
}

// A proxy that ends every connection by itself leaves nothing to race for.
func TestNothingWasKept(t *testing.T) {
	w := behindALB()
	conn := w.open(-1, old1)
	w.pass(0, 6, conn)
	w.pass(12, 20, conn)
	v := w.judge()
	wantResult(t, v, judge.Pass, "0 of 700 requests failed")
	wantFindings(t, v)
}

// What the proxy answered itself is told from what the load balancer in front did: both may
// say that they are awselb/2.0.
func TestTheProxysOwnErrorBehindAnALB(t *testing.T) {
	w := behindALB()
	conn := w.open(-1, old1)
	w.pass(0, 6, conn)
	seq := w.request(12, recording.Unavailable, netip.Addr{})
	w.Requests[seq-1].Code, w.Requests[seq-1].Server = 503, "awselb/2.0"
	w.enter(12, seq, 503, 503, 6.02)
	w.pass(12.02, 20, conn)
	v := w.judge()
	wantResult(t, v, judge.Fail, "1 of 700 requests failed (1 503), budget 0")
	if _, ok := finding(v, judge.HeldDown); !ok || v.OfFront != 0 {
		t.Errorf("got %d answers of the front and findings %v, want the proxy's", v.OfFront, v.Findings)
	}
}

// An answer of the load balancer in front is no refusal of the proxy, and a request that the
// proxy got and lost is no race.
func TestNoRace(t *testing.T) {
	w := behindALB()
	conn := w.open(-1, old1)
	w.pass(0, 6, conn)
	w.race(12, 0) // a new connection
	seq := w.request(12.02, recording.BadGateway, netip.Addr{})
	w.Requests[seq-1].Code = 502
	w.enter(12.02, seq, 502, 0, 6.02)
	w.attempt(12.02, conn, seq, 200) // the proxy had passed it on
	w.pass(12.04, 20, conn)
	v := w.judge()
	for _, code := range []string{judge.KeepAliveRace, judge.HeldDown, judge.RefusedByProxy, judge.Unexplained} {
		if f, ok := finding(v, code); ok {
			t.Errorf("got %+v", f)
		}
	}
	wantText(t, v, judge.AnsweredByFront, "the load balancer in front answered 2 requests by itself (2 502): the proxy gave it no answer")
	if v.Result != judge.Fail || v.OfFront != 2 {
		t.Errorf("got %s with %d answers of the front, want it to fail with 2", v.Result, v.OfFront)
	}
}

// What the load balancer in front answers before any fault is ill health, and no limit or
// rule of the proxy.
func TestTheFrontFailsBeforeTheFault(t *testing.T) {
	w := behindALB()
	conn := w.open(-1, old1)
	w.pass(0, 2, conn)
	seq := w.request(2, recording.Unavailable, netip.Addr{})
	w.Requests[seq-1].Code = 503
	w.enter(2, seq, 503, 0, 0)
	w.pass(2.02, 6, conn)
	w.pass(12, 20, conn)
	wantResult(t, w.judge(), judge.Unproven, "not healthy before the fault: 1 request failed (1 503)")
}

// If no request of a client came through the nodes that a fault is about, nothing was at
// stake.
func TestNoRequestCameThroughTheFront(t *testing.T) {
	w := behindALB()
	w.serve(0, 6, w.open(-1, old1))
	w.serve(12, 20, w.Connections[0])
	if v := w.judge(); v.Result != judge.Unproven {
		t.Errorf("got %s %q, want nothing at stake", v.Result, v.Reasons)
	}
}
