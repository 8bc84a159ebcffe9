package judge_test

import (
	"net/netip"
	"testing"

	"github.com/proxychaos/proxychaos/harness/judge"
	"github.com/proxychaos/proxychaos/harness/recording"
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
