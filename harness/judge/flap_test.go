package judge_test

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/proxychaos/proxychaos/harness/judge"
	"github.com/proxychaos/proxychaos/harness/recording"
	model "github.com/proxychaos/proxychaos/harness/world"
)

const answersLate = "all nodes answer late"

// watched is a recording of 30 s of two proxies behind a load balancer that checks their
// health. From 5 s on the nodes behind them answer late.
func watched() *world {
	w := behindALB()
	w.Manifest.World.Front.Proxies = 2
	w.Manifest.Plan.Quiet = recording.Quiet{}
	w.Manifest.Plan.Duration = 30
	w.Manifest.Plan.Steps = planned(after(5, answersLate))
	w.Steps = []recording.Step{step(1, answersLate, 5.002, []model.Effect{{Node: old1, Serves: yes, How: "slow-response"}, {Node: old2, Serves: yes, How: "slow-response"}})}
	return w
}

// check adds a health check of a proxy. One that fails gets no handshake within 2 s.
func (w *world) check(at seconds, target string, passed bool, state string) {
	k := recording.Check{At: at, Done: at + 0.01, Node: edge, Target: target, Passed: passed, Code: 200, State: state}
	if !passed {
		k.Done, k.Code, k.Reason, k.TLSFailed = at+2, 0, "RequestTimedOut", true
	}
	w.Checks = append(w.Checks, k)
}

// failOpen lets the node in front pass every request on to a proxy that it holds to be down.
func (w *world) failOpen(from, to seconds, conn recording.Conn) {
	first := len(w.Attempts)
	w.pass(from, to, conn)
	for i := first; i < len(w.Attempts); i++ {
		w.Attempts[i].FailedOpen = w.Attempts[i].Node == edge
	}
}

// unshaken lets a request wait for a handshake in vain.
func (w *world) unshaken(at seconds) {
	seq := w.request(at, recording.GatewayTimeout, netip.Addr{})
	w.Requests[seq-1].Code, w.Requests[seq-1].Latency = 504, 10
	w.enter(at, seq, 504, 0, 0)
	last := &w.Attempts[len(w.Attempts)-1]
	last.Done, last.TargetTLSFailed = at+10, true
}

// The chain of article 001, in its order: handshakes fail, health checks fail, one target is
// down, both are, fail-open serves, and the load balancer answers by itself.
func TestTargetsFlap(t *testing.T) {
	const first, second, up, down = "198.18.1.2:443", "198.18.1.5:443", "healthy", recording.Unhealthy
	w := watched()
	conn := w.open(-1, old1)
	for _, target := range []string{first, second} {
		w.check(0, target, true, up)
		w.check(5, target, true, up)
	}
	w.pass(0, 9, conn)
	w.unshaken(9)
	w.check(10, first, false, up)
	w.check(10, second, true, up)
	w.check(15, first, false, down) // so ends at 17 s
	w.check(15, second, false, up)
	w.pass(9.02, 22, conn)
	w.check(20, first, false, down)
	w.check(20, second, false, down) // so ends at 22 s
	w.failOpen(22, 25, conn)
	w.unshaken(25)
	w.check(25, first, true, down)
	w.check(30, first, true, up)
	w.pass(25.02, 30, conn)
	v := w.judge()
	wantResult(t, v, judge.Fail, "2 of 1,500 requests failed (2 504), 2 of them answered by the load balancer in front, budget 0")
	wantFindings(t, v, judge.TargetFlap, judge.HealedItself, judge.AnsweredByFront)
	f := wantText(t, v, judge.TargetFlap,
		"targets flapped: TLS handshakes failed from t=9.0 s on, health checks failed from t=12.0 s on, 1 of 2 proxies was marked unhealthy from t=17.0 s on, all of them from t=22.0 s on, "+
			"and 1 time one was marked healthy again; while none was healthy, fail-open served 150 of 150 requests; the load balancer answered 2 requests by itself, 0 of them before the checks failed")
	for i, want := range []string{
		"attempts.jsonl:901 t=9.001 s GET / (seq 451) at 198.18.1.11 on connection 900: 504; passed on to 198.18.1.2:80 on a new connection: no answer, no TLS handshake",
		"checks.jsonl:5 t=10.000 s health check of 198.18.1.2:443 by 198.18.1.11: no TLS handshake after 2.0 s, healthy",
		"checks.jsonl:7 t=15.000 s health check of 198.18.1.2:443 by 198.18.1.11: no TLS handshake after 2.0 s, unhealthy",
		"checks.jsonl:10 t=20.000 s health check of 198.18.1.5:443 by 198.18.1.11: no TLS handshake after 2.0 s, unhealthy",
		"attempts.jsonl:2200 t=22.001 s GET /",
	} {
		if i >= len(f.Evidence) || !strings.HasPrefix(f.Evidence[i], want) {
			t.Errorf("got evidence %q, want %q as number %d", f.Evidence, want, i+1)
		}
	}
}

// A target that fails one check of two and is not taken out is no flap, nor is one of a
// world in which every node considers another proxy unhealthy.
func TestNoTargetIsLost(t *testing.T) {
	w := watched()
	conn := w.open(-1, old1)
	w.pass(0, 30, conn)
	w.check(10, "198.18.1.2:443", false, "healthy")
	wantFindings(t, w.judge())
	w.check(15, "198.18.1.2:443", false, recording.Unhealthy)
	w.check(15, "198.18.1.5:443", false, recording.Unhealthy)
	w.Checks[2].Node = netip.MustParseAddr("198.18.1.12")
	v := w.judge()
	wantText(t, v, judge.TargetFlap, "targets flapped: TLS handshakes failed from t=10.0 s on, health checks failed from t=12.0 s on, 1 of 2 proxies was marked unhealthy from t=17.0 s on")
	wantResult(t, v, judge.Pass, "0 of 1,500 requests failed")
}

// Two proxies have processes of the same numbers.
func TestProcessesOfTwoProxies(t *testing.T) {
	w := watched()
	w.pass(0, 30, w.open(-1, old1))
	for i := range w.Snapshots {
		for _, p := range w.Snapshots[i].Processes {
			p.Proxy = 2
			p.Seen, p.Upstream = 0, 0 // those of the second are cold
			w.Snapshots[i].Processes = append(w.Snapshots[i].Processes, p)
		}
	}
	v := w.judge()
	if v.Result != judge.Unproven || !strings.Contains(v.Reasons[0], "2 of 4 worker processes") {
		t.Errorf("got %s %q, want two of four workers cold", v.Result, v.Reasons)
	}
}
