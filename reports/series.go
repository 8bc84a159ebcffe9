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

// shownKinds are the outcomes in the order in which they are stacked: failures
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

// series is what the plots of one recording show.
type series struct {
	rec *recording.Recording
	end recording.Seconds // of the time axis
	bin recording.Seconds // the time for which requests are counted together
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
	nodeStale  = "stale"  // the same, for so long that what is sent there is stale
	nodeNever  = "never"  // its name has not had it yet
)

// nodeClasses are in the order in which what was served is stacked.
var nodeClasses = []string{nodeIn, nodeStruck, nodeLeft, nodeStale, nodeNever}

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

// maxBins bounds the points of a plot. There are more than a screen has pixels, so that
// something is left to see when one looks closer.
const maxBins = 2000

func newSeries(rec *recording.Recording) *series {
	s := &series{rec: rec, end: rec.Manifest.Plan.Duration, outcomes: map[string][]int{}, ledger: ledger.Of(rec)}
	for _, r := range rec.Requests {
		s.end = max(s.end, r.Sent)
	}
	s.end = max(s.end, 1)
	for _, width := range []recording.Seconds{.1, .2, .5, 1, 2, 5, 10, 30, 60, 300} {
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
		served: map[string][]int{}, errors: map[string][]int{}, unanswered: make([]int, s.bins()), connects: make([]int, s.bins()),
	}
	for _, c := range s.ledger.Conditions(n.Addr) {
		node.spells = append(node.spells, spell{c.Span, nodeClass(c)})
	}
	for _, outdated := range s.ledger.Outdated(n.Addr, s.rec.Manifest.Plan.Allowed()) {
		node.age(outdated)
	}
	return node
}

// age makes what was left stale from the beginning of a span to its end.
func (n *nodeSeries) age(outdated ledger.Span) {
	var aged []spell
	for _, s := range n.spells {
		from, to := max(s.From, outdated.From), min(s.To, outdated.To)
		if s.class != nodeLeft || from >= to {
			aged = append(aged, s)
			continue
		}
		for _, part := range []spell{{ledger.Span{From: s.From, To: from}, nodeLeft}, {ledger.Span{From: from, To: to}, nodeStale}, {ledger.Span{From: to, To: s.To}, nodeLeft}} {
			if part.From < part.To {
				aged = append(aged, part)
			}
		}
	}
	n.spells = aged
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

// upstreamNames are the load balancer in front and the upstreams that got a request, a
// connection attempt or a question, with the names that lead to them.
func (s *series) upstreamNames() map[int]string {
	names := map[int]string{}
	if s.rec.Manifest.World.Front != nil {
		names[world.InFront] = "in front of the proxy"
	}
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
		if _, used := names[leads[name]]; (used || asked) && !world.IsLiteral(leads[name]) {
			names[leads[name]] = strings.TrimPrefix(names[leads[name]]+", "+name, ", ")
		}
	}
	for _, upstream := range []int{world.Literal, world.LiteralIPv6} {
		if _, used := names[upstream]; !used {
			continue
		}
		for _, a := range s.ledger.Literals(upstream) {
			names[upstream] = strings.TrimPrefix(names[upstream]+", "+a.String(), ", ")
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

// sum adds up the counts of all classes, bin by bin.
func (s *series) sum(counts map[string][]int) []int {
	sums := make([]int, s.bins())
	for _, of := range counts {
		for i, n := range of {
			sums[i] += n
		}
	}
	return sums
}

// upstreams are the nodes of each upstream.
func (s *series) upstreams() [][]nodeSeries {
	var groups [][]nodeSeries
	for i, n := range s.nodes {
		if i == 0 || n.Upstream != s.nodes[i-1].Upstream {
			groups = append(groups, nil)
		}
		groups[len(groups)-1] = append(groups[len(groups)-1], n)
	}
	return groups
}

// budgetEnds are when the time to recover from each loss ends, unless the next loss has
// come by then, which gives as much time again.
func (s *series) budgetEnds() []recording.Seconds {
	within := s.rec.Manifest.Plan.Budget.RecoverWithin
	if within <= 0 {
		return nil
	}
	var ends []recording.Seconds
	losses := s.ledger.Losses()
	for i, loss := range losses {
		end := loss.At + within
		if end < s.end && (i+1 == len(losses) || end < losses[i+1].At) {
			ends = append(ends, end)
		}
	}
	return ends
}

// Lanes of DNS answers.
const (
	laneCurrent = iota
	laneLeft
	laneOther
	laneMixed
	laneEmpty
)

// queryLanes are the kinds of DNS answers, in the order of their lanes.
var queryLanes = []struct{ name, class string }{
	laneCurrent: {"what the name had", nodeIn},
	laneLeft:    {"nodes it had left", nodeLeft},
	laneOther:   {"other addresses", nodeNever},
	laneMixed:   {"some of each", "mixed"},
	laneEmpty:   {"no address", "mixed"},
}

// answerLane is the index in queryLanes.
func (s *series) answerLane(q recording.Query) int {
	lane := laneEmpty
	for _, a := range q.Answers {
		of := laneOther
		if _, left := s.ledger.Left(a, q.At); left {
			of = laneLeft
		} else if s.ledger.Named(a, q.At) {
			of = laneCurrent
		}
		if lane != laneEmpty && lane != of {
			return laneMixed
		}
		lane = of
	}
	return lane
}
