package reports

import (
	"math"
	"net/netip"
	"slices"

	"github.com/proxychaos/proxychaos/harness/recording"
)

// other is the class of every HTTP status without a colour of its own.
const other = "other"

// shownKinds are the outcomes in the order in which a bar is stacked: failures
// stand on the base line, where small numbers can be compared.
var shownKinds = append(slices.Clone(kinds), other, recording.OK)

func shownKind(outcome string) string {
	if slices.Contains(shownKinds, outcome) {
		return outcome
	}
	return other
}

// series is what the charts of one recording are drawn from.
type series struct {
	rec *recording.Recording
	end recording.Seconds // of the time axis
	bin recording.Seconds // width of one bar
	// outcomes counts requests by outcome and bin of their send time.
	outcomes map[string][]int
	nodes    []nodeSeries
	windows  []stepWindow
}

// nodeSeries is what one node address got, by bin.
type nodeSeries struct {
	addr       netip.Addr
	old        bool
	served     []int            // answered with a status below 500
	errors     map[string][]int // answered with a 5xx, by class
	unanswered []int            // sent there, and no answer was finished
	connects   []int            // first SYNs to an old node after the name had moved
}

// maxBins bounds the number of bars of a chart: each is at least 2 px wide.
const maxBins = 400

func newSeries(rec *recording.Recording) *series {
	s := &series{rec: rec, end: rec.Manifest.Plan.Duration, outcomes: map[string][]int{}}
	for _, r := range rec.Requests {
		s.end = max(s.end, r.Sent)
	}
	s.end = max(s.end, 1)
	for _, width := range []recording.Seconds{.1, .2, .5, 1, 2, 5, 10, 60} {
		s.bin = width
		if s.end/width <= maxBins {
			break
		}
	}
	s.windows = windows(rec.Steps, s.end)
	for _, r := range rec.Requests {
		add(s.outcomes, shownKind(r.Outcome), s, r.Sent)
	}
	s.countNodes()
	return s
}

// rounding keeps 0.3/0.1 in the third bin, where the quotient is just below 3.
const rounding = 1e-9

func (s *series) bins() int { return int(math.Ceil(float64(s.end/s.bin) - rounding)) }

// index is the bin of a time; what lies outside of the axis is in its end bins.
func (s *series) index(t recording.Seconds) int {
	return min(max(int(float64(t/s.bin)+rounding), 0), s.bins()-1)
}

func add(counts map[string][]int, key string, s *series, t recording.Seconds) {
	if counts[key] == nil {
		counts[key] = make([]int, s.bins())
	}
	counts[key][s.index(t)]++
}

// kinds are the outcomes that occur, in the order of shownKinds.
func (s *series) kinds() []string {
	return slices.DeleteFunc(slices.Clone(shownKinds), func(kind string) bool { return s.outcomes[kind] == nil })
}

// countNodes makes a series for each node of the plan, and for any other that
// got a request.
func (s *series) countNodes() {
	plan := s.rec.Manifest.Plan
	at := map[netip.Addr]int{}
	node := func(addr netip.Addr) *nodeSeries {
		i, ok := at[addr]
		if !ok {
			i = len(s.nodes)
			at[addr] = i
			s.nodes = append(s.nodes, nodeSeries{
				addr: addr, old: slices.Contains(plan.Old, addr), errors: map[string][]int{},
				served: make([]int, s.bins()), unanswered: make([]int, s.bins()), connects: make([]int, s.bins()),
			})
		}
		return &s.nodes[i]
	}
	for _, addr := range slices.Concat(plan.Old, plan.Fresh) {
		node(addr)
	}
	for _, a := range s.rec.Attempts {
		switch {
		case a.Probe || a.At < 0: // the warm-up is not on the axis
		case a.Status == 0:
			node(a.Node).unanswered[s.index(a.At)]++
		case a.Status >= 500:
			add(node(a.Node).errors, statusKind(a.Status), s, a.At)
		default:
			node(a.Node).served[s.index(a.At)]++
		}
	}
	for _, p := range s.rec.Packets {
		switch {
		case p.Probe || p.Retransmit || p.At < 0:
		case p.Kind == recording.Segment:
			node(p.Node).unanswered[s.index(p.At)]++
		case p.Kind == recording.SYN && p.At > plan.FlipAt && slices.Contains(plan.Old, p.Node):
			node(p.Node).connects[s.index(p.At)]++
		}
	}
}

func statusKind(status int) string {
	switch status {
	case 502:
		return recording.BadGateway
	case 503:
		return recording.Unavailable
	case 504:
		return recording.GatewayTime
	default:
		return other
	}
}

// planned is how many requests the plan has for one bin.
func (s *series) planned() float64 {
	if rate := s.rec.Manifest.Plan.Rate; rate > 0 {
		return float64(rate) * float64(s.bin)
	}
	return s.tallest()
}

// tallest is the largest sum of one bin.
func (s *series) tallest() float64 {
	sums := make([]int, s.bins())
	for _, counts := range s.outcomes {
		for i, n := range counts {
			sums[i] += n
		}
	}
	return float64(max(1, slices.Max(sums)))
}
