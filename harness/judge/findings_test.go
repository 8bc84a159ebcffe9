package judge_test

import (
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/proxychaos/proxychaos/harness/judge"
	"github.com/proxychaos/proxychaos/harness/recording"
)

func TestResolvedOnce(t *testing.T) {
	v := once().judge()
	wantResult(t, v, judge.Fail, "600 of 1,000 requests failed (600 timeout), budget 0",
		`never recovered within the 12.0 s from "old nodes go silent" to the end of the load`)
	wantFindings(t, v, judge.ResolvedOnce)
	// Stale from 7.002 on: 49 (7.02 to 7.98, 2 ms later each) and one at 7.0 served, 600 sent to silence.
	f := wantText(t, v, judge.ResolvedOnce,
		"backend.example.com: resolved once at start: 0 DNS queries after t=0; 649 requests and 3 connection attempts on the retired 198.18.1.21, 198.18.1.22")
	want := []string{
		"dns.jsonl:1 t=-1.500 s A Backend.example.com: NOERROR 198.18.1.21, 198.18.1.22 TTL 1.0 s",
		"attempts.jsonl:352 t=7.022 s GET / (seq 352) at 198.18.1.21 on connection 1: 200",
	}
	if !slices.Equal(f.Evidence[:2], want) || len(f.Evidence) != 6 || f.Evidence[5] != "and 648 more" {
		t.Errorf("got evidence %q, want 5 rows that begin with %q, and how many more", f.Evidence, want)
	}
	if v.Stale != 649 || v.StaleConnects != 3 {
		t.Errorf("got %d stale requests and %d connects, want 649 and 3", v.Stale, v.StaleConnects)
	}
	near(t, "last stale", *v.LastStale, 19.982-5.002)
}

func TestResolvedOnceAfterTheStartOfTheLoad(t *testing.T) {
	w := once()
	w.query(0.5, old1)
	wantText(t, w.judge(), judge.ResolvedOnce,
		"backend.example.com: resolved once at start: 0 DNS queries after the name moved, 1 between t=0 and then; 649 requests and 3 connection attempts on the retired 198.18.1.21, 198.18.1.22")
}

func TestResolvedOnceWithConnectionsOnly(t *testing.T) {
	w := rotate()
	w.serve(0, 6, w.open(-1, old1))
	w.fail(6, 20, recording.GatewayTimeout)
	w.syn(9, old2)
	wantText(t, w.judge(), judge.ResolvedOnce, "backend.example.com: resolved once at start: 0 DNS queries after t=0; 1 connection attempt on the retired 198.18.1.22")
}

// Queries for other names say nothing about the one that moves.
func TestOtherNamesDoNotCount(t *testing.T) {
	w := once()
	w.query(9, netip.MustParseAddr("203.0.113.1"))
	w.Queries[len(w.Queries)-1].Name = "metrics.example.com"
	v := w.judge()
	if _, ok := finding(v, judge.ResolvedOnce); !ok || v.DNSAfter != 0 {
		t.Errorf("got %d queries after the flip and findings %v", v.DNSAfter, v.Findings)
	}
	// An empty answer for the name that moves is a query for it.
	w.query(9)
	if v := w.judge(); v.DNSAfter != 1 {
		t.Errorf("got %d queries after the flip, want the AAAA one", v.DNSAfter)
	}
}

func TestPooledKeptOld(t *testing.T) {
	v := pooled().judge()
	wantFindings(t, v, judge.PooledOld)
	f := wantText(t, v, judge.PooledOld,
		"backend.example.com: resolved again, but pooled connections kept the old address: 15 DNS queries after the name moved, the first answer with the fresh nodes 0.5 s after it; 649 requests on 1 connection opened before it, the last 15.0 s after it")
	if len(f.Evidence) != 6 || !strings.HasPrefix(f.Evidence[0], "dns.jsonl:2 t=5.500 s") || !strings.HasPrefix(f.Evidence[1], "attempts.jsonl:352 ") {
		t.Errorf("got evidence %q", f.Evidence)
	}
}

// A proxy that passes TCP on has no pool. A connection to a node lasts as long as that of a
// client, also one that was opened before the proxy had to know better.
func TestAConnectionThatWasOpenedInTimeLasts(t *testing.T) {
	w := follower()
	conn := w.open(6.5, old1)
	for _, at := range []seconds{6.6, 7.1, 7.5} {
		w.attempt(at, conn, 0, 200)
	}
	v := w.judge()
	wantResult(t, v, judge.Pass, "0 of 1,000 requests failed")
	wantFindings(t, v, judge.PooledOld)
	wantText(t, v, judge.PooledOld,
		"backend.example.com: resolved again, but pooled connections kept the old address: 15 DNS queries after the name moved, the first answer with the fresh nodes 0.5 s after it; 2 requests on 1 connection opened before it or within 2.0 s of it, the last 2.5 s after it")
}

// Nodes that refuse are reset one after the other: what asks DNS when the first
// of them is, before the last one, has asked after the end.
func TestAskedWhileTheNodesWereEnding(t *testing.T) {
	w := once()
	w.Steps[1].Asked, w.Steps[1].InForce = 7.9, 8.0
	w.query(7.95, fresh1)
	wantText(t, w.judge(), judge.ResolvedOnce, "backend.example.com: resolved once per process: 0 DNS queries between the move of the name and the end of the old nodes, 1 after it; 649 requests and 3 connection attempts on the retired 198.18.1.21, 198.18.1.22")
}

// A child of Apache that started after the move knows the fresh nodes; the
// others do not, and connect to the old ones.
func TestResolvedOncePerProcess(t *testing.T) {
	w := once()
	w.query(6, fresh1)
	v := w.judge()
	wantFindings(t, v, judge.ResolvedOnce)
	f := wantText(t, v, judge.ResolvedOnce,
		"backend.example.com: resolved once per process: 1 DNS query after the name moved, but not by every process: connections to the old nodes were still opened after the answer; 649 requests and 3 connection attempts on the retired 198.18.1.21, 198.18.1.22")
	if !strings.HasPrefix(f.Evidence[1], "dns.jsonl:2 t=6.000 s") {
		t.Errorf("got evidence %q, want the later query in the second row", f.Evidence)
	}
	// A request that began with the old answer tries the second old node when
	// the kernel has given up the first: that says nothing.
	w = pooled()
	w.syn(10.4, old1)
	w.Queries = w.Queries[:1]
	w.query(6.5, fresh1)
	wantFindings(t, w.judge(), judge.PooledOld)
	// On the production clock the kernel tries for 127 s.
	w.syn(11, old1)
	wantFindings(t, w.judge(), judge.ResolvedOnce)
	w.Manifest.Plan.Clock = recording.ProductionClock
	wantFindings(t, w.judge(), judge.PooledOld)
}

func TestNotPooled(t *testing.T) {
	for name, change := range map[string]func(*world){
		"connection opened too late": func(w *world) { w.Connections[0].Opened = 7.01 },
		"answers still with old nodes": func(w *world) {
			for i := range w.Queries {
				w.Queries[i].Answers = append(w.Queries[i].Answers, old1)
			}
		},
		"within the refresh": func(w *world) { w.Manifest.Plan.Refresh = 15 },
	} {
		w := pooled()
		change(w)
		if f, ok := finding(w.judge(), judge.PooledOld); ok {
			t.Errorf("%s: got finding %q", name, f.Text)
		}
	}
}

func TestHealedByItself(t *testing.T) {
	v := healer().judge()
	wantFindings(t, v, judge.ResolvedOnce, judge.HealedItself)
	wantText(t, v, judge.ResolvedOnce,
		"backend.example.com: resolved once per process: 0 DNS queries between the move of the name and the end of the old nodes, 1 after it; 164 requests and 1 connection attempt on the retired 198.18.1.21")
	f := wantText(t, v, judge.HealedItself, `healed by itself 2.3 s after "old nodes go silent": it asked DNS again 2.2 s after the fault`)
	want := []string{"requests.jsonl:515 t=10.281 s seq 515: timeout after 3.0 s", "dns.jsonl:2 t=10.200 s A backend.example.com: NOERROR 198.18.1.31 TTL 1.0 s"}
	if !slices.Equal(f.Evidence, want) {
		t.Errorf("got evidence %q, want %q", f.Evidence, want)
	}
}

func TestHealedWithoutDNS(t *testing.T) {
	w := healer()
	w.Queries = w.Queries[:1]
	wantText(t, w.judge(), judge.HealedItself, `healed by itself 2.3 s after "old nodes go silent", without asking DNS again`)
}

// A query while the old nodes still served is none after a failed connect.
func TestAskedBeforeTheEndIsNotHealedByFailure(t *testing.T) {
	w := healer()
	w.query(6, old1)
	v := w.judge()
	wantFindings(t, v, judge.LeftLate, judge.HealedItself)
	wantText(t, v, judge.HealedItself, `healed by itself 2.3 s after "old nodes go silent": it asked DNS again 1.0 s after the name moved`)
}

func TestConnectionPerRequest(t *testing.T) {
	v := perRequest().judge()
	wantResult(t, v, judge.Pass, "0 of 1,000 requests failed")
	wantFindings(t, v, judge.FollowedDNS, judge.ConnectionPerRequest)
	wantText(t, v, judge.ConnectionPerRequest, "every request opens a connection: 251 connections for 251 requests before the fault")
	if v.ConnectionsPerRequest != 1 {
		t.Errorf("got %g connections per request", v.ConnectionsPerRequest)
	}
	w := follower() // 1 connection for every 2 requests is a small pool, no more
	for i := range 125 {
		w.open(seconds(i)*2*gap, old1)
	}
	v = w.judge()
	if v.ConnectionsPerRequest != 125.0/251 {
		t.Errorf("got %g connections per request, want %g", v.ConnectionsPerRequest, 125.0/251)
	}
	wantFindings(t, v, judge.FollowedDNS)
}

func TestFollowedDNS(t *testing.T) {
	f := wantText(t, follower().judge(), judge.FollowedDNS, "backend.example.com: left the old nodes 1.0 s after the name moved")
	if len(f.Evidence) != 2 || !strings.HasPrefix(f.Evidence[0], "attempts.jsonl:300 t=5.982 s") || !strings.HasPrefix(f.Evidence[1], "dns.jsonl:7 t=5.500 s") {
		t.Errorf("got evidence %q", f.Evidence)
	}
	w := rotate()
	w.serve(0, 5, w.open(-1, old1))
	w.serve(5, 20, w.open(5, fresh1))
	v := w.judge()
	wantText(t, v, judge.FollowedDNS, "backend.example.com: left the old nodes at once when the name moved")
	if v.LastStale != nil {
		t.Errorf("got last stale %g, want none", *v.LastStale)
	}
	// Not of a proxy that no fresh node has served, though no old one did: it
	// fails, or answers from a page of its own.
	w = rotate()
	w.serve(0, 5, w.open(-1, old1))
	w.fail(5, 10, recording.BadGateway)
	w.fail(10, 20, recording.OK)
	if f, ok := finding(w.judge(), judge.FollowedDNS); ok {
		t.Errorf("got %q", f.Text)
	}
	// Nor of one that goes on trying to connect.
	w = follower()
	w.syn(12, old1)
	if f, ok := finding(w.judge(), judge.FollowedDNS); ok {
		t.Errorf("got %q", f.Text)
	}
}

// One request is counted once, though several rows show it.
func TestStaleRequestsAreCountedOnce(t *testing.T) {
	w := follower()
	conn := w.Connections[0]
	w.attempt(7.5, conn, 9001, 503)
	segment := recording.Packet{At: 7.6, Kind: recording.Segment, Node: old1, Port: 80, Peer: conn.Peer, Seq: 9001}
	w.Packets = append(w.Packets, segment) // the same request, seen on the wire too
	segment.Seq = 9002
	w.Packets = append(w.Packets, segment, segment) // sent twice without a mark
	segment.Seq = 0
	w.Packets = append(w.Packets, segment, segment) // two that cannot be told apart
	segment.Retransmit = true
	w.Packets = append(w.Packets, segment)
	other := segment // another request of the same number on another connection: a retry
	other.Seq, other.Peer, other.Retransmit = 9001, netip.AddrPortFrom(proxy, 50000), false
	w.Packets = append(w.Packets, other)
	fresh := other // of no interest
	fresh.Node, fresh.Seq = fresh1, 9003
	w.Packets = append(w.Packets, fresh)
	if v := w.judge(); v.Stale != 5 {
		t.Errorf("got %d stale requests, want 5: 9001, 9002, two without a number, and the retry of 9001", v.Stale)
	}
}

// A packet belongs to the last connection that its port had by then.
func TestPortsAreUsedAgain(t *testing.T) {
	w := pooled()
	first := w.Connections[0]
	for _, opened := range []seconds{7.5, 15} {
		again := first
		again.Conn, again.Opened = again.Conn+uint64(opened), opened
		w.Connections = append(w.Connections, again)
	}
	// Of the requests from 7.002 s on only those before 8 s are on the early
	// connection: rows of nodes name theirs, segments only the port.
	f, _ := finding(w.judge(), judge.PooledOld)
	if !strings.Contains(f.Text, "49 requests on 1 connection opened before it") {
		t.Errorf("got %q", f.Text)
	}
	w.Connections[1].Opened = 1
	f, _ = finding(w.judge(), judge.PooledOld)
	if !strings.Contains(f.Text, "399 requests on 2 connections opened before it") {
		t.Errorf("got %q", f.Text)
	}
}

// A pool that opens no connection asks nothing: that it would not ask was not seen.
func TestPooledConnectionsWithoutAQuestion(t *testing.T) {
	w := rotate()
	conn := w.open(-1, old1)
	w.serve(0, 20, conn)
	v := w.judge()
	wantFindings(t, v, judge.PooledOld, judge.ResolvedOnce)
	wantText(t, v, judge.PooledOld,
		"backend.example.com: pooled connections kept the old address: no connection was opened after the name moved, so that DNS was not asked; 649 requests on 1 connection opened before it, the last 15.0 s after it")
	w.syn(9, old2) // it opens one: to where it knows from before
	wantFindings(t, w.judge(), judge.ResolvedOnce)
}

// A proxy that considers its nodes down answers by itself: it had to open a connection, and
// did not ask where to.
func TestPooledConnectionsEndAndNobodyAsks(t *testing.T) {
	w := rotate()
	conn := w.open(-1, old1)
	w.serve(0, 12, conn)
	w.fail(12, 20, recording.BadGateway)
	v := w.judge()
	wantFindings(t, v, judge.ResolvedOnce)
	w.query(12.5, fresh1)
	wantFindings(t, w.judge(), judge.PooledOld, judge.ResolvedOnce)
}

func TestEvidenceFromPackets(t *testing.T) {
	w := rotate()
	conn := w.open(-1, old1)
	w.serve(0, 6, conn)
	w.fail(6, 8.1, recording.OK)
	w.stall(8.1, 8.2, conn)
	w.fail(8.2, 20, recording.OK)
	w.syn(9, old2)
	f, _ := finding(w.judge(), judge.ResolvedOnce)
	if len(f.Evidence) != 6 || f.Evidence[1] != "packets.jsonl:1 t=8.102 s request (seq 406) sent to 198.18.1.21 from 198.18.1.2:40001" {
		t.Errorf("got evidence %q", f.Evidence)
	}
	w.Packets = w.Packets[len(w.Packets)-2:]
	f, _ = finding(w.judge(), judge.ResolvedOnce)
	if f.Evidence[1] != "packets.jsonl:1 t=9.000 s connection attempt to 198.18.1.22 from 198.18.1.2:40002" {
		t.Errorf("got evidence %q", f.Evidence)
	}
}

func TestProxyLog(t *testing.T) {
	w := once()
	connect := "[Thu Nov 21 10:12:17 2019] [proxy:error] [pid 10] (110)Connection timed out: AH00957: HTTP: attempt to connect to 198.18.1.21:80 failed"
	w.log(-2, connect) // the warm-up is not judged
	w.log(8.5, "2026/11/20 12:00:00 [error] 9#9: *1 upstream timed out (110: Connection timed out) while connecting to upstream")
	for range 7 {
		w.log(9, connect)
	}
	w.log(9.5, "[Thu Nov 21 10:12:17 2019] [core:error] [pid 10] something new")
	w.log(9.6, "2026/11/20 12:00:00 [crit] 9#9: something else")
	w.log(9.7, "2026/11/20 12:00:00 [warn] 9#9: a warning")
	w.log(9.8, `198.18.1.3 "GET /[errors] HTTP/1.1" 200`)
	v := w.judge()
	wantFindings(t, v, judge.ResolvedOnce, judge.LogEvidence, judge.LogEvidence, judge.LogEvidence)
	for i, want := range []struct {
		text     string
		evidence int
	}{
		{`the proxy's log: Apache could not connect to a node, "AH00957": 7 lines, the first at t=9.000 s: ` + connect, 6},
		{`the proxy's log: nginx waited for a node in vain, "upstream timed out": 1 line, the first at t=8.500 s: ` + w.ProxyLog[1].Text, 1},
		{`the proxy's log: other errors: 2 lines, the first at t=9.500 s: ` + w.ProxyLog[9].Text, 2},
	} {
		got := v.Findings[i+1]
		if got.Text != want.text || len(got.Evidence) != want.evidence {
			t.Errorf("got %q with %d rows of evidence, want %q with %d", got.Text, len(got.Evidence), want.text, want.evidence)
		}
	}
	if got := v.Findings[1].Evidence; got[0] != "proxy.log:3 t=9.000 s "+connect || got[5] != "and 2 more" {
		t.Errorf("got evidence %q", got)
	}
}

func TestKnownLogLines(t *testing.T) {
	for line, want := range map[string]string{
		"AH01114: HTTP: failed to make connection to backend: 198.18.1.21":                   "could not connect to the backend",
		"AH01102: error reading status line from remote server backend:80":                   "no status line",
		"AH00898: Error reading from remote server returned by /":                            "could not read a node's answer",
		"AH00959: ap_proxy_connect_backend disabling worker for (backend:80) for 60s":        "out of use for a while",
		"AH00940: HTTP: disabled connection for (backend:80)":                                "out of use",
		"AH10481: HTTP: closing connection to backend (198.18.1.2:4<>198.18.1.21:80) on ...": "address of the name had changed",
		"[proxy:warn] (110)Connection timed out: something":                                  "timed out",
		"connect() failed (111: Connection refused) while connecting to upstream":            "refused nginx's connection",
		"no live upstreams while connecting to upstream":                                     "considers every node down",
		"backend.example.com could not be resolved (3: Host not found)":                      "no address for the name",
		"upstream prematurely closed connection while reading response header":               "without an answer",
	} {
		w := follower()
		w.log(9, line)
		f, ok := finding(w.judge(), judge.LogEvidence)
		if !ok || !strings.Contains(f.Text, want) {
			t.Errorf("%s: got %q, want %q in it", line, f.Text, want)
		}
	}
}
