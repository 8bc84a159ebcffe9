package judge_test

import (
	"net/netip"
	"testing"

	"github.com/proxychaos/proxychaos/harness/judge"
	"github.com/proxychaos/proxychaos/harness/recording"
	model "github.com/proxychaos/proxychaos/harness/world"
)

const (
	failsDNS   = "DNS fails: servfail"
	restarted  = "the proxy is restarted"
	dnsIsBack  = "DNS answers again"
	noUpstream = `2026/11/29 23:00:00 [emerg] 1#1: host not found in upstream "backend.example.com" in /etc/nginx/conf.d/default.conf:6`
)

// restart is a proxy that is restarted at 5 s, while DNS fails from then to 10 s.
func restart() *world {
	w := rotate()
	w.Manifest.Subject.Kind = "nginx"
	w.Manifest.World = topology(3, 0)
	w.Manifest.Plan.Steps = planned(after(5, failsDNS, restarted), after(5, dnsIsBack))
	w.Steps = []recording.Step{
		step(1, failsDNS, 5.002, []model.Effect{{Resolves: no, How: "servfail"}}),
		step(1, restarted, 5.004, []model.Effect{{Restarted: true}}),
		step(2, dnsIsBack, 10.004, []model.Effect{{Resolves: yes}}),
	}
	w.serve(0, 5, w.open(-1, old1))
	return w
}

// While DNS fails, and for as long as a proxy may take to ask again, nobody can serve.
func TestAProxyThatIsStartedWithoutDNS(t *testing.T) {
	w := restart()
	w.fail(5, 11.9, recording.BadGateway) // TTL + 1 s after DNS is back
	w.serve(12, 20, w.open(12, old2))
	v := w.judge()
	wantResult(t, v, judge.Pass, "345 of 995 requests failed (345 502), 345 of them while no node served or could be known to a proxy that was restarted")
	if _, found := finding(v, judge.NotStarted); found {
		t.Errorf("got %v: it took connections", v.Findings)
	}

	w = restart()
	w.fail(5, 13, recording.BadGateway)
	w.serve(13, 20, w.open(13, old2))
	if v := w.judge(); v.Result != judge.Fail || v.Failed-v.WithoutNode != 49 {
		t.Errorf("got %s, %d of %d excused: want those that failed from 12 s on not to be", v.Result, v.WithoutNode, v.Failed)
	}
}

func TestAProxyThatDoesNotStart(t *testing.T) {
	w := restart()
	w.log(5.3, noUpstream)
	for at := seconds(5.02); at < 20; at += gap {
		w.request(at, recording.Connection, netip.Addr{})
	}
	v := w.judge()
	if v.Result != judge.Fail || v.WithoutNode == 0 || v.WithoutNode == v.Failed {
		t.Errorf("got %s, %d of %d excused", v.Result, v.WithoutNode, v.Failed)
	}
	wantText(t, v, judge.NotStarted, "the proxy accepted no connection after it was restarted: 750 requests failed; the last line of its log: "+noUpstream)

	// Without a restart the same failures are another matter.
	w.Steps = append(w.Steps[:1:1], w.Steps[2])
	if _, found := finding(w.judge(), judge.NotStarted); found {
		t.Error("got not-started of a proxy that nobody started")
	}
}

// A start while DNS answers excuses nothing.
func TestAStartWithDNSExcusesNothing(t *testing.T) {
	w := restart()
	w.Steps = []recording.Step{w.Steps[1], step(2, silent, 10.004, struck("silence"))}
	w.Manifest.Plan.Steps = planned(after(5, restarted), after(5, silent))
	w.fail(5, 6, recording.Connection)
	w.serve(6, 20, w.open(6, fresh1))
	if v := w.judge(); v.Result != judge.Fail || v.WithoutNode != 0 {
		t.Errorf("got %s, %d excused", v.Result, v.WithoutNode)
	}
}

// Behind a load balancer in front a proxy that does not start shows in what that answers.
func TestAProxyThatDoesNotStartBehindAnALB(t *testing.T) {
	w := behindALB()
	w.Manifest.Subject.Kind, w.Manifest.Plan.Quiet = "nginx", recording.Quiet{}
	w.Manifest.Plan.Steps = planned(after(5, failsDNS, restarted), after(5, dnsIsBack))
	w.Steps = []recording.Step{
		step(1, failsDNS, 5.002, []model.Effect{{Resolves: no, How: "servfail"}}),
		step(1, restarted, 5.004, []model.Effect{{Restarted: true}}),
		step(2, dnsIsBack, 10.004, []model.Effect{{Resolves: yes}}),
	}
	w.log(5.3, noUpstream)
	conn := w.open(-1, old1)
	w.pass(0, 5, conn)
	w.unanswered(5.02, 20)
	v := w.judge()
	wantText(t, v, judge.NotStarted, "the proxy accepted no connection after it was restarted: 749 requests failed; the last line of its log: "+noUpstream)
	for _, code := range []string{judge.ProxyDied, judge.KeepAliveRace} {
		if f, found := finding(v, code); found {
			t.Errorf("got %+v too", f)
		}
	}
}
