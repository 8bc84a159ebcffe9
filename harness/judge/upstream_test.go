package judge_test

import (
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/proxychaos/proxychaos/harness/judge"
	"github.com/proxychaos/proxychaos/harness/recording"
	model "github.com/proxychaos/proxychaos/harness/world"
)

var (
	login1 = netip.MustParseAddr("198.18.1.41")
	login2 = netip.MustParseAddr("198.18.1.42")
)

// Two names of one config can come to different causes in one run, and a finding says
// of which name it is.
func TestEachUpstreamIsJudgedByItself(t *testing.T) {
	w := twoNames()
	for at := seconds(9); at < 20; at += 3 {
		w.syn(at, login1)
	}
	v := w.judge()
	wantFindings(t, v, judge.ResolvedOnce, judge.FollowedDNS)
	wantText(t, v, judge.ResolvedOnce, "login.internal.example.com: resolved once at start: 0 DNS queries after t=0; 4 connection attempts on the retired 198.18.1.41")
	for _, f := range v.Findings {
		if !strings.HasPrefix(f.Text, f.Upstream+": ") {
			t.Errorf("got %q of upstream %q, want its name first", f.Text, f.Upstream)
		}
	}
	if f, _ := finding(v, judge.FollowedDNS); f.Upstream != "backend.example.com" {
		t.Errorf("got followed-dns of %q, want of the other name", f.Upstream)
	}
	if v.DNSBefore != 5 || v.Stale != 0 || v.StaleConnects != 4 {
		t.Errorf("got %d queries before, %d + %d stale, want 5, 0 + 4", v.DNSBefore, v.Stale, v.StaleConnects)
	}
}

// Of two names with the same cause, the one with the larger loss is named first, whichever
// was asked for first.
func TestTheUpstreamWithTheLargerLossComesFirst(t *testing.T) {
	w := twoNames()
	for at := seconds(9); at < 20; at += 3 {
		w.syn(at, old1)
	}
	for at := seconds(9); at < 20; at++ {
		w.syn(at, login1)
	}
	var got []string
	for _, f := range w.judge().Findings {
		if f.Code == judge.ResolvedOnce {
			got = append(got, f.Upstream)
		}
	}
	if want := []string{"login.internal.example.com", "backend.example.com"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v: 11 connection attempts were lost on the first, 4 on the second", got, want)
	}
}

// twoNames is a follower that has a second name besides, which it asked for at its start.
func twoNames() *world {
	w := follower()
	w.nameLogin()
	w.queryLogin(-1.2, login1)
	conn := w.open(-1, login1)
	for at := seconds(0); at < 8; at++ {
		w.attempt(at, conn, 0, 200)
	}
	return w
}

func (w *world) queryLogin(at seconds, answer netip.Addr) {
	w.query(at, answer)
	w.Queries[len(w.Queries)-1].Name = "Login.internal.example.com"
}

// nameLogin adds a second name, which moves from login1 to login2 when the first one moves.
func (w *world) nameLogin() {
	w.Manifest.World.Nodes = append(w.Manifest.World.Nodes,
		model.Node{Addr: login1, Upstream: 2, Balancer: "backend", Number: 1},
		model.Node{Addr: login2, Upstream: 2, Balancer: "backend", Number: 3})
	w.Steps[0].Effects = append(w.Steps[0].Effects, model.Effect{Node: login1, Named: no}, model.Effect{Node: login2, Named: yes})
	w.Steps[1].Effects = append(w.Steps[1].Effects, model.Effect{Node: login1, Serves: no, How: "silence"})
}

// What healed is the name whose dead nodes were still tried, not one that was well.
func TestHealedByTheNameThatWasIll(t *testing.T) {
	w := twoNames()
	w.syn(8.5, login1)
	w.failing(8.1, 11.3, recording.BadGateway)
	w.queryLogin(11.2, login2)
	wantText(t, w.judge(), judge.HealedItself, `healed by itself 3.3 s after "old nodes go silent": it asked DNS again 3.2 s after the fault`)
}

// A name that was asked for at the start and never used does not heal.
func TestHealedByTheNameThatWasUsed(t *testing.T) {
	w := rotate()
	w.nameLogin()
	w.queryLogin(-1.2, login1)
	w.queryLogin(9, login2)
	w.serve(0, 8, w.open(-1, login1))
	w.fail(8, 9, recording.BadGateway)
	w.serve(9, 20, w.open(9, login2))
	wantText(t, w.judge(), judge.HealedItself, `healed by itself 1.0 s after "old nodes go silent": it asked DNS again 1.0 s after the fault`)
}

// A name that the search for the way in met, and the load does not, says nothing by not being
// asked for again.
func TestANameThatOnlyTheSearchMet(t *testing.T) {
	w := once()
	w.nameLogin()
	w.queryLogin(-1.2, login1)
	w.attempt(-1.1, w.open(-1.1, login1), 0, 200)
	for _, f := range w.judge().Findings {
		if f.Code == judge.ResolvedOnce && f.Upstream != "backend.example.com" {
			t.Errorf("got %q", f.Text)
		}
	}
}

// literal makes the nodes of a recording those of literal addresses, which the proxy
// never asked for.
func (w *world) literal() {
	t := &w.Manifest.World
	for i := range t.Nodes {
		t.Nodes[i].Upstream = model.Literal
	}
	t.Literals = []model.LiteralAddr{
		{Addr: netip.MustParseAddr("192.168.1.101"), Node: old1}, {Addr: netip.MustParseAddr("10.0.3.7"), Node: old2},
	}
	w.Queries = nil
}

// A literal address goes by itself in findings, and is the cause: no name moves it.
func TestALiteralAddressIsACause(t *testing.T) {
	w := rotate()
	w.literal()
	conn := w.open(-1, old1)
	w.serve(0, 8, conn)
	for at := seconds(8.1); at < 20; at++ {
		w.syn(at, old1)
	}
	w.fail(8.1, 20, recording.BadGateway)
	v := w.judge()
	wantText(t, v, judge.ResolvedOnce, "192.168.1.101, 10.0.3.7: literal addresses, which no name moves; 49 requests and 12 connection attempts on the retired 192.168.1.101")
	if v.Result != judge.Fail {
		t.Errorf("got %s, want it to fail: a name would have led to nodes that serve", v.Result)
	}
}

// The same if nginx stopped trying before anything counted as stale.
func TestALiteralAddressThatNobodyTriesAnyMore(t *testing.T) {
	w := atOnce()
	w.literal()
	w.Manifest.World.Literals = w.Manifest.World.Literals[:1]
	w.serve(0, 5, w.open(-1, old1))
	w.syn(5.1, old1)
	w.fail(5, 20, recording.BadGateway)
	wantText(t, w.judge(), judge.ResolvedOnce, "192.168.1.101: a literal address, which no name moves, no request reached the new nodes, and failures went on to the end of the load")
}

// nginx with proxy_connect_timeout 1s considers every node that it knows down before
// anything counts as stale: it asked no more, and failed to the end.
func TestStoppedTryingBeforeAnythingIsStale(t *testing.T) {
	w := atOnce()
	w.serve(0, 5, w.open(-1, old1))
	w.syn(5.1, old1)
	w.syn(5.2, old2)
	w.fail(5, 20, recording.BadGateway)
	v := w.judge()
	if v.Stale+v.StaleConnects != 0 {
		t.Fatalf("got %d stale: the case is about a run without any", v.Stale)
	}
	wantFindings(t, v, judge.ResolvedOnce)
	wantText(t, v, judge.ResolvedOnce, "backend.example.com: resolved once at start: 0 DNS queries after the name moved, no request reached the new nodes, and failures went on to the end of the load")
	w.query(9, fresh1) // it did ask
	wantFindings(t, w.judge(), judge.LeftLate, judge.HeldDown)
}

// A proxy that answers by itself at once tried nobody.
func TestHeldDown(t *testing.T) {
	w := follower()
	for i := 700; i < 720; i++ {
		w.Requests[i].Outcome, w.Requests[i].Code, w.Requests[i].Node = recording.BadGateway, 502, netip.Addr{}
		w.Attempts[i].Seq = 0
	}
	v := w.judge()
	wantText(t, v, judge.HeldDown, "the proxy itself answered 20 requests at once with an error and sent them to no node: it had no address, or considered every one down")
}

// A run that failed and that nothing explains is a defect that is seen.
func TestUnexplained(t *testing.T) {
	w := follower()
	w.Requests[700].Outcome, w.Requests[700].Code = recording.Connection, 0
	v := w.judge()
	if v.Result != judge.Fail || v.Findings[0].Code != judge.Unexplained {
		t.Errorf("got %s with %v, want fail with unexplained first", v.Result, v.Findings)
	}
	if _, ok := finding(follower().judge(), judge.Unexplained); ok {
		t.Error("got unexplained in a run that passes")
	}
}

// flapping: the old nodes are struck at 5 s and at 12 s, and are back 3 s later.
func flapping() *world {
	w := kept("first", struck("silence"), nil)
	back := []model.Effect{{Node: old1, Serves: yes}, {Node: old2, Serves: yes}}
	w.Manifest.Plan.Steps = planned(after(5, "first"), after(3, "back"), after(4, "second"), after(3, "back again"))
	w.Steps = append(w.Steps, step(2, "back", 8.001, back), step(3, "second", 12.001, struck("silence")), step(4, "back again", 15.001, back))
	w.Manifest.Plan.Budget.RecoverWithin = 2
	w.serve(0, 5, w.open(-1, old1))
	w.serve(5, 20, w.open(5, fresh1))
	return w
}

// Each fault that takes something away has its own time to recover.
func TestSeveralLosses(t *testing.T) {
	w := flapping()
	w.failing(5, 6, recording.Timeout)
	w.failing(11.99, 13.5, recording.Timeout) // the first was under way
	v := w.judge()
	wantResult(t, v, judge.Pass, "125 of 1,000 requests failed (125 timeout)")
	near(t, "recovery", *v.Recovery, 13.481-12.001)
	near(t, "window", v.Window, 20-12.001)
	w.failing(6, 7.1, recording.Timeout)
	v = w.judge()
	wantResult(t, v, judge.Fail, "180 of 1,000 requests failed (180 timeout); 4 requests sent more than 2.0 s after one of 2 faults, the last one 2.1 s after")
	near(t, "recovery", *v.Recovery, 7.081-5.002)
}

// Nobody can save a request for which no node served.
func TestLostWhileNoNodeServed(t *testing.T) {
	all := append(struck("silence"), model.Effect{Node: fresh1, Serves: no, How: "silence"})
	back := []model.Effect{{Node: old1, Serves: yes}, {Node: old2, Serves: yes}, {Node: fresh1, Serves: yes}}
	w := kept("all nodes go silent", all, back)
	w.serve(0, 20, w.open(-1, old1))
	w.failing(6, 10, recording.BadGateway)
	v := w.judge()
	wantResult(t, v, judge.Pass, "200 of 1,000 requests failed (200 502), 200 of them while no node served")
	w.failing(16, 16.1, recording.BadGateway)
	v = w.judge()
	if v.Result != judge.Fail || v.WithoutNode != 200 || v.Failed != 205 {
		t.Errorf("got %s, %d without a node of %d failed, want fail, 200 of 205", v.Result, v.WithoutNode, v.Failed)
	}
}

// What fails as the nodes come back could not have had an answer of theirs, which takes as long
// as it took before.
func TestFailedAsTheNodesCameBack(t *testing.T) {
	all := append(struck("silence"), model.Effect{Node: fresh1, Serves: no, How: "silence"})
	for _, tc := range []struct {
		latency seconds // of a request that is sent 10 ms before the nodes are back
		saved   bool
	}{
		{0.0102, false}, // 0.2 ms after it
		{0.05, true},
	} {
		w := kept("all nodes go silent", all, []model.Effect{{Node: old1, Serves: yes}, {Node: old2, Serves: yes}, {Node: fresh1, Serves: yes}})
		w.serve(0, 20, w.open(-1, old1))
		without, back := w.judge().WithoutNode, w.Steps[1].InForce
		i := slices.IndexFunc(w.Requests, func(r recording.Request) bool { return r.Sent >= back-gap })
		w.Requests[i].Sent, w.Requests[i].Latency, w.Requests[i].Outcome = back-0.01, tc.latency, recording.BadGateway
		if got := w.judge().WithoutNode; (got == without) != tc.saved {
			t.Errorf("failed %v s after the nodes were back: got %d failed requests without a node, %d before it failed", tc.latency-0.01, got, without)
		}
	}
}

// A request that was under way as the last node was lost, or was sent while they were being
// lost, could not be saved either; one that had been waiting since a first node was lost could.
func TestUnderWayAsTheLastNodeWasLost(t *testing.T) {
	half := struck("silence")
	for _, tc := range []struct {
		name    string
		before  []recording.Step
		sent    seconds
		latency seconds
		saved   bool
	}{
		{"sent before it was asked for", nil, 4.98, 0.03, false},
		{"sent between asking and taking hold", nil, 5.001, 0.008, false},
		{"ended before it was asked for", nil, 4.98, 0.01, true},
		{"sent to a node that was lost before", []recording.Step{step(1, halfDies, 3.002, half[:1])}, 3.5, 1.6, true},
	} {
		all := append(half, model.Effect{Node: fresh1, Serves: no, How: "silence"})
		w := kept("all nodes go silent", all, []model.Effect{{Node: old1, Serves: yes}, {Node: old2, Serves: yes}, {Node: fresh1, Serves: yes}})
		w.Steps[0].Asked = 5
		w.Steps = append(tc.before, w.Steps...)
		w.serve(0, 20, w.open(-1, old1))
		w.failing(5.01, 15, recording.BadGateway)
		without := w.judge().WithoutNode
		i := slices.IndexFunc(w.Requests, func(r recording.Request) bool { return r.Sent >= tc.sent-gap })
		w.Requests[i].Sent, w.Requests[i].Latency, w.Requests[i].Outcome = tc.sent, tc.latency, recording.BadGateway
		if got := w.judge().WithoutNode; (got == without) != tc.saved {
			t.Errorf("%s: got %d failed requests without a node, %d before it failed", tc.name, got, without)
		}
	}
}

// So with a POST, and it is counted once, also if it was sent to one of the dead nodes.
func TestPostsLostWhileNoNodeServed(t *testing.T) {
	all := append(struck("silence"), model.Effect{Node: fresh1, Serves: no, How: "silence"})
	w := kept("all nodes go silent", all, []model.Effect{{Node: old1, Serves: yes}})
	conn := w.open(-1, old1)
	w.serve(0, 5, conn)
	w.fail(5.02, 15, recording.BadGateway)
	w.serve(15, 20, conn)
	w.Packets = append(w.Packets, recording.Packet{At: 5.023, Kind: recording.Segment, Node: old1, Port: 80, Peer: conn.Peer, Seq: 251})
	for seq := uint64(251); seq <= 749; seq++ {
		w.post(seq)
	}
	v := w.judge()
	wantResult(t, v, judge.Pass, "499 of 999 requests failed (499 502), 499 of them while no node served")
	if v.WithoutNode != 499 || v.Unavoidable != 0 {
		t.Errorf("got %d without a node, %d lost with theirs, want 499, 0", v.WithoutNode, v.Unavoidable)
	}
}

// While no node serves, a recovery does not count against a proxy.
func TestRecoveryWaitsForANode(t *testing.T) {
	all := append(struck("silence"), model.Effect{Node: fresh1, Serves: no, How: "silence"})
	w := kept("all nodes go silent", all, []model.Effect{{Node: old1, Serves: yes}})
	w.Manifest.Plan.Budget.RecoverWithin = 2
	w.serve(0, 20, w.open(-1, old1))
	w.failing(5.01, 15, recording.BadGateway)
	wantResult(t, w.judge(), judge.Pass, "499 of 1,000 requests failed (499 502), 499 of them while no node served")
	w.failing(15.1, 15.2, recording.BadGateway)
	wantResult(t, w.judge(), judge.Fail, `504 of 1,000 requests failed (504 502), 499 of them while no node served; 5 requests sent more than 2.0 s after "all nodes go silent", the last one 10.2 s after`)
}

// A fault that hits some requests only leaves a node that could have served.
func TestAStrikeInPartExcusesNobody(t *testing.T) {
	all := append(struck("error"), model.Effect{Node: fresh1, Serves: no, Partly: true, How: "error"})
	w := kept("all nodes answer with an error", all, nil)
	w.serve(0, 20, w.open(-1, old1))
	w.failing(6, 10, recording.BadGateway)
	if v := w.judge(); v.Result != judge.Fail || v.WithoutNode != 0 {
		t.Errorf("got %s with %d without a node, want fail with none: %q", v.Result, v.WithoutNode, v.Reasons)
	}
}

// A name that moves to a node that refuses takes something away when it moves, not when
// the node, that nobody used, began to refuse.
func TestANameThatMovesToABrokenNode(t *testing.T) {
	w := rotate()
	w.Manifest.Plan.Steps = planned(after(5, "spare nodes refuse"), after(5, moves))
	w.Steps = []recording.Step{step(1, "spare nodes refuse", 5, []model.Effect{{Node: fresh1, Serves: no, How: "refuse"}}), step(2, moves, 10, left())}
	w.Manifest.Plan.Budget.RecoverWithin = 2
	w.serve(0, 20, w.open(-1, old1))
	w.query(10.5, fresh1)
	w.failing(10, 11.5, recording.BadGateway)
	w.syn(10.6, fresh1)
	v := w.judge()
	near(t, "recovery", *v.Recovery, 11.481-10)
	wantText(t, v, judge.StruckNodes, `backend.example.com: after "name moves to new nodes", 1 connection attempt still went to the nodes concerned, the last 0.6 s after it`)
}

// Nodes that refuse TLS after their name left them need not be tried.
func TestTLSOfNodesThatTheNameLeft(t *testing.T) {
	w := follower()
	w.Steps[1].Effects = struck(tlsRefuse)
	wantResult(t, w.judge(), judge.Pass, "0 of 1,000 requests failed")
}

// A request with the old answer in hand tries each old node for the kernel's time, also
// if the nodes come back later.
func TestNodesThatComeBackWereLeftAllTheSame(t *testing.T) {
	w := pooled()
	w.Manifest.Plan.Steps = append(w.Manifest.Plan.Steps, after(8, "the nodes are back"))
	w.Steps = append(w.Steps, step(3, "the nodes are back", 16, []model.Effect{{Node: old1, Named: yes, Serves: yes}, {Node: old2, Named: yes, Serves: yes}}))
	w.Queries = w.Queries[:1]
	w.query(6.5, fresh1)
	w.syn(10.4, old1)
	wantFindings(t, w.judge(), judge.PooledOld)
	w.syn(11, old1)
	wantFindings(t, w.judge(), judge.ResolvedOnce)
}

// scaledOut gives the name one more node at 5 s and takes the old ones out at 8 s, which
// are silent from 11 s on.
func scaledOut() *world {
	w := rotate()
	w.Manifest.Plan.Steps = planned(after(5, "more nodes"), after(3, moves), after(3, silent))
	w.Steps = []recording.Step{step(1, "more nodes", 5, left()[2:]), step(2, moves, 8, left()[:2]), step(3, silent, 11, struck("silence"))}
	return w
}

// More nodes are no move: what was asked before the old ones left says nothing.
func TestAScaleOutThatNobodyFollowed(t *testing.T) {
	w := scaledOut()
	w.query(6, old1, old2, fresh1)
	conn := w.open(-1, old1)
	w.serve(0, 11, conn)
	w.stall(11, 20, conn)
	w.syn(14, old2)
	v := w.judge()
	wantFindings(t, v, judge.ResolvedOnce)
	wantText(t, v, judge.ResolvedOnce, "backend.example.com: resolved once at start: 0 DNS queries after the name moved, 1 between t=0 and then; 500 requests and 1 connection attempt on the retired 198.18.1.21, 198.18.1.22")
}

func TestAScaleOutThatWasFollowed(t *testing.T) {
	w := scaledOut()
	w.query(8.5, fresh1)
	w.serve(0, 9, w.open(-1, old1))
	w.serve(9, 20, w.open(9, fresh1))
	v := w.judge()
	wantResult(t, v, judge.Pass, "0 of 1,000 requests failed")
	wantText(t, v, judge.FollowedDNS, "backend.example.com: left the old nodes 1.0 s after the name moved")
}
