package ledger

import (
	"slices"

	"github.com/proxychaos/proxychaos/harness/recording"
	"github.com/proxychaos/proxychaos/harness/world"
)

// Moment is one fault that came into force.
type Moment struct {
	Name string // its legend entry: "old nodes go silent"
	// Asked is when it began to come into force, At when it was.
	Asked, At recording.Seconds
}

func moment(s recording.Step) Moment {
	m := Moment{Name: s.Name, Asked: s.Asked, At: s.From()}
	if m.Asked == 0 || m.Asked > m.At {
		m.Asked = m.At
	}
	return m
}

// First is the first fault, and false if none came into force.
func (l *Ledger) First() (Moment, bool) {
	if len(l.steps) == 0 {
		return Moment{Asked: Forever, At: Forever}, false
	}
	return moment(l.steps[0]), true
}

// Losses are the faults that took something away from requests: a node that served,
// or the answers of the resolvers. A name that moves takes nothing away, unless it
// moves to a node that does not serve. If several came at one instant they are one.
func (l *Ledger) Losses() []Moment {
	var losses []Moment
	for _, s := range l.steps {
		if !slices.ContainsFunc(s.Effects, func(e world.Effect) bool { return l.takes(s, e) || l.misleads(s, e) }) {
			continue
		}
		if n := len(losses); n > 0 && s.From() == losses[n-1].At {
			continue
		}
		losses = append(losses, moment(s))
	}
	return losses
}

// takes says whether an effect takes away what was there just before it.
func (l *Ledger) takes(s recording.Step, e world.Effect) bool {
	about := l.resolves
	if e.Serves != nil {
		about = l.nodes[e.Node]
	}
	was := before(about, s.From())
	return e.Worse() && (was.serves || was.partly)
}

// misleads says whether an effect gives a name a node that does not serve.
func (l *Ledger) misleads(s recording.Step, e world.Effect) bool {
	serves, _ := l.Serves(e.Node, s.From())
	return e.Named != nil && *e.Named && !serves
}

// Whole is when, after the last loss, every node that some name has served again and
// the resolvers answered; Forever if that did not come.
func (l *Ledger) Whole() recording.Seconds {
	whole := -Forever
	for _, spans := range l.nodes {
		for _, s := range spans {
			if s.named && !s.serves {
				whole = max(whole, s.to)
			}
		}
	}
	for _, s := range l.Unresolved() {
		whole = max(whole, s.To)
	}
	return whole
}

// Moved is when a node first left the answers for an upstream's name, and false if none
// did. A name that only gets more nodes leaves what a proxy knows of it true.
func (l *Ledger) Moved(upstream int) (recording.Seconds, bool) {
	first := Forever
	for _, n := range l.topology.Nodes {
		if n.Upstream != upstream {
			continue
		}
		spans := l.nodes[n.Addr]
		for i := 1; i < len(spans); i++ {
			if spans[i-1].named && !spans[i].named {
				first = min(first, spans[i].from)
			}
		}
	}
	return first, first < Forever
}

// Touched are the nodes of which something changed, among those that a name had at
// the start.
func (l *Ledger) Touched() []world.Node {
	var touched []world.Node
	for _, n := range l.topology.Nodes {
		if spans := l.nodes[n.Addr]; len(spans) > 1 && spans[0].named {
			touched = append(touched, n)
		}
	}
	return touched
}
