package judge_test

import (
	"maps"
	"math"
	"math/rand/v2"
	"net/netip"
	"strings"
	"testing"

	"github.com/proxychaos/proxychaos/harness/judge"
	"github.com/proxychaos/proxychaos/harness/recording"
)

func TestGoodRunPasses(t *testing.T) {
	v := follower().judge()
	wantResult(t, v, judge.Pass, "0 of 1,000 requests failed")
	wantFindings(t, v, judge.FollowedDNS)
	if v.Schema != recording.Schema || v.Sent != 1000 || v.Failed != 0 || len(v.ByKind) != 0 {
		t.Errorf("got %+v", v)
	}
	if v.FirstFailure != nil || v.Recovery != nil || v.NeverRecovered {
		t.Errorf("got a failure in a run without one: %+v", v)
	}
	if v.DNSBefore != 5 || v.DNSAfter != 15 || v.Stale != 0 || v.StaleConnects != 0 || v.ConnectionsPerRequest != 0 {
		t.Errorf("got %d and %d queries, %d + %d stale, %g connections per request, want 5, 15, 0, 0, 0",
			v.DNSBefore, v.DNSAfter, v.Stale, v.StaleConnects, v.ConnectionsPerRequest)
	}
	near(t, "window", v.Window, 11.996)
	near(t, "last stale", *v.LastStale, 0.98)
}

func TestPhases(t *testing.T) {
	w := once()
	for i := range w.Requests { // before: 1 to 100 ms, over and over
		if w.Requests[i].Sent < 2 {
			w.Requests[i].Latency = seconds(i+1) / 1000
		}
	}
	v := w.judge()
	for _, test := range []struct {
		name         string
		got          judge.Phase
		from, to     seconds
		sent, failed int
		p50, p99     seconds
	}{
		{"before", v.Before, 0, 5.002, 251, 0, 0.005, 0.099}, // 2 of 251 are slower
		{"during", v.During, 5.002, 8.004, 150, 1, 0.005, 0.005},
		{"after", v.After, 8.004, 20, 599, 599, 0, 0},
	} {
		near(t, test.name+" from", test.got.From, test.from)
		near(t, test.name+" to", test.got.To, test.to)
		if test.got.Sent != test.sent || test.got.Failed != test.failed {
			t.Errorf("%s: got %d sent and %d failed, want %d and %d", test.name, test.got.Sent, test.got.Failed, test.sent, test.failed)
		}
		near(t, test.name+" p50", test.got.P50, test.p50)
		near(t, test.name+" p99", test.got.P99, test.p99)
	}
	if want := map[string]int{recording.Timeout: 599}; !maps.Equal(v.After.ByKind, want) {
		t.Errorf("after: got %v, want %v", v.After.ByKind, want)
	}
	if v.Before.Sent+v.During.Sent+v.After.Sent != v.Sent {
		t.Error("a request is in no phase, or in two")
	}
}

func TestBudget(t *testing.T) {
	w := follower()
	w.Requests[900].Outcome, w.Requests[910].Outcome = recording.BadGateway, recording.Unavailable
	w.Requests[901].Outcome = recording.BadGateway
	wantResult(t, w.judge(), judge.Fail, "3 of 1,000 requests failed (2 502, 1 503), budget 0")
}

// As many requests as the user allows may fail, besides those that the time to recover
// allows; no more.
func TestBudgetOfSoManyRequests(t *testing.T) {
	w := follower()
	w.Requests[900].Outcome, w.Requests[910].Outcome = recording.BadGateway, recording.Unavailable
	w.Manifest.Plan.Budget.MaxFailed = 2
	wantResult(t, w.judge(), judge.Pass, "2 of 1,000 requests failed (1 502, 1 503)")
	w.Manifest.Plan.Budget.MaxFailed = 1
	wantResult(t, w.judge(), judge.Fail, "2 of 1,000 requests failed (1 502, 1 503), budget 1")
	w.Manifest.Plan.Budget = recording.Budget{MaxFailed: 2, RecoverWithin: 0.001}
	wantResult(t, w.judge(), judge.Pass, "2 of 1,000 requests failed (1 502, 1 503)")
	w.Manifest.Plan.Budget.MaxFailed = 1
	if v := w.judge(); v.Result != judge.Fail {
		t.Errorf("got %s: %q, want a fail", v.Result, v.Reasons)
	}
}

// Each way to fail counts, whatever the proxy calls it.
func TestEveryOutcomeButOKIsAFailure(t *testing.T) {
	for _, outcome := range []string{recording.BadGateway, recording.Unavailable, recording.GatewayTimeout, recording.Timeout, recording.Connection, recording.WrongBody, "404"} {
		w := follower()
		w.Requests[700].Outcome = outcome
		if v := w.judge(); v.Result != judge.Fail || v.Failed != 1 || v.ByKind[outcome] != 1 || v.After.ByKind[outcome] != 1 {
			t.Errorf("%s: got %s with %v", outcome, v.Result, v.ByKind)
		}
	}
}

func TestAtOnceWithinBudget(t *testing.T) {
	w := atOnce()
	conn := w.open(-1, old1)
	w.query(5.9, fresh1)
	w.serve(0, 5, conn)
	w.stall(5, 6.9, conn)
	w.serve(6.9, 20, w.open(6.9, fresh1))
	v := w.judge()
	wantResult(t, v, judge.Pass, "95 of 1,000 requests failed (95 timeout)")
	near(t, "recovery", *v.Recovery, 1.88)
	if v.During.Sent != 0 {
		t.Errorf("got %d requests between two faults of one moment, want 0", v.During.Sent)
	}
	wantFindings(t, v, judge.HealedItself, judge.FollowedDNS)
	wantText(t, v, judge.HealedItself, `healed by itself 1.9 s after "old nodes go silent": it asked DNS again 0.9 s after the name moved`)
}

func TestAtOnceBeyondBudget(t *testing.T) {
	w := atOnce()
	conn := w.open(-1, old1)
	w.query(5.9, fresh1)
	w.serve(0, 5, conn)
	w.stall(5, 7.1, conn)
	w.serve(7.1, 20, w.open(7.1, fresh1))
	wantResult(t, w.judge(), judge.Fail,
		`105 of 1,000 requests failed (105 timeout); 4 requests sent more than 2.0 s after "old nodes go silent", the last one 2.1 s after`)
	w.Manifest.Plan.Budget = recording.Budget{} // as the reference has
	wantResult(t, w.judge(), judge.Fail, "105 of 1,000 requests failed (105 timeout), budget 0")
}

func TestFirstFailureAndRecovery(t *testing.T) {
	v := healer().judge()
	near(t, "first failure", *v.FirstFailure, 8.001-5.002)
	near(t, "recovery", *v.Recovery, 10.281-8.004)
	if v.NeverRecovered {
		t.Error("it recovered")
	}
	// A failure between the faults alone is no failure after the retirement.
	w := follower()
	w.Requests[300].Outcome = recording.BadGateway
	if v := w.judge(); v.Recovery != nil || v.FirstFailure == nil || v.Result != judge.Fail {
		t.Errorf("got %+v", v)
	}
}

func TestNeverRecovered(t *testing.T) {
	v := once().judge()
	if !v.NeverRecovered || !strings.Contains(v.Reasons[1], "never recovered within the 12.0 s") {
		t.Errorf("got never recovered %t, reasons %q", v.NeverRecovered, v.Reasons)
	}
	for seq, want := range map[int]bool{1000: true, 960: true, 940: false} {
		w := follower()
		w.Requests[seq-1].Outcome = recording.Timeout
		if v := w.judge(); v.NeverRecovered != want {
			t.Errorf("failure of request %d of 1000, 50 a second: got never recovered %t, want %t", seq, v.NeverRecovered, want)
		}
	}
}

// The rows of a file are in the order in which they were written, which is
// that of the ends of requests: the order must not matter.
func TestOrderOfRowsDoesNotMatter(t *testing.T) {
	for _, story := range []func() *world{follower, once, pooled, healer, perRequest} {
		want := story().judge()
		w := story()
		random := rand.New(rand.NewPCG(1, 2))
		random.Shuffle(len(w.Requests), func(i, j int) { w.Requests[i], w.Requests[j] = w.Requests[j], w.Requests[i] })
		random.Shuffle(len(w.Attempts), func(i, j int) { w.Attempts[i], w.Attempts[j] = w.Attempts[j], w.Attempts[i] })
		random.Shuffle(len(w.Queries), func(i, j int) { w.Queries[i], w.Queries[j] = w.Queries[j], w.Queries[i] })
		random.Shuffle(len(w.Connections), func(i, j int) { w.Connections[i], w.Connections[j] = w.Connections[j], w.Connections[i] })
		got := w.judge()
		for i := range want.Findings { // the lines that evidence is on do change
			want.Findings[i].Evidence, got.Findings[i].Evidence = nil, nil
		}
		if asJSON(t, got) != asJSON(t, want) {
			t.Errorf("got\n%s, want\n%s", asJSON(t, got), asJSON(t, want))
		}
	}
}

func TestJudgingTwiceGivesTheSame(t *testing.T) {
	for _, story := range []func() *world{follower, once, pooled, healer, perRequest} {
		w := story()
		w.Requests[0].Outcome, w.Requests[1].Outcome, w.Requests[2].Outcome = "404", "502", "503"
		first := asJSON(t, w.judge())
		for range 20 {
			if again := asJSON(t, w.judge()); again != first {
				t.Fatalf("got\n%s, then\n%s", first, again)
			}
		}
		if strings.Contains(first, ":null") {
			t.Errorf("a list is null in %s", first)
		}
	}
}

// An empty recording is judged too: as unproven, without a panic.
func TestEmptyRecordingIsUnproven(t *testing.T) {
	w := &world{}
	w.Manifest.Plan.Rate = 200
	v := w.judge()
	if v.Result != judge.Unproven || len(v.Findings) != 0 {
		t.Errorf("got %+v", v)
	}
	asJSON(t, v) // fails where a figure is not a number
}

// Rows of the harness's own probes are nobody's behaviour.
func TestProbesDoNotCount(t *testing.T) {
	w := perRequest()
	want := asJSON(t, w.judge())
	conn := w.open(1, old1)
	w.Connections[len(w.Connections)-1].Probe = true
	w.attempt(9, conn, 0, 503)
	w.attempt(2, conn, 0, 200)
	w.Attempts[len(w.Attempts)-1].Probe, w.Attempts[len(w.Attempts)-2].Probe = true, true
	w.syn(9, old1)
	for i := range w.Packets {
		w.Packets[i].Probe = true
	}
	w.Packets = append(w.Packets, recording.Packet{At: 9, Kind: recording.Segment, Node: old1, Port: 80, Peer: netip.AddrPortFrom(proxy, 9), Probe: true})
	w.query(3, old1)
	w.query(9, fresh1)
	w.Queries[len(w.Queries)-1].Probe, w.Queries[len(w.Queries)-2].Probe = true, true
	if got := asJSON(t, w.judge()); got != want {
		t.Errorf("with rows of probes got\n%s, want\n%s", got, want)
	}
}

func near(t *testing.T, what string, got, want seconds) {
	t.Helper()
	if math.Abs(float64(got-want)) > 0.0011 {
		t.Errorf("%s: got %g, want %g", what, got, want)
	}
}

// An agent that does not say when a fault was in force leaves the plan.
func TestPlanStandsInForTheTimeOfAFault(t *testing.T) {
	w := follower()
	for i := range w.Steps {
		w.Steps[i].Asked, w.Steps[i].InForce = 0, 0
		w.Steps[i].Planned = w.Manifest.Plan.Steps[i].At
	}
	v := w.judge()
	if v.Before.To != 5 || v.During.To != 8 || v.Result != judge.Pass {
		t.Errorf("got %s with faults at %g and %g, want pass with 5 and 8", v.Result, v.Before.To, v.During.To)
	}
}
