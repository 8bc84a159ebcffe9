// Package ledger answers, for any instant of a recording, what was true of the
// world: which nodes a name had, since when a node was out of it, which node
// served, whether the resolvers answered.
//
// It folds the effects that came into force, in their order. Whoever judges or
// draws asks it, and nothing else, what the faults did.
package ledger

import (
	"cmp"
	"math"
	"net/netip"
	"slices"

	"github.com/proxychaos/proxychaos/harness/recording"
	"github.com/proxychaos/proxychaos/harness/world"
)

// Forever is later than every row of a recording.
const Forever = recording.Seconds(1 << 40)

// Ledger is what the faults of one recording did to its world.
type Ledger struct {
	topology world.Topology
	steps    []recording.Step // those with effects, in the order in which they came into force
	nodes    map[netip.Addr][]span
	resolves []span
	answered []Span // in which the resolvers answered as they should
}

// span is a time in which one thing was true.
type span struct {
	from, to recording.Seconds
	// asked is when the change that it began with was asked for.
	asked recording.Seconds
	// left is since when the node is out of its name; Forever if it is in it or never was.
	left          recording.Seconds
	named, serves bool
	partly        bool // it does not serve, but for some
	how           string
	step          int // the number of the planned step that it began with
}

// Of makes the ledger of a recording.
func Of(r *recording.Recording) *Ledger {
	l := &Ledger{topology: r.Manifest.World, nodes: map[netip.Addr][]span{}}
	for _, s := range r.Steps {
		if len(s.Effects) > 0 {
			l.steps = append(l.steps, s)
		}
	}
	slices.SortStableFunc(l.steps, func(a, b recording.Step) int { return cmp.Compare(a.From(), b.From()) })
	if len(l.topology.Balancers) == 0 {
		return l // a recording that broke off before it had a world
	}
	for _, n := range l.topology.Start().Nodes {
		l.nodes[n.Addr] = []span{{from: -Forever, to: Forever, asked: -Forever, left: Forever, named: n.Named, serves: true}}
	}
	l.resolves = []span{{from: -Forever, to: Forever, asked: -Forever, serves: true}}
	for _, s := range l.steps {
		for _, e := range s.Effects {
			l.fold(s, e)
		}
	}
	for _, s := range l.resolves {
		if s.serves {
			l.answered = join(l.answered, Span{s.from, s.to})
		}
	}
	return l
}

func (l *Ledger) fold(s recording.Step, e world.Effect) {
	if e.Resolves != nil {
		l.resolves = next(l.resolves, s, func(now *span) { now.serves, now.how = *e.Resolves, e.How })
	}
	if !e.Node.IsValid() {
		return
	}
	spans, known := l.nodes[e.Node]
	if !known {
		return // a recording whose world does not have it: there is nothing to say of it
	}
	l.nodes[e.Node] = next(spans, s, func(now *span) {
		if e.Named != nil {
			switch {
			case *e.Named:
				now.left = Forever
			case now.named:
				now.left = now.from
			}
			now.named = *e.Named
		}
		if e.Serves != nil {
			now.serves, now.partly, now.how = *e.Serves, e.Partly, e.How
		}
	})
}

// next ends the last span with a step, and begins one that differs from it.
func next(spans []span, s recording.Step, change func(*span)) []span {
	now := spans[len(spans)-1]
	m := moment(s)
	now.from, now.to, now.asked, now.step = m.At, Forever, m.Asked, s.Number
	change(&now)
	if spans[len(spans)-1].from == now.from {
		now.asked = min(now.asked, spans[len(spans)-1].asked)
		spans = spans[:len(spans)-1]
	} else {
		spans[len(spans)-1].to = now.from
	}
	return append(spans, now)
}

func at(spans []span, t recording.Seconds) span {
	for i := len(spans) - 1; i > 0; i-- {
		if t >= spans[i].from {
			return spans[i]
		}
	}
	if len(spans) == 0 {
		return span{left: Forever, serves: true}
	}
	return spans[0]
}

// before is what was true just before a time.
func before(spans []span, t recording.Seconds) span {
	return at(spans, recording.Seconds(math.Nextafter(float64(t), math.Inf(-1))))
}

// Nodes are all nodes of the world.
func (l *Ledger) Nodes() []world.Node { return l.topology.Nodes }

// Node finds a node of the world by its address.
func (l *Ledger) Node(addr netip.Addr) (world.Node, bool) { return l.topology.Node(addr) }

// Upstream is the number of the name that a node belongs to, 0 if it belongs to none or the
// world does not have it.
func (l *Ledger) Upstream(node netip.Addr) int {
	n, _ := l.topology.Node(node)
	return n.Upstream
}

// Named says whether the answers for the node's name had it at a time.
func (l *Ledger) Named(node netip.Addr, t recording.Seconds) bool { return at(l.nodes[node], t).named }

// Left is since when, at a time, the node had been out of its name, and false if it
// was in it or had never been.
func (l *Ledger) Left(node netip.Addr, t recording.Seconds) (recording.Seconds, bool) {
	since := at(l.nodes[node], t).left
	return since, since < Forever
}

// Serves says whether the node served at a time, and if not, how it did not.
func (l *Ledger) Serves(node netip.Addr, t recording.Seconds) (serves bool, how string) {
	s := at(l.nodes[node], t)
	return s.serves, s.how
}

// Resolves says whether the resolvers answered as they should at a time.
func (l *Ledger) Resolves(t recording.Seconds) bool { return at(l.resolves, t).serves }

// Tells is the first instant from a time on at which the resolvers answered as they should;
// Forever if they did not any more. What a name became while they failed nobody can know
// before it.
func (l *Ledger) Tells(t recording.Seconds) recording.Seconds {
	for _, s := range l.answered {
		if s.To > t {
			return max(t, s.From)
		}
	}
	return Forever
}

// Told is by when a proxy that asks again within a time knows what a name became at t: the
// resolvers have answered as they should for that long without a break. It is Forever if they
// did not.
func (l *Ledger) Told(t, within recording.Seconds) recording.Seconds {
	for _, s := range l.answered {
		if by := max(t, s.From) + within; by <= s.To {
			return by
		}
	}
	return Forever
}

// Restarts are the times at which the proxy was restarted.
func (l *Ledger) Restarts() []Moment {
	return l.moments(func(e world.Effect) bool { return e.Restarted })
}

// Reloads are the times at which the proxy was told to reload its configuration.
func (l *Ledger) Reloads() []Moment {
	return l.moments(func(e world.Effect) bool { return e.Reloaded })
}

// moments are the steps that have such an effect.
func (l *Ledger) moments(such func(world.Effect) bool) []Moment {
	var all []Moment
	for _, s := range l.steps {
		if slices.ContainsFunc(s.Effects, such) {
			all = append(all, moment(s))
		}
	}
	return all
}

// Unknowing are the times in which a proxy that had been restarted could know no address
// by DNS, since the resolvers did not answer as they should.
func (l *Ledger) Unknowing() []Span {
	var spans []Span
	for _, m := range l.Restarts() {
		if to := l.Tells(m.At); to > m.At {
			spans = append(spans, Span{m.Asked, to})
		}
	}
	return spans
}

// Died says whether the node did not serve at some instant from first to last, and
// when that had been asked for. A change that is asked for may take hold of one node,
// or one connection, before another.
func (l *Ledger) Died(node netip.Addr, first, last recording.Seconds) (asked recording.Seconds, died bool) {
	for _, s := range l.nodes[node] {
		if !s.serves && s.asked <= last && s.to > first {
			return s.asked, true
		}
	}
	return 0, false
}

// Muted says whether what the node wrote at a time was dropped on its way.
func (l *Ledger) Muted(node netip.Addr, t recording.Seconds) bool {
	for _, s := range l.nodes[node] {
		if !s.serves && s.how == world.Silence && t >= s.asked && t < s.to {
			return true
		}
	}
	return false
}

// Span is a time, until To; Forever if it did not end.
type Span struct{ From, To recording.Seconds }

// Struck are the times in which the node was in its name and did not serve. What one
// step did in two instants, it did at once.
func (l *Ledger) Struck(node netip.Addr) []Span {
	var spans []Span
	all := l.nodes[node]
	for i, s := range all {
		passing := i+1 < len(all) && s.step != 0 && all[i+1].step == s.step
		if s.named && !s.serves && !passing {
			spans = join(spans, Span{s.from, s.to})
		}
	}
	return spans
}

// join appends a span, or lengthens the last one if it ends as this one begins.
func join(spans []Span, s Span) []Span {
	if n := len(spans); n > 0 && spans[n-1].To == s.From {
		spans[n-1].To = s.To
		return spans
	}
	return append(spans, s)
}

// Unresolved are the times in which the resolvers did not answer as they should.
func (l *Ledger) Unresolved() []Span {
	var spans []Span
	for _, s := range l.resolves {
		if !s.serves {
			spans = join(spans, Span{s.from, s.to})
		}
	}
	return spans
}

// Available says whether at some instant from first to last a node of the upstream
// was in its name and served, be it in part, so that a proxy could have done better
// than to fail. A node that is lost does not count from when that was asked for: it may
// have been lost at any instant from then on.
func (l *Ledger) Available(upstream int, first, last recording.Seconds) bool {
	for _, n := range l.topology.Nodes {
		if n.Upstream != upstream {
			continue
		}
		all := l.nodes[n.Addr]
		for i, s := range all {
			until := s.to
			if i+1 < len(all) && !all[i+1].available() {
				until = min(until, all[i+1].asked)
			}
			if s.available() && s.from <= last && until > first {
				return true
			}
		}
	}
	return false
}

func (s span) available() bool { return s.named && (s.serves || s.partly) }

// AllServe says whether at t every node that the upstream's name had served.
func (l *Ledger) AllServe(upstream int, t recording.Seconds) bool {
	return !slices.ContainsFunc(l.topology.Nodes, func(n world.Node) bool {
		now := at(l.nodes[n.Addr], t)
		return n.Upstream == upstream && now.named && !now.serves
	})
}
