package judge_test

import (
	"net/http"
	"net/netip"
	"testing"

	"github.com/proxychaos/proxychaos/harness/judge"
	"github.com/proxychaos/proxychaos/harness/recording"
)

// sorry is a subject that knows the old nodes only and has visitors sent to a status page
// when they fail.
func sorry(outcome string) *world {
	w := rotate()
	conn := w.open(-1, old1)
	w.serve(0, 8, conn)
	w.fail(8, 20, outcome)
	for i := range w.Requests[400:] {
		w.Requests[400+i].Code = http.StatusFound
	}
	w.syn(11, old2)
	return w
}

// A redirect that no node made is no success, also if the client took it for one, as in
// recordings from before it had a class of its own.
func TestTheProxysOwnAnswerIsAFailure(t *testing.T) {
	for _, outcome := range []string{recording.OK, recording.ByProxy(http.StatusFound)} {
		v := sorry(outcome).judge()
		wantResult(t, v, judge.Fail, "600 of 1,000 requests failed (600 proxy-302), 600 of them answered by the proxy itself, budget 0",
			`never recovered within the 12.0 s from "old nodes go silent" to the end of the load`)
		wantFindings(t, v, judge.ResolvedOnce, judge.AnsweredByProxy)
		wantText(t, v, judge.AnsweredByProxy, "the proxy itself answered 600 requests with status 302: no node gave these answers, so they count as failed")
		if v.ByProxy != 600 {
			t.Errorf("got %d by the proxy, want 600", v.ByProxy)
		}
	}
}

// A budget for the time in which nobody can know counts them like all others.
func TestTheProxysOwnAnswerWithinABudget(t *testing.T) {
	w := sorry(recording.OK)
	w.Manifest.Plan.Budget.RecoverWithin = 13
	if v := w.judge(); v.Result != judge.Pass || v.ByProxy != 600 {
		t.Errorf("got %s %q, want a pass with 600 failed", v.Result, v.Reasons)
	}
}

// cached is a follower of which some answers, from 9 s to 10 s, are pages from before.
func cached() *world {
	w := follower()
	for i := 450; i < 500; i++ {
		w.Requests[i].Outcome, w.Requests[i].Names = recording.WrongBody, 7
	}
	return w
}

// forget takes away what the nodes saw of those requests.
func (w *world) forget() *world {
	kept := w.Attempts[:0:0]
	for _, a := range w.Attempts {
		if a.Seq <= 450 || a.Seq > 500 {
			kept = append(kept, a)
		}
	}
	w.Attempts = kept
	return w
}

// A kept page bears the name of the node that once gave it. If no node was asked, or none
// gave this answer, it is the proxy's; else two answers were mixed up.
func TestAKeptPageIsTheProxysAnswer(t *testing.T) {
	const page = "the proxy itself answered 50 requests with status 200 from its cache (they name other requests, such as seq=7 in the answer to 451)" +
		": no node gave these answers, so they count as failed"
	for name, test := range map[string]struct {
		change func(w *world)
		want   string
	}{
		"no node was asked": {func(w *world) { w.forget() }, recording.ByProxy(200)},
		"the node failed": {func(w *world) {
			for i := range w.Attempts {
				w.Attempts[i].Status = http.StatusServiceUnavailable
			}
		}, recording.ByProxy(200)},
		"only a login service was asked": {func(w *world) {
			w.forget()
			for seq := uint64(451); seq <= 500; seq++ {
				w.sub(seq, http.MethodGet, "/verify", "", fresh1)
			}
		}, recording.ByProxy(200)},
		"a node answered it": {func(*world) {}, recording.WrongBody},
	} {
		t.Run(name, func(t *testing.T) {
			w := cached()
			test.change(w)
			v := w.judge()
			if v.Result != judge.Fail || v.Failed != 50 || v.ByKind[test.want] != 50 {
				t.Errorf("got %s with %v, want 50 of %s", v.Result, v.ByKind, test.want)
			}
			f, ok := finding(v, judge.AnsweredByProxy)
			if ok != (test.want != recording.WrongBody) || ok && f.Text != page {
				t.Errorf("got %q", f.Text)
			}
		})
	}
}

// What a node gave is not the proxy's, though the client saw no sign of the node: an
// address that belongs to another tenant, a proxy that takes header fields away.
func TestAnAnswerWithoutANameOfItsNode(t *testing.T) {
	w := follower()
	for i := 450; i < 500; i++ {
		w.Requests[i].Outcome, w.Requests[i].Node = recording.ByProxy(200), netip.Addr{}
	}
	for i := 500; i < 550; i++ {
		w.Requests[i].Outcome, w.Requests[i].Code, w.Requests[i].Node = recording.ByProxy(302), 302, netip.Addr{}
		w.Attempts[i].Status = 302
	}
	v := w.judge()
	if v.ByProxy != 0 || v.ByKind[recording.WrongBody] != 50 || v.Failed != 50 {
		t.Errorf("got %v, want 50 of wrong-body", v.ByKind)
	}
}

// The requests that a page is drawn from have the outcomes of the verdict.
func TestOutcomes(t *testing.T) {
	w := sorry(recording.OK)
	got := judge.Outcomes(&w.Recording)
	if len(got) != 1000 || got[399].Outcome != recording.OK || got[400].Outcome != recording.ByProxy(302) {
		t.Errorf("got %d, %+v and %+v", len(got), got[399], got[400])
	}
	if w.Requests[400].Outcome != recording.OK {
		t.Errorf("the recording itself was changed: %+v", w.Requests[400])
	}
}
