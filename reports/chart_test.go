package reports

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/proxychaos/proxychaos/harness/recording"
	"github.com/proxychaos/proxychaos/harness/world"
)

func TestWindowsReachToTheNextStep(t *testing.T) {
	got := windows([]recording.Step{
		{Name: "old nodes go silent", Planned: 8, InForce: 8.1},
		{Name: "name moves", Planned: 5},
	}, 14)
	want := []stepWindow{{5, 8.1, "step0", "name moves"}, {8.1, 14, "step1", "old nodes go silent"}}
	if len(got) != 2 || got[0] != want[0] || got[1] != want[1] {
		t.Errorf("got %v, want %v", got, want)
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
	if len(s.nodes) != 4 {
		t.Fatalf("got %d lanes, want the 4 nodes of the upstream in use", len(s.nodes))
	}
	old, fresh := s.nodes[0], s.nodes[2]
	for i, want := range map[int]string{10: nodeIn, 60: nodeOut, 90: nodeOut} {
		if old.state[i] != want {
			t.Errorf("bin %d of the old node is %q, want %q", i, old.state[i], want)
		}
	}
	if fresh.state[10] != nodeOut || fresh.state[60] != nodeIn {
		t.Errorf("the fresh node is %q, then %q", fresh.state[10], fresh.state[60])
	}
	if sum(old.served) != 2 || sum(old.errors["503"]) != 1 || sum(old.errors[other]) != 1 || sum(old.unanswered) != 1 || sum(old.connects) != 1 {
		t.Errorf("old node: %+v", old)
	}
	if sum(fresh.served) != 0 || sum(fresh.unanswered) != 1 || sum(fresh.connects) != 0 {
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
		{4, oldNodes, "what the name had"}, {6, oldNodes, "nodes it had left"}, {6, freshNodes[:1], "what the name had"},
		{6, []netip.Addr{oldNodes[0], freshNodes[0]}, "both"}, {6, nil, "no address"},
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
	s := newSeries(r)
	if got := []string{s.nodes[0].state[20], s.nodes[0].state[40], s.nodes[0].state[70]}; got[0] != nodeIn || got[1] != nodeStruck || got[2] != nodeIn {
		t.Errorf("got %v, want in, struck, in", got)
	}
}

// An empty recording is what a run leaves that was stopped in its warm-up.
func TestTimelineOfAnEmptyRecording(t *testing.T) {
	got := string(newSeries(&recording.Recording{}).timeline())
	if !strings.HasPrefix(got, "<svg") || strings.Contains(got, "NaN") || strings.Contains(got, "Inf") {
		t.Errorf("got %s", got)
	}
}
