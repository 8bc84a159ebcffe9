package judge_test

import (
	"fmt"
	"net/http"
	"net/netip"
	"testing"

	"github.com/proxychaos/proxychaos/harness/judge"
	"github.com/proxychaos/proxychaos/harness/recording"
	model "github.com/proxychaos/proxychaos/harness/world"
)

// Each case breaks one thing in a run that passes, and gives the only reason.
func TestUnproven(t *testing.T) {
	for name, test := range map[string]struct {
		breakIt func(*world)
		reason  string
	}{
		"proof absent": {
			func(w *world) { w.Steps[1].Proofs = nil },
			"step 2 of the timeline (old nodes go silent) was not carried out and proved",
		},
		"proof not OK": {
			func(w *world) { w.Steps[1].Proofs[0].OK = false; w.Steps[1].Proofs[0].Detail = "198.18.1.21 answered" },
			`"old nodes go silent" did not take hold: 198.18.1.21 answered`,
		},
		"one of two proofs not OK": {
			func(w *world) {
				w.Steps[0].Proofs = append(w.Steps[0].Proofs, recording.Proof{Detail: "the second resolver"})
			},
			`"name moves to new nodes" did not take hold: the second resolver`,
		},
		"name moved after the end": {
			func(w *world) { w.Steps[0].InForce = 8.5 },
			`"old nodes go silent" came only -0.5 s after "name moves to new nodes", want 3.0 s`,
		},
		"grace cut short": {
			func(w *world) { w.Steps[1].InForce = 7.702 },
			`"old nodes go silent" came only 2.7 s after "name moves to new nodes", want 3.0 s`,
		},
		"too few requests": {
			func(w *world) { w.Requests = append(w.Requests[:100:100], w.Requests[106:]...) },
			"the load was not as asked: offered 49.7 requests per second, want 50 within 0.5 %",
		},
		"too many requests": {
			func(w *world) { w.Requests = append(w.Requests, w.Requests[:6]...) },
			"the load was not as asked: offered 50.3 requests per second, want 50 within 0.5 %",
		},
		"sent late": {
			func(w *world) {
				for i := range 11 {
					w.Requests[600+i].Due -= 0.3
				}
			},
			"the load was late: 1 % of the requests were sent 0.3 s or more late, want at most 0.2 s: the machine was busy (end other programs, or run fewer cells at a time: PARALLEL=)",
		},
		"no CPU for the proxy": {
			func(w *world) {
				w.Requests[900].Outcome = recording.Timeout
				w.ended(1.5, 9.1)
			},
			"the machine was busy: process 9 of the proxy (nginx: worker) was ready to run and had no CPU for 7.6 s of 15.1 s; 1 request failed, which may be why",
		},
		"failed before the fault": {
			func(w *world) {
				w.Requests[50].Outcome = recording.BadGateway
				w.Requests[237].Outcome = recording.Timeout
				w.Requests[237].Latency = 3 // ends after the flip, but was sent well before it
			},
			"not healthy before the fault: 2 requests failed (1 502, 1 timeout)",
		},
		"failed before the fault, and the log says why": {
			func(w *world) {
				w.Manifest.Subject.Kind = "haproxy"
				w.log(1, "[NOTICE] all is well")
				w.log(2, "[WARNING] Server shop/a is DOWN, reason: Layer7 timeout")
				w.log(3, "[ALERT] proxy 'shop' has no server available!")
				w.Requests[150].Outcome = recording.Connection
			},
			"not healthy before the fault: 1 request failed (1 connection); the proxy's log: [WARNING] Server shop/a is DOWN, reason: Layer7 timeout",
		},
		"failed at once just before the fault": {
			func(w *world) { w.Requests[248].Outcome = recording.Unavailable },
			"not healthy before the fault: 1 request failed (1 503)",
		},
		"old nodes served nothing": {
			func(w *world) {
				for i := range w.Requests {
					w.Requests[i].Node = fresh1
				}
			},
			`no node that the faults are about served a request before "name moves to new nodes": they could break nothing`,
		},
		"only nodes that no name has": {
			func(w *world) {
				for i := range w.Steps {
					w.Steps[i].Effects = []model.Effect{{Node: fresh1, Serves: no, How: "silence"}}
				}
			},
			`no node that the faults are about served a request before "name moves to new nodes": they could break nothing`,
		},
		"a cold worker": {
			func(w *world) { w.Snapshots[1].Processes[2].Seen = 0 },
			"1 of 2 worker processes had held no connection to a node at the first fault: 9 (nginx: worker)",
		},
		"a record with holes": {
			func(w *world) { w.Manifest.Lost = 3 },
			"the nodes lost 3 packets or connections: what they recorded is not the whole",
		},
		"no worker": {
			func(w *world) { w.Snapshots[1].Processes = w.Snapshots[1].Processes[:1] },
			"no worker process of the proxy was seen just before the first fault",
		},
		"no snapshot before the fault": {
			func(w *world) { w.Snapshots = w.Snapshots[:1] },
			"the proxy's processes were not looked at just before the first fault, so a cold worker may hide the fault",
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := follower()
			test.breakIt(w)
			wantResult(t, w.judge(), judge.Unproven, test.reason)
		})
	}
}

// A run where the timeline ended after the load: nothing was tested.
func TestUnprovenWhenTheLoadEndedBeforeTheNodes(t *testing.T) {
	w := follower()
	w.Steps[1].InForce = 20.5
	v := w.judge()
	wantResult(t, v, judge.Unproven, `no request was sent after "old nodes go silent"`)
	if v.Window != 0 {
		t.Errorf("got window %g, want 0", v.Window)
	}
}

// A timeline of which a step is missing proves nothing, whatever came of the rest.
func TestUnprovenWithoutAStep(t *testing.T) {
	w := once()
	w.Steps = w.Steps[1:]
	wantResult(t, w.judge(), judge.Unproven, "step 1 of the timeline (name moves to new nodes) was not carried out and proved")
	w = once()
	w.Manifest.Plan.Steps = nil
	wantResult(t, w.judge(), judge.Unproven, "the timeline has no step: nothing was tested")
}

// Nothing that failed later makes an unproven run a failed one, and every
// reason is told.
func TestUnprovenComesFirstWithAllReasons(t *testing.T) {
	w := once()
	w.Steps[1].Proofs[0].OK = false
	w.Snapshots = nil
	w.Requests[10].Outcome = recording.Connection
	v := w.judge()
	if v.Result != judge.Unproven || len(v.Reasons) != 3 || v.Failed != 601 {
		t.Errorf("got %s with %d failed: %q, want unproven with 3 reasons", v.Result, v.Failed, v.Reasons)
	}
}

func TestEmbeddedProxyHasNoProcesses(t *testing.T) {
	w := follower()
	w.Snapshots, w.Manifest.Testbed = nil, "embedded"
	wantResult(t, w.judge(), judge.Pass, "0 of 1,000 requests failed")
}

// What is within the floors, or had met the fault, is judged.
func TestNotUnproven(t *testing.T) {
	for name, change := range map[string]func(*world){
		"rate within 0.5 %":                        func(w *world) { w.Requests = append(w.Requests[:100:100], w.Requests[105:]...) },
		"1 % late":                                 func(w *world) { late(w, 10, 5) },
		"all a little late":                        func(w *world) { late(w, 1000, 0.2) },
		"grace a little shorter":                   func(w *world) { w.Steps[1].InForce = 7.802 },
		"no CPU for the proxy, and nothing failed": func(w *world) { w.ended(0, 14) },
		"a worker started since the warm-up": func(w *world) {
			w.Snapshots[1].Processes = append(w.Snapshots[1].Processes, recording.Process{PID: 10, Worker: true})
		},
	} {
		w := follower()
		change(w)
		if v := w.judge(); v.Result != judge.Pass {
			t.Errorf("%s: got %s %q, want pass", name, v.Result, v.Reasons)
		}
	}
	w := atOnce()
	conn := w.open(-1, old1)
	w.serve(0, 4.9, conn)
	w.stall(4.9, 6, conn) // under way when the nodes fell silent
	w.serve(6, 20, w.open(6, fresh1))
	if v := w.judge(); v.Result != judge.Pass || *v.FirstFailure >= 0 {
		t.Errorf("requests under way at the fault: got %s %q", v.Result, v.Reasons)
	}
	// Both faults in one instant may be in force in either order.
	w.Steps[0].InForce, w.Steps[1].InForce, w.Steps[1].Asked = 5.003, 5.001, 4.999
	if v := w.judge(); v.Result != judge.Pass || v.During.Sent != 0 {
		t.Errorf("faults the other way round: got %s %q", v.Result, v.Reasons)
	}
}

func late(w *world, n int, by seconds) {
	for i := range n {
		w.Requests[i].Due -= by
	}
}

func TestLoadFigures(t *testing.T) {
	w := follower()
	late(w, 100, 0.1)
	late(w, 1, 0.1)
	got := fmt.Sprintf("%.3f", []float64{
		w.judge().Load.Asked, w.judge().Load.Offered, float64(w.judge().Load.LatenessP50),
		float64(w.judge().Load.LatenessP99), float64(w.judge().Load.LatenessMax),
	})
	if want := "[50.000 50.000 0.001 0.101 0.201]"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	// A generator that falls behind offers less.
	w = follower()
	for i := range w.Requests {
		w.Requests[i].Sent *= 1.1
	}
	if v := w.judge(); v.Load.Offered > 46.1 {
		t.Errorf("a load that took 22 s instead of 20 offered %.1f per second, want 46", v.Load.Offered)
	}
}

// What the proxy does by itself is told apart from trouble with nodes.
func TestUnprovenByTheProxyItself(t *testing.T) {
	own := func(w *world, from, to int, outcome string, code int) {
		for i := from; i < to; i++ {
			w.Requests[i].Outcome, w.Requests[i].Code, w.Requests[i].Node = outcome, code, netip.Addr{}
			w.Attempts[i].Seq = 0
		}
	}
	for name, test := range map[string]struct {
		change func(w *world)
		want   []string
	}{
		"a limit": {
			func(w *world) { own(w, 20, 77, recording.Unavailable, http.StatusServiceUnavailable) },
			[]string{"the proxy itself refused 57 requests (57 503), which reached no node, before the fault: by a limit or a rule of its own, or for want of a node that it holds to be up"},
		},
		"a rule": {
			func(w *world) { own(w, 0, 251, "403", http.StatusForbidden) },
			[]string{
				"the proxy itself refused 250 requests (250 403), which reached no node, before the fault: by a limit or a rule of its own, or for want of a node that it holds to be up",
				`no node that the faults are about served a request before "name moves to new nodes": they could break nothing`,
			},
		},
		"a cache": {
			func(w *world) {
				own(w, 1, 250, recording.WrongBody, http.StatusOK)
				for i := 1; i < 250; i++ {
					w.Requests[i].Names = 1
				}
			},
			[]string{"the proxy itself answered 249 requests with status 200 from its cache (they name other requests, such as seq=1 in the answer to 2) before the fault: of such requests no fault is seen"},
		},
		"a cache that was filled before the load": {
			func(w *world) {
				own(w, 1, 250, recording.WrongBody, http.StatusOK)
				for i := 1; i < 250; i++ {
					w.Requests[i].Node = old1
				}
			},
			[]string{"the proxy itself answered 249 requests with status 200 from its cache (they name nodes that gave them to other requests, such as 198.18.1.21 in the answer to 2) before the fault: of such requests no fault is seen"},
		},
		"a redirect, a limit, and a node that failed": {
			func(w *world) {
				own(w, 20, 30, recording.ByProxy(http.StatusMovedPermanently), http.StatusMovedPermanently)
				own(w, 40, 43, "429", http.StatusTooManyRequests)
				w.Requests[50].Outcome, w.Requests[50].Code = recording.Unavailable, http.StatusServiceUnavailable
			},
			[]string{
				"the proxy itself answered 10 requests with status 301 before the fault: of such requests no fault is seen",
				"the proxy itself refused 3 requests (3 429), which reached no node, before the fault: by a limit or a rule of its own, or for want of a node that it holds to be up",
				"not healthy before the fault: 1 request failed (1 503)",
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := follower()
			test.change(w)
			wantResult(t, w.judge(), judge.Unproven, test.want...)
		})
	}
}

// A limit that is met after the fault fails the run, for its own reason: the proxy is not
// one that has no address.
func TestALimitAfterTheFault(t *testing.T) {
	w := follower()
	for i := 300; i < 320; i++ {
		w.Requests[i].Outcome, w.Requests[i].Code, w.Requests[i].Node = "429", http.StatusTooManyRequests, netip.Addr{}
		w.Attempts[i].Seq = 0
	}
	v := w.judge()
	wantResult(t, v, judge.Fail, "20 of 1,000 requests failed (20 429), budget 0")
	wantFindings(t, v, judge.FollowedDNS, judge.RefusedByProxy)
	wantText(t, v, judge.RefusedByProxy, "the proxy itself refused 20 requests (20 429), which reached no node")
	// The same of a node is the node's.
	for i := 300; i < 320; i++ {
		w.Attempts[i].Seq, w.Attempts[i].Status = w.Requests[i].Seq, http.StatusTooManyRequests
	}
	if f, ok := finding(w.judge(), judge.RefusedByProxy); ok {
		t.Errorf("got %q", f.Text)
	}
}
