package reports

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"net/netip"
	"slices"
	"strings"

	"github.com/proxychaos/proxychaos/harness/ledger"
	"github.com/proxychaos/proxychaos/harness/recording"
	"github.com/proxychaos/proxychaos/harness/world"
)

// Classes of outcomes that share a colour: what the proxy answered by itself with a
// status below 400, and every other HTTP status without a colour of its own.
const (
	byProxy = "by-proxy"
	other   = "other"
)

// shownKinds are the outcomes in the order in which a bar is stacked: failures
// stand on the base line, where small numbers can be compared.
var shownKinds = append(slices.Clone(kinds), byProxy, other, recording.OK)

func shownKind(outcome string) string {
	if slices.Contains(shownKinds, outcome) {
		return outcome
	}
	if recording.IsByProxy(outcome) {
		return byProxy
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
	ledger   *ledger.Ledger
}

// nodeSeries is what one node address got, by bin.
type nodeSeries struct {
	world.Node
	upstream   string           // the name that it belongs to; empty if there is only one
	spells     []spell          // what was true of it, without a gap
	outdated   []ledger.Span    // when what is sent to it is stale
	served     map[string][]int // answered with a status below 500, by the node class then
	errors     map[string][]int // answered with a 5xx, by class
	unanswered []int            // sent there, and no answer was finished
	connects   []int            // first SYNs while its name had left it or it did not serve
}

// spell is a time in which a node was of one class.
type spell struct {
	ledger.Span
	class string
}

// Node classes: their colours are in the style sheet.
const (
	nodeIn     = "in"     // its name has it, and it serves
	nodeStruck = "struck" // its name has it, and it does not serve
	nodeLeft   = "left"   // its name had it and has it no more
	nodeNever  = "never"  // its name has not had it yet
)

// nodeClasses are in the order in which a bar of what was served is stacked.
var nodeClasses = []string{nodeIn, nodeStruck, nodeLeft, nodeNever}

func nodeClass(c ledger.Condition) string {
	switch {
	case c.Left:
		return nodeLeft
	case !c.Named:
		return nodeNever
	case !c.Serves:
		return nodeStruck
	}
	return nodeIn
}

// maxBins bounds the number of bars of a chart: each is at least 2 px wide.
const maxBins = 400

func newSeries(rec *recording.Recording) *series {
	s := &series{rec: rec, end: rec.Manifest.Plan.Duration, outcomes: map[string][]int{}, ledger: ledger.Of(rec)}
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
	s.windows = windows(s.ledger.Acts(), s.end)
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

// countNodes makes a series for each node of the upstreams that the proxy used,
// upstream by upstream.
func (s *series) countNodes() {
	names := s.upstreamNames()
	for _, n := range s.ledger.Nodes() {
		if name, used := names[n.Upstream]; used {
			s.nodes = append(s.nodes, s.newNode(n, name))
		}
	}
	slices.SortStableFunc(s.nodes, func(a, b nodeSeries) int { return a.Upstream - b.Upstream })
	at := map[netip.Addr]int{}
	for i := range s.nodes {
		at[s.nodes[i].Addr] = i
		if len(names) == 1 {
			s.nodes[i].upstream = ""
		}
	}
	for _, a := range s.rec.Attempts {
		i, known := at[a.Node]
		switch {
		case !known || a.Probe || a.At < 0: // the warm-up is not on the axis
		case a.Status == 0:
			s.nodes[i].unanswered[s.index(a.At)]++
		case a.Status >= 500:
			add(s.nodes[i].errors, statusKind(a.Status), s, a.At)
		default:
			add(s.nodes[i].served, s.nodes[i].classAt(a.At), s, a.At)
		}
	}
	for _, p := range s.rec.Packets {
		i, known := at[p.Node]
		switch {
		case !known || p.Probe || p.Retransmit || p.At < 0:
		case p.Kind == recording.Segment:
			s.nodes[i].unanswered[s.index(p.At)]++
		case p.Kind == recording.SYN && s.inVain(p.Node, p.At):
			s.nodes[i].connects[s.index(p.At)]++
		}
	}
	s.nodes = slices.DeleteFunc(s.nodes, nodeSeries.idle)
}

// idle says whether there is nothing to show of a node: its name never had it, and
// nothing went there.
func (n nodeSeries) idle() bool {
	named := slices.ContainsFunc(n.spells, func(s spell) bool { return s.class != nodeNever })
	sent := len(n.served)+len(n.errors) > 0 || slices.Max(n.unanswered) > 0 || slices.Max(n.connects) > 0
	return !named && !sent
}

func (s *series) newNode(n world.Node, name string) nodeSeries {
	node := nodeSeries{
		Node: n, upstream: cmp.Or(name, fmt.Sprintf("upstream %d", n.Upstream)),
		outdated: s.ledger.Outdated(n.Addr, s.rec.Manifest.Plan.Allowed()),
		served:   map[string][]int{}, errors: map[string][]int{}, unanswered: make([]int, s.bins()), connects: make([]int, s.bins()),
	}
	for _, c := range s.ledger.Conditions(n.Addr) {
		node.spells = append(node.spells, spell{c.Span, nodeClass(c)})
	}
	return node
}

func (n nodeSeries) classAt(t recording.Seconds) string {
	for _, s := range n.spells {
		if t < s.To {
			return s.class
		}
	}
	return nodeNever
}

// inVain says whether a connection to a node at a time was to one that its name had
// left or that did not serve.
func (s *series) inVain(node netip.Addr, at recording.Seconds) bool {
	_, left := s.ledger.Left(node, at)
	serves, _ := s.ledger.Serves(node, at)
	return left || !serves
}

// upstreamNames are the upstreams that got a request, a connection attempt or a
// question, with the names that lead to them.
func (s *series) upstreamNames() map[int]string {
	names := map[int]string{}
	use := func(node netip.Addr, probe bool) {
		if upstream := s.ledger.Upstream(node); upstream != 0 && !probe {
			names[upstream] += ""
		}
	}
	for _, a := range s.rec.Attempts {
		use(a.Node, a.Probe)
	}
	for _, p := range s.rec.Packets {
		use(p.Node, p.Probe)
	}
	leads := s.ledger.Leads(s.rec.Queries)
	for _, name := range slices.Sorted(maps.Keys(leads)) {
		asked := slices.ContainsFunc(s.rec.Queries, func(q recording.Query) bool { return !q.Probe && strings.EqualFold(q.Name, name) })
		if _, used := names[leads[name]]; (used || asked) && leads[name] != world.Literal {
			names[leads[name]] = strings.TrimPrefix(names[leads[name]]+", "+name, ", ")
		}
	}
	if _, used := names[world.Literal]; used {
		for _, a := range s.ledger.Literals() {
			names[world.Literal] = strings.TrimPrefix(names[world.Literal]+", "+a.String(), ", ")
		}
	}
	return names
}

func statusKind(status int) string {
	switch status {
	case 502:
		return recording.BadGateway
	case 503:
		return recording.Unavailable
	case 504:
		return recording.GatewayTimeout
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
	return float64(max(1, slices.Max(s.sum(s.outcomes))))
}
