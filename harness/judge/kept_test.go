package judge_test

import (
	"net/http"
	"net/netip"
	"slices"
	"testing"

	"github.com/proxychaos/proxychaos/harness/judge"
	"github.com/proxychaos/proxychaos/harness/recording"
	model "github.com/proxychaos/proxychaos/harness/world"
)

// kept builds a recording of a scenario whose name keeps its nodes: something strikes at
// 5 s, and is over at 15 s if it ends at all.
func kept(name string, strikes, over []model.Effect) *world {
	w := rotate()
	w.Manifest.World = topology(3, 0)
	w.Manifest.Plan.Steps = planned(after(5, name))
	w.Steps = []recording.Step{step(1, name, 5.002, strikes)}
	if over != nil {
		w.Manifest.Plan.Steps = planned(after(5, name), after(10, "it is over"))
		w.Steps = append(w.Steps, step(2, "it is over", 15.003, over))
	}
	w.Queries = nil
	w.query(-1.5, old1, old2, fresh1)
	return w
}

const (
	dnsFails  = "DNS fails: servfail"
	halfDies  = "half of the nodes go silent"
	tlsFails  = "half of the nodes refuse TLS with an alert"
	tlsRefuse = "tls-alert"
)

func unresolved() []model.Effect { return []model.Effect{{Resolves: no, How: "servfail"}} }

// dnsOutage: a subject that is served by all nodes throughout.
func dnsOutage() *world {
	w := kept(dnsFails, unresolved(), []model.Effect{{Resolves: yes}})
	w.serve(0, 10, w.open(-1, old1))
	w.serve(10, 20, w.open(-1, fresh1))
	return w
}

// failing makes requests that were sent in a time fail.
func (w *world) failing(from, to seconds, outcome string) {
	for i := range w.Requests {
		if w.Requests[i].Sent >= from && w.Requests[i].Sent < to {
			w.Requests[i].Outcome = outcome
		}
	}
}

func TestNobodyAskedDNSWhileItFailed(t *testing.T) {
	v := dnsOutage().judge()
	wantResult(t, v, judge.Pass, "0 of 1,000 requests failed")
	wantFindings(t, v, judge.DNSOutage)
	wantText(t, v, judge.DNSOutage, "did not ask DNS while it failed, so that nothing of it was felt")
	if v.Stale+v.StaleConnects != 0 {
		t.Errorf("got %d stale: the name has these nodes", v.Stale)
	}
}

func TestDNSFailedAndNoRequestDid(t *testing.T) {
	w := dnsOutage()
	w.query(4, old1, old2, fresh1)
	w.query(6)
	w.query(14)
	w.query(16, old1, old2, fresh1)
	v := w.judge()
	wantResult(t, v, judge.Pass, "0 of 1,000 requests failed")
	wantText(t, v, judge.DNSOutage, "2 DNS queries while DNS failed, and no request failed: it kept using the addresses that it had")
}

func TestDNSFailedAndRequestsDid(t *testing.T) {
	w := dnsOutage()
	w.query(6)
	w.failing(8, 15, recording.BadGateway)
	v := w.judge()
	wantResult(t, v, judge.Fail, "350 of 1,000 requests failed (350 502), budget 0")
	wantText(t, v, judge.DNSOutage, "1 DNS query while DNS failed; the first request to fail was sent 3.0 s after it began")
	wantText(t, v, judge.HealedItself, "failed until what had failed was back, 10.0 s after \"DNS fails: servfail\"")
	w.Requests[249].Outcome, w.Requests[249].Latency = recording.BadGateway, 0.5 // sent at 4.981 s
	wantText(t, w.judge(), judge.DNSOutage, "1 DNS query while DNS failed; the first request to fail was under way as it began")
	w.failing(15, 17, recording.BadGateway)
	wantText(t, w.judge(), judge.HealedItself, "failed until 2.0 s after what had failed was back, 12.0 s after \"DNS fails: servfail\"")
}

// A fault that did not come, did not last, or did not end proves nothing.
func TestOutagesThatProveNothing(t *testing.T) {
	for name, tc := range map[string]struct {
		change func(w *world)
		want   []string
	}{
		"no fault":   {func(w *world) { w.Steps = w.Steps[1:] }, []string{"step 1 of the timeline (DNS fails: servfail) was not carried out and proved"}},
		"no end":     {func(w *world) { w.Steps = w.Steps[:1] }, []string{"step 2 of the timeline (it is over) was not carried out and proved"}},
		"too short":  {func(w *world) { w.Steps[1].InForce = 12 }, []string{`"it is over" came only 7.0 s after "DNS fails: servfail", want 10.0 s`}},
		"not proved": {func(w *world) { w.Steps[0].Proofs[0].OK = false }, []string{`"DNS fails: servfail" did not take hold: seen`}},
		"no stake": {
			func(w *world) { w.failing(-1, 5.002, recording.BadGateway) },
			[]string{
				"not healthy before the fault: 250 requests failed (250 502)",
				`no node that the faults are about served a request before "DNS fails: servfail": they could break nothing`,
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := dnsOutage()
			tc.change(w)
			wantResult(t, w.judge(), judge.Unproven, tc.want...)
		})
	}
}

// silentNode: the proxy finds out after one request and three connects.
func silentNode() *world {
	w := kept(halfDies, struck("silence"), nil)
	dead, alive := w.open(-1, old1), w.open(-1, fresh1)
	w.serve(0, 5, dead)
	w.stall(5.02, 5.04, dead)
	w.serve(5.04, 20, alive)
	for _, at := range []seconds{5.5, 6.5, 8.5} {
		w.syn(at, old1)
	}
	return w
}

func TestWhatSilentNodesWereStillSent(t *testing.T) {
	v := silentNode().judge()
	wantResult(t, v, judge.Fail, "1 of 999 requests failed (1 timeout), budget 0")
	wantText(t, v, judge.StruckNodes, `backend.example.com: after "half of the nodes go silent", 1 request and 3 connection attempts still went to the nodes concerned, the last 3.5 s after it`)
	if _, ok := finding(v, judge.FollowedDNS); ok {
		t.Error("got followed-dns although the name did not move")
	}
}

// A request that TCP sent again until the node was back was sent when it was silent.
func TestARequestThatASilentNodeTakesOnceItIsBack(t *testing.T) {
	w := silentNode()
	var stalled recording.Packet
	for _, p := range w.Packets {
		if p.Kind == recording.Segment {
			stalled = p
			break
		}
	}
	for _, k := range w.Connections {
		if k.Peer == stalled.Peer {
			w.attempt(19, k, stalled.Seq, 200)
		}
	}
	wantText(t, w.judge(), judge.StruckNodes, `backend.example.com: after "half of the nodes go silent", 1 request and 3 connection attempts still went to the nodes concerned, the last 3.5 s after it`)
}

func TestNothingWasSentToSilentNodes(t *testing.T) {
	w := kept(halfDies, struck("silence"), nil)
	w.serve(0, 5, w.open(-1, old1))
	w.serve(5, 20, w.open(-1, fresh1))
	wantText(t, w.judge(), judge.StruckNodes, `backend.example.com: sent nothing to the nodes concerned after "half of the nodes go silent"`)
}

// A proxy that opens no connection meets no handshake.
func TestTLSNeedsHandshakes(t *testing.T) {
	w := kept(tlsFails, struck(tlsRefuse), nil)
	w.serve(0, 5, w.open(-1, old1))
	w.serve(5, 20, w.open(-1, fresh1))
	wantResult(t, w.judge(), judge.Unproven, "the proxy tried no connection to a node that refused TLS: the fault could break nothing")
	w.open(7, old1)
	v := w.judge()
	wantResult(t, v, judge.Pass, "0 of 1,000 requests failed")
	wantText(t, v, judge.StruckNodes, `backend.example.com: after "half of the nodes refuse TLS with an alert", 1 connection attempt still went to the nodes concerned, the last 2.0 s after it`)
}

// post makes a request a POST.
func (w *world) post(seq uint64) {
	w.Requests[seq-1].Method = http.MethodPost
	for i := range w.Attempts {
		if w.Attempts[i].Seq == seq {
			w.Attempts[i].Method = http.MethodPost
		}
	}
}

// A POST that was under way on a node that died is lost, and that is right.
func TestAPostThatNobodyCanSave(t *testing.T) {
	w := silentNode()
	for i, r := range w.Requests {
		if r.Outcome == recording.Timeout {
			w.post(uint64(i + 1))
		}
	}
	v := w.judge()
	wantResult(t, v, judge.Pass, "1 of 999 requests failed (1 timeout), 1 POST of them on a node that died with them")
	if v.Failed != 1 || v.Unavoidable != 1 || v.PostsTwice != 0 {
		t.Errorf("got %d failed, %d unavoidable, %d twice, want 1, 1, 0", v.Failed, v.Unavoidable, v.PostsTwice)
	}
	wantText(t, v, judge.PostLost, "1 POST had been sent to a node that died before its answer had left it, and to no other: the proxy did not send it again, because it could then be carried out twice")
}

// The node may have read it and written its answer, of which nothing left it.
func TestAPostThatASilentNodeAnswered(t *testing.T) {
	for name, test := range map[string]struct {
		done        seconds
		unavoidable int
	}{
		"before the silence": {4.9, 0},
		"in it":              {5.021, 1},
	} {
		t.Run(name, func(t *testing.T) {
			w := silentNode()
			i := slices.IndexFunc(w.Requests, func(r recording.Request) bool { return r.Outcome == recording.Timeout })
			seq := w.Requests[i].Seq
			w.Packets = slices.DeleteFunc(w.Packets, func(p recording.Packet) bool { return p.Seq == seq })
			w.attempt(test.done-0.003, w.Connections[0], seq, 200)
			w.post(seq)
			if v := w.judge(); v.Failed != 1 || v.Unavoidable != test.unavoidable {
				t.Errorf("got %d failed, %d unavoidable, want 1 and %d: %q", v.Failed, v.Unavoidable, test.unavoidable, v.Reasons)
			}
		})
	}
}

// A POST that went to a node which its name had long left is lost by the proxy: one that
// follows the name would have sent it elsewhere.
func TestAPostToANodeThatTheNameHadLeft(t *testing.T) {
	for name, test := range map[string]struct {
		dies        seconds
		unavoidable int
	}{
		"no longer than it takes to know": {5.5, 1},
		"longer":                          {8, 0},
	} {
		t.Run(name, func(t *testing.T) {
			w := rotate()
			w.Manifest.Plan.Steps = planned(after(5, moves), after(test.dies-5, silent))
			w.Steps[1].Asked, w.Steps[1].InForce = test.dies, test.dies
			conn := w.open(-1, old1)
			w.serve(0, test.dies, conn)
			w.stall(test.dies+gap, test.dies+2*gap, conn)
			w.serve(test.dies+2*gap, 20, w.open(test.dies, fresh1))
			lost := slices.IndexFunc(w.Requests, func(r recording.Request) bool { return r.Outcome == recording.Timeout })
			w.post(uint64(lost + 1))
			v := w.judge()
			want := judge.Fail
			if test.unavoidable > 0 {
				want = judge.Pass
			}
			if v.Result != want || v.Failed != 1 || v.Unavoidable != test.unavoidable {
				t.Errorf("got %s %q, %d failed, %d unavoidable, want %s, 1, %d", v.Result, v.Reasons, v.Failed, v.Unavoidable, want, test.unavoidable)
			}
		})
	}
}

// Inside TLS nobody sees which node a POST was lost with: it was under way when
// the nodes that refuse TLS ended their connections, and no node had read it.
func TestAPostLostInsideTLS(t *testing.T) {
	lose := func(name string, effects []model.Effect, at recording.Seconds) judge.Verdict {
		w := kept(name, effects, nil)
		w.serve(0, 10, w.open(-1, old1))
		w.serve(10, 20, w.open(-1, fresh1))
		w.open(7, old1)
		i := slices.IndexFunc(w.Requests, func(r recording.Request) bool { return r.Sent >= at })
		w.Requests[i].Outcome, w.Requests[i].Code, w.Requests[i].Node = recording.BadGateway, 502, netip.Addr{}
		w.Requests[i].Latency = 0.001
		w.post(w.Requests[i].Seq)
		w.Attempts = slices.DeleteFunc(w.Attempts, func(a recording.Attempt) bool { return a.Seq == w.Requests[i].Seq })
		w.Steps[0].Asked = at
		w.Steps[0].InForce = at + 0.02
		return w.judge()
	}
	if v := lose(tlsFails, struck(tlsRefuse), 5); v.Unavoidable != 1 || v.Failed != 1 || v.Result != judge.Pass {
		t.Errorf("got %s %q, %d failed, %d unavoidable, want a pass with the one that nobody could save", v.Result, v.Reasons, v.Failed, v.Unavoidable)
	}
	if v := lose(dnsFails, unresolved(), 5); v.Unavoidable != 0 || v.Result == judge.Pass {
		t.Errorf("got %s %q, want no excuse if no connection was ended", v.Result, v.Reasons)
	}
}

func TestAGETThatOnlyTheClientSaved(t *testing.T) {
	w := follower()
	w.Requests[700].Resent = true
	v := w.judge()
	wantText(t, v, judge.ClientResent, "1 GET was sent again by the client: the proxy had closed the kept connection without an answer")
	if v.Result != judge.Pass {
		t.Errorf("got %s: %q, want pass", v.Result, v.Reasons)
	}
}

// One that failed without being sent anywhere could have been saved.
func TestAPostThatCouldHaveBeenSaved(t *testing.T) {
	w := follower()
	w.Requests[700].Outcome, w.Requests[700].Node = recording.BadGateway, netip.Addr{}
	w.Attempts[700].Seq = 0
	w.post(701)
	wantResult(t, w.judge(), judge.Fail, "1 of 1,000 requests failed (1 502), budget 0")
}

// A POST that reached two nodes fails the run, whatever its client saw.
func TestAPostSentTwice(t *testing.T) {
	for name, conn := range map[string]recording.Conn{
		"to an old and a fresh node": {Conn: 1, Node: old1}, "twice to a fresh one": {Conn: 2, Node: fresh1},
	} {
		t.Run(name, func(t *testing.T) {
			w := follower()
			w.attempt(18, conn, 900, 200)
			w.post(900)
			v := w.judge()
			wantResult(t, v, judge.Fail, "1 POST reached nodes more than once; 0 of 1,000 requests failed")
			wantText(t, v, judge.PostTwice, "1 POST reached nodes more than once")
			w.Requests[899].Method = "" // a GET may be
			if v := w.judge(); v.PostsTwice != 0 {
				t.Errorf("got %d, want 0: it is a GET", v.PostsTwice)
			}
		})
	}
}
