package judge_test

import (
	"net/netip"
	"slices"
	"testing"

	"github.com/proxychaos/proxychaos/harness/judge"
	"github.com/proxychaos/proxychaos/harness/recording"
	model "github.com/proxychaos/proxychaos/harness/world"
)

func TestAProxyThatEnded(t *testing.T) {
	dead := func() *world {
		w := rotate()
		w.Manifest.Subject.Kind = "pound"
		w.serve(0, 9, w.open(-1, old1))
		for at := seconds(9); at < 20; at += gap {
			w.request(at, recording.Connection, netip.Addr{})
		}
		return w
	}
	w := dead()
	v := w.judge()
	wantText(t, v, judge.ProxyDied, "the proxy ended, and accepted no connection from t=9.001 s on: 551 requests failed")
	if v.Findings[0].Code != judge.ProxyDied {
		t.Errorf("got %s first", v.Findings[0].Code)
	}

	w = dead()
	w.ended(0, 1) // its processes are there at the end
	if _, found := finding(w.judge(), judge.ProxyDied); found {
		t.Error("got proxy-died of a proxy that runs")
	}

	w = dead()
	w.serve(20, 20.5, w.open(20, fresh1))
	if _, found := finding(w.judge(), judge.ProxyDied); found {
		t.Error("got proxy-died of a proxy that serves at the end")
	}
}

// A proxy that has ended can ask nothing.
func TestAProxyThatEndedBeforeItCouldAsk(t *testing.T) {
	w := rotate()
	w.serve(0, 5, w.open(-1, old1))
	w.fail(5, 20, recording.Connection)
	v := w.judge()
	wantText(t, v, judge.ProxyDied, "the proxy ended, and accepted no connection from t=5.001 s on: 750 requests failed")
	if f, found := finding(v, judge.ResolvedOnce); found {
		t.Errorf("got %+v too", f)
	}
}

// One that was restarted and served, and then ended, did start.
func TestAProxyThatEndedAfterItHadBeenRestarted(t *testing.T) {
	w := rotate()
	w.Steps = append(w.Steps, step(3, restarted, 9, []model.Effect{{Restarted: true}}))
	w.Manifest.Plan.Steps = append(w.Manifest.Plan.Steps, after(1, restarted))
	w.serve(0, 9, w.open(-1, old1))
	w.fail(9, 9.4, recording.Connection)
	w.serve(9.4, 12, w.open(9.4, fresh1))
	w.fail(12, 20, recording.Connection)
	v := w.judge()
	wantText(t, v, judge.ProxyDied, "the proxy ended, and accepted no connection from t=12.001 s on: 400 requests failed")
	if f, found := finding(v, judge.NotStarted); found {
		t.Errorf("got %+v too", f)
	}
}

// passAt lets the load balancer in front pass requests on to the proxy at an address.
func (w *world) passAt(target string, from, to seconds, conn recording.Conn) {
	first := len(w.Attempts)
	w.pass(from, to, conn)
	for i := first; i < len(w.Attempts); i++ {
		if w.Attempts[i].Node == edge {
			w.Attempts[i].Target = target
		}
	}
}

// unanswered lets requests get nothing of the first proxy, and 502 of the load balancer in front.
func (w *world) unanswered(from, to seconds) {
	for at := from; at < to-gap/2; at += gap {
		w.enter(at, w.request(at, recording.BadGateway, netip.Addr{}), 502, 0, 0)
	}
}

// Behind a load balancer in front a proxy that has ended shows in what that answers by itself.
func TestAProxyThatEndedBehindAnALB(t *testing.T) {
	w := behindALB()
	w.Manifest.Plan.Quiet = recording.Quiet{}
	w.pass(0, 9, w.open(-1, old1))
	w.race(9, 0.02) // the load balancer had kept the connection
	w.unanswered(9.02, 20)
	v := w.judge()
	wantFindings(t, v, judge.ProxyDied)
	f := wantText(t, v, judge.ProxyDied, "the proxy ended, and gave the load balancer in front no answer from t=9.001 s on: 550 requests failed")
	if want := "attempts.jsonl:901 t=9.001 s GET / (seq 451) at 198.18.1.11 on connection 900: 502; passed on to 198.18.1.2:80 on a connection idle for 20 ms: no answer"; f.Evidence[0] != want {
		t.Errorf("got evidence %q, want first %q", f.Evidence, want)
	}
	w.ended(0, 1) // its processes are there at the end
	v = w.judge()
	wantFindings(t, v, judge.KeepAliveRace, judge.AnsweredByFront)
}

// Of two proxies the one that has ended is named, and that its health checks fail is no flap.
func TestOneOfTwoProxiesEnded(t *testing.T) {
	const first, second = "198.18.1.2:80", "198.18.1.5:80"
	w := watched()
	w.Manifest.Proxies = []netip.AddrPort{netip.MustParseAddrPort(first), netip.MustParseAddrPort(second)}
	for i := range w.Snapshots {
		one := w.Snapshots[i].Processes
		w.Snapshots[i].Processes = nil
		for number := range 2 {
			for _, p := range one {
				p.Proxy = number + 1
				w.Snapshots[i].Processes = append(w.Snapshots[i].Processes, p)
			}
		}
	}
	last := recording.Snapshot{At: 30, Moment: recording.MomentEnd, Processes: slices.Clone(w.Snapshots[1].Processes[3:])}
	w.Snapshots = append(w.Snapshots, last)
	conn := w.open(-1, old1)
	w.passAt(first, 0, 9, conn)
	for at := seconds(9); at < 17; at++ { // half a second each
		w.unanswered(at, at+0.5)
		w.passAt(second, at+0.5, at+1, conn)
	}
	w.passAt(second, 17, 30, conn)
	w.check(5, first, true, "healthy")
	w.check(10, first, false, "healthy")
	w.check(15, first, false, recording.Unhealthy)
	w.check(20, first, false, recording.Unhealthy)
	v := w.judge()
	wantFindings(t, v, judge.ProxyDied, judge.HealedItself)
	wantText(t, v, judge.ProxyDied, "proxy 1 ended, and gave the load balancer in front no answer from t=9.001 s on: 200 requests failed")
	if v.Targets.ChecksFailed != 3 || v.Targets.Down != 1 {
		t.Errorf("got %+v, want what the load balancer in front saw", v.Targets)
	}
}

// A proxy that was ended is rightly marked unhealthy, also until it has passed enough checks again.
func TestAProxyThatWasEndedDoesNotFlap(t *testing.T) {
	const killed, started = "proxy 1 is killed", "proxy 1 is started"
	const first, second = "198.18.1.2:80", "198.18.1.5:80"
	w := watched()
	w.Manifest.Proxies = []netip.AddrPort{netip.MustParseAddrPort(first), netip.MustParseAddrPort(second)}
	w.Manifest.Plan.Steps = planned(after(5, answersLate), after(3, killed), after(8, started))
	w.Steps = append(w.Steps,
		step(2, killed, 8, []model.Effect{{Proxy: 1, Runs: no}}),
		step(3, started, 16, []model.Effect{{Proxy: 1, Runs: yes}}))
	w.passAt(second, 0, 30, w.open(-1, old1))
	w.check(5, second, true, "healthy")
	w.check(10, first, false, "healthy")
	w.check(15, first, false, recording.Unhealthy)
	w.check(20, first, true, recording.Unhealthy)
	w.check(25, first, true, "healthy")
	wantFindings(t, w.judge())
	w.check(26, first, false, "healthy")
	w.check(27, first, false, recording.Unhealthy)
	wantText(t, w.judge(), judge.TargetFlap, "targets flapped: TLS handshakes failed from t=26.0 s on, health checks failed from t=28.0 s on, 1 of 2 proxies was marked unhealthy from t=29.0 s on, and 1 time one was marked healthy again")
}
