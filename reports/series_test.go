package reports

import (
	"net/netip"
	"slices"
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
	for at, want := range map[recording.Seconds]string{-1: nodeIn, 4.99: nodeIn, 5: nodeLeft, 9: nodeStale} {
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
	drawn := s.plots().Upstreams
	for i, want := range []struct {
		name   string
		spells [][]plotWindow
	}{
		{"api.example.com", [][]plotWindow{{{0, 20, nodeIn}}}},
		{"login.example.com", [][]plotWindow{{{0, 5, nodeIn}, {5, 8, nodeLeft}, {8, 20, nodeStale}}, {{0, 5, nodeNever}, {5, 20, nodeIn}}}},
	} {
		if drawn[i].Name != want.name {
			t.Errorf("upstream %d is called %q, want %q", i+1, drawn[i].Name, want.name)
		}
		for j, lane := range drawn[i].Lanes {
			if !slices.Equal(lane.Spells, want.spells[j]) {
				t.Errorf("%s, node %d: got %v, want %v", want.name, j+1, lane.Spells, want.spells[j])
			}
		}
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
	n := newSeries(r).nodes[0]
	for at, want := range map[recording.Seconds]string{3: nodeLeft, 5: nodeIn, 8.9: nodeLeft, 9: nodeStale, 9.9: nodeStale, 10: nodeIn, 17.9: nodeLeft, 18: nodeStale} {
		if got := n.classAt(at); got != want {
			t.Errorf("at %g the node is %q, want %q", at, got, want)
		}
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

// An empty recording is what a run leaves that was stopped in its warm-up.
func TestPlotsOfAnEmptyRecording(t *testing.T) {
	p := newSeries(&recording.Recording{}).plots()
	if p.End != 1 || len(p.Outcomes) != 0 || len(p.Upstreams) != 0 || len(p.Queries.At) != 0 {
		t.Errorf("got %+v", p)
	}
}

// The queries are in the lanes of what their answers held, without the harness's own.
func TestPlotsOfQueries(t *testing.T) {
	r := smallRecording()
	r.Queries = []recording.Query{
		{At: -1, Answers: oldNodes}, {At: 1, Answers: oldNodes}, {At: 6, Answers: oldNodes}, {At: 7, Answers: oldNodes, Probe: true},
	}
	q := newSeries(r).plots().Queries
	if q.Before != 1 || !slices.Equal(q.At, []recording.Seconds{1, 6}) || !slices.Equal(q.Lane, []int{0, 1}) || !slices.Equal(q.Names, []string{"what the name had", "nodes it had left"}) {
		t.Errorf("got %+v", q)
	}
}

// The nodes in front of the proxy have lanes of their own, above those of the upstreams.
func TestLanesOfNodesInFront(t *testing.T) {
	r := smallRecording()
	edge := netip.MustParseAddr("10.10.0.1")
	r.Manifest.World.Front = &world.Front{Nodes: 1}
	r.Manifest.World.Nodes = append(r.Manifest.World.Nodes, world.Node{Addr: edge, Upstream: world.InFront, Balancer: world.FrontName, Number: 1})
	r.Attempts = append(r.Attempts, recording.Attempt{Node: edge, At: 1, Status: 200}, recording.Attempt{Node: edge, At: 2, Status: 502})
	s := newSeries(r)
	first := s.nodes[0]
	if first.Addr != edge || first.upstream != "in front of the proxy" || s.nodes[1].upstream == "" {
		t.Fatalf("got first the lane of %s, %q, and then of %q", first.Addr, first.upstream, s.nodes[1].upstream)
	}
	if first.served[nodeIn][s.index(1)] != 1 || first.errors[recording.BadGateway][s.index(2)] != 1 {
		t.Errorf("got %v served and %v failed", first.served, first.errors)
	}
	if without := newSeries(smallRecording()); len(without.nodes) != len(s.nodes)-1 || without.nodes[0].upstream != "" {
		t.Errorf("got %d lanes without one in front, the first of %q", len(without.nodes), without.nodes[0].upstream)
	}
}
