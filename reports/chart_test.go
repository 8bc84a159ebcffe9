package reports

import (
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/proxychaos/proxychaos/harness/ledger"
	"github.com/proxychaos/proxychaos/harness/recording"
	"github.com/proxychaos/proxychaos/harness/world"
)

// What comes again has its colour again, what heals has one of its own, and windows may
// overlap.
func TestWindowsOverlapAndRepeat(t *testing.T) {
	got := windows([]ledger.Act{
		{Name: "zone leaves", From: 5, To: 11},
		{Name: "zone goes silent", From: 8, To: 10},
		{Name: "zone is back", From: 10, To: 10, Heals: true},
		{Name: "zone leaves", From: 12, To: ledger.Forever},
	}, 14)
	want := []stepWindow{
		{5, 11, "step0", "zone leaves"}, {8, 10, "step1", "zone goes silent"}, {10, 10, heals, "zone is back"}, {12, 14, "step0", "zone leaves"},
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if got := legend(got); !slices.Equal(got, want[:3]) {
		t.Errorf("legend %v, want each name once", got)
	}
}

// What lasts is shaded while it does; what heals is a mark without a shade.
func TestShadeEndsWithWhatItShows(t *testing.T) {
	d := &drawing{}
	all := []stepWindow{{2, 6, "step0", "DNS fails"}, {6, 6, heals, "DNS answers"}}
	a := timeAxis{to: 10, x0: 0, x1: 100}
	shade(d, a, all, 0, 9)
	mark(d, a, all, 0, 9)
	want := `<rect class="shade step0" x="20" y="0" width="40" height="9"/><path class="begin step0" d="M20 0L20 9"/><path class="begin heals" d="M60 0L60 9"/>`
	if d.String() != want {
		t.Errorf("got  %s\nwant %s", d.String(), want)
	}
}

// smallRecording has one of everything that the node lanes tell apart.
func smallRecording() *recording.Recording {
	old, fresh := oldNodes[0], freshNodes[0]
	stranger := netip.MustParseAddr("192.0.2.1") // of no name
	r := &recording.Recording{}
	r.Manifest.Plan = recording.Plan{Duration: 10}
	r.Manifest.World = topology()
	no, yes := world.Truth(false), world.Truth(true)
	r.Steps = []recording.Step{
		{Number: 1, Name: "name moves", InForce: 5, Effects: []world.Effect{{Node: old, Named: no}, {Node: oldNodes[1], Named: no}, {Node: fresh, Named: yes}}},
		{Number: 2, Name: "old nodes go silent", InForce: 8, Effects: []world.Effect{{Node: old, Serves: no, How: "silence"}}},
	}
	r.Requests = []recording.Request{
		{Seq: 1, Sent: 0, Outcome: recording.OK, Latency: .001},
		{Seq: 2, Sent: 9.05, Outcome: "418"},
		{Seq: 3, Sent: 10.2, Outcome: recording.Timeout, Latency: 20},
	}
	r.Attempts = []recording.Attempt{
		{Node: old, At: .01, Status: 200},
		{Node: old, At: .02, Status: 404},
		{Node: old, At: 8.5, Status: 503},
		{Node: old, At: 8.5, Status: 500},
		{Node: fresh, At: 9, Status: 0},
		{Node: fresh, At: 9, Status: 200, Probe: true},
		{Node: stranger, At: 1, Status: 200},
		{Node: old, At: -.5, Status: 200}, // the warm-up
	}
	r.Packets = []recording.Packet{
		{Node: old, At: 1, Kind: recording.SYN},   // before the move: as it should be
		{Node: old, At: 6, Kind: recording.SYN},   // counts
		{Node: fresh, At: 6, Kind: recording.SYN}, // as it should be
		{Node: old, At: 6, Kind: recording.SYN, Retransmit: true},
		{Node: old, At: 6, Kind: recording.SYN, Probe: true},
		{Node: old, At: 8.55, Kind: recording.Segment},
		{Node: old, At: 8.55, Kind: recording.Segment, Retransmit: true},
	}
	return r
}

func TestSeriesCountsEachSideOnce(t *testing.T) {
	s := newSeries(smallRecording())
	if s.end != 10.2 || s.bin != .1 {
		t.Errorf("axis to %v in bins of %v, want 10.2 (the last request) and 0.1", s.end, s.bin)
	}
	if s.outcomes[other][90] != 1 || s.outcomes[recording.Timeout][101] != 1 || s.outcomes[recording.OK][0] != 1 {
		t.Errorf("outcomes %v", s.outcomes)
	}
	sum := func(counts []int) (n int) {
		for _, c := range counts {
			n += c
		}
		return n
	}
	if len(s.nodes) != 3 {
		t.Fatalf("got %d lanes, want those of the 3 nodes that were ever in the name", len(s.nodes))
	}
	old, fresh := s.nodes[0], s.nodes[2]
	for at, want := range map[recording.Seconds]string{-1: nodeIn, 4.99: nodeIn, 5: nodeLeft, 9: nodeLeft} {
		if got := old.classAt(at); got != want {
			t.Errorf("at %g the old node is %q, want %q", at, got, want)
		}
	}
	if before, after := fresh.classAt(1), fresh.classAt(6); before != nodeNever || after != nodeIn {
		t.Errorf("the fresh node is %q, then %q", before, after)
	}
	if sum(old.served[nodeIn]) != 2 || sum(old.errors["503"]) != 1 || sum(old.errors[other]) != 1 || sum(old.unanswered) != 1 || sum(old.connects) != 1 {
		t.Errorf("old node: %+v", old)
	}
	if len(fresh.served) != 0 || sum(fresh.unanswered) != 1 || sum(fresh.connects) != 0 {
		t.Errorf("fresh node: %+v", fresh)
	}
}

func TestBinsOfALongRunAreBounded(t *testing.T) {
	r := smallRecording()
	for _, duration := range []recording.Seconds{20, 60, 3600, 86400 / 4} {
		r.Manifest.Plan.Duration = duration
		if s := newSeries(r); s.bins() > maxBins {
			t.Errorf("%v s make %d bins, want at most %d", duration, s.bins(), maxBins)
		}
	}
}

// A burst, as of a load that catches up, must not reach into the row above.
func TestABurstStaysInItsStrip(t *testing.T) {
	r := smallRecording()
	r.Manifest.Plan.Rate = 10 // one in a bin
	for range 50 {
		r.Requests = append(r.Requests, recording.Request{Sent: 3.05, Outcome: recording.Unavailable}, recording.Request{Sent: 3.05, Outcome: recording.OK})
	}
	s, d := newSeries(r), &drawing{}
	s.stack(d, timeAxis{to: 100, x0: 0, x1: 1000}, 100, stripHeight, s.planned())
	// All of 50 and 50 within 1.3 times the height: each half has 15.6 px.
	for _, want := range []string{`<path class="bar k-503" d="M30 108.4h1.4v15.6h-1.4z"/>`, `M30 92.8h1.4v15.6h-1.4z`} {
		if !strings.Contains(d.String(), want) {
			t.Errorf("got %s, want %s in it", d.String(), want)
		}
	}
}

func TestDotsAreBounded(t *testing.T) {
	r := smallRecording()
	r.Requests = nil
	for i := range 60000 {
		latency := recording.Seconds(.0001) * recording.Seconds(1+i*7919%10000)
		r.Requests = append(r.Requests, recording.Request{Sent: recording.Seconds(i) / 6000, Latency: latency, Outcome: recording.OK})
	}
	d := &drawing{}
	s := newSeries(r)
	if grid := s.dots(d, s.axis(), 0); grid < 2 {
		t.Errorf("grid of %d px for 60,000 scattered dots, want a wider one", grid)
	}
	if n := strings.Count(d.String(), "h0"); n == 0 || n > maxDots {
		t.Errorf("%d dots, want 1 to %d", n, maxDots)
	}
}

func TestAnswerLane(t *testing.T) {
	s := newSeries(smallRecording())
	for _, c := range []struct {
		at      recording.Seconds
		answers []netip.Addr
		want    string
	}{
		{4, oldNodes, "what the name had"},
		{6, oldNodes, "nodes it had left"},
		{6, freshNodes[:1], "what the name had"},
		{6, []netip.Addr{oldNodes[0], freshNodes[0]}, "some of each"},
		{6, nil, "no address"},
		{4, freshNodes, "other addresses"},
		{6, []netip.Addr{netip.MustParseAddr("192.0.2.1")}, "other addresses"},
	} {
		if got := queryLanes[s.answerLane(recording.Query{At: c.at, Answers: c.answers})].name; got != c.want {
			t.Errorf("%v at %g: lane %q, want %q", c.answers, c.at, got, c.want)
		}
	}
}

// A node that is struck while its name has it is told from one that is out of it.
func TestStruckNodesAreShownAsSuch(t *testing.T) {
	r := smallRecording()
	r.Steps = []recording.Step{
		{Number: 1, InForce: 3, Effects: []world.Effect{{Node: oldNodes[0], Serves: world.Truth(false), How: "silence"}}},
		{Number: 2, InForce: 6, Effects: []world.Effect{{Node: oldNodes[0], Serves: world.Truth(true)}}},
	}
	r.Attempts = []recording.Attempt{{Node: oldNodes[0], At: 5.99, Status: 200}, {Node: oldNodes[0], At: 6, Status: 200}}
	r.Packets = []recording.Packet{{Node: oldNodes[0], At: 5.99, Kind: recording.SYN}, {Node: oldNodes[0], At: 6, Kind: recording.SYN}}
	n := newSeries(r).nodes[0]
	if got := []string{n.classAt(2), n.classAt(4), n.classAt(7)}; got[0] != nodeIn || got[1] != nodeStruck || got[2] != nodeIn {
		t.Errorf("got %v, want in, struck, in", got)
	}
	if n.served[nodeStruck][59] != 1 || n.served[nodeIn][60] != 1 || n.connects[59] != 1 || n.connects[60] != 0 {
		t.Errorf("counted by another state than that of the instant: %+v", n)
	}
}

// twoUpstreams is a world with two names of one node and one spare each.
func twoUpstreams() (*recording.Recording, []netip.Addr) {
	r := &recording.Recording{}
	r.Manifest.Plan = recording.Plan{TTL: 1, Refresh: 1, Duration: 20}
	r.Manifest.World = world.World{Balancers: []world.Balancer{{Name: "backend", Nodes: 1, Spare: 1}}}.Place(func(n int) netip.Addr {
		return netip.AddrFrom4([4]byte{198, 18, 0, byte(21 + n)})
	})
	var nodes []netip.Addr
	for _, n := range r.Manifest.World.Nodes {
		nodes = append(nodes, n.Addr)
	}
	r.Queries = []recording.Query{
		{At: -1, Name: "api.example.com", Answers: nodes[:1]},
		{At: -1, Name: "Login.example.com", Answers: nodes[2:3]},
		{At: -1, Name: "probed.example.com", Answers: nodes[4:5], Probe: true},
	}
	return r, nodes
}

// Lanes are by upstream, with its name; what the proxy had nothing to do with has none.
func TestLanesOfSeveralUpstreams(t *testing.T) {
	r, nodes := twoUpstreams()
	no, yes := world.Truth(false), world.Truth(true)
	r.Steps = []recording.Step{{Number: 1, InForce: 5, Effects: []world.Effect{{Node: nodes[2], Named: no}, {Node: nodes[3], Named: yes}}}}
	s := newSeries(r)
	groups := s.upstreams()
	if len(groups) != 2 || len(groups[0]) != 1 || len(groups[1]) != 2 {
		t.Fatalf("got %d upstreams, want the 2 in use, with the nodes that were in their names", len(groups))
	}
	for i, want := range []struct{ name, stale string }{
		{"api.example.com", ""}, {"login.example.com", "nodes that the name has left are stale from 8.00 s"},
	} {
		if groups[i][0].upstream != want.name || s.staleWords(groups[i]) != want.stale {
			t.Errorf("upstream %d: %q, %q, want %v", i+1, groups[i][0].upstream, s.staleWords(groups[i]), want)
		}
	}
	drawn := string(s.timeline())
	for _, want := range []string{">api.example.com<", ">login.example.com: nodes that the name has left are stale from 8.00 s<"} {
		if !strings.Contains(drawn, want) {
			t.Errorf("the chart lacks %q", want)
		}
	}
	if strings.Contains(drawn, "probed") || strings.Contains(drawn, nodes[4].String()) {
		t.Error("the chart shows an upstream that only the harness asked for")
	}
}

// A node that is back in its name in time is never stale, and of one that leaves again
// each time counts.
func TestStaleOnlyIfOutForSoLong(t *testing.T) {
	r, nodes := twoUpstreams()
	no, yes := world.Truth(false), world.Truth(true)
	for i, step := range []struct {
		at    recording.Seconds
		named *bool
	}{{2, no}, {4.9, yes}, {6, no}, {10, yes}, {15, no}} {
		r.Steps = append(r.Steps, recording.Step{Number: i + 1, InForce: step.at, Effects: []world.Effect{{Node: nodes[0], Named: step.named}}})
	}
	s := newSeries(r)
	if got, want := s.staleWords(s.upstreams()[0]), "nodes that the name has left are stale from 9.00 s, 18.00 s"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// After each loss there is time to recover, and the next loss gives it again.
func TestNoFailureIsAllowedAfterEachLoss(t *testing.T) {
	r, nodes := twoUpstreams()
	r.Manifest.Plan.Budget.RecoverWithin = 3
	for i, step := range []struct {
		at     recording.Seconds
		serves bool
	}{{2, false}, {4, true}, {8, false}, {9, true}, {10, false}, {11, true}, {18, false}} {
		r.Steps = append(r.Steps, recording.Step{Number: i + 1, InForce: step.at, Effects: []world.Effect{{Node: nodes[0], Serves: world.Truth(step.serves)}}})
	}
	if got := newSeries(r).budgetEnds(); !slices.Equal(got, []recording.Seconds{5, 13}) {
		t.Errorf("got %v, want 5 and 13: at 11 the next loss had come, 21 is after the end", got)
	}
}

// Text among the shapes is written after them, so that no line runs through it.
func TestCaptionsLieOverShapes(t *testing.T) {
	drawn := string(newSeries(smallRecording()).timeline())
	if first, last := strings.Index(drawn, "halo"), strings.LastIndex(drawn, "<path"); first < last {
		t.Error("a shape is drawn over a caption")
	}
}

// An empty recording is what a run leaves that was stopped in its warm-up.
func TestTimelineOfAnEmptyRecording(t *testing.T) {
	got := string(newSeries(&recording.Recording{}).timeline())
	if !strings.HasPrefix(got, "<svg") || strings.Contains(got, "NaN") || strings.Contains(got, "Inf") {
		t.Errorf("got %s", got)
	}
}
