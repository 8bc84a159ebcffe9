package ledger

import (
	"net/netip"
	"slices"

	"github.com/proxychaos/proxychaos/harness/recording"
	"github.com/proxychaos/proxychaos/harness/world"
)

// Act is one fault that came into force, and for how long what it did was true.
type Act struct {
	Name string // its legend entry: "old nodes go silent"
	// From is when it came into force, To when the last thing that it had changed was
	// changed again; Forever if one never was.
	From, To recording.Seconds
	// Heals says that it only brought back what had been so at the start. It lasts no
	// longer than its own instant.
	Heals bool
}

// aboutProxy says whether an effect is something that was done to the proxy.
func aboutProxy(e world.Effect) bool { return e.Restarted || e.Reloaded || e.Proxy != 0 }

// thing is what one effect is about: the resolvers, or one side of a node.
type thing struct {
	node  netip.Addr
	named bool // whether its name has it; else whether it serves
}

// Acts are the faults that came into force, in their order. They may overlap.
func (l *Ledger) Acts() []Act {
	acts := make([]Act, len(l.steps))
	for i, s := range l.steps {
		acts[i] = Act{Name: s.Name, From: s.From(), To: s.From(), Heals: !slices.ContainsFunc(s.Effects, aboutProxy)}
		for changed, departs := range l.changes(s) {
			if departs {
				acts[i].Heals = false
				acts[i].To = max(acts[i].To, l.nextChange(i, changed))
			}
		}
	}
	return acts
}

// changes are the things that a step is about, and whether it makes them other than
// they were at the start.
func (l *Ledger) changes(s recording.Step) map[thing]bool {
	changed := map[thing]bool{}
	for _, e := range s.Effects {
		if e.Resolves != nil {
			changed[thing{}] = !*e.Resolves
		}
		if e.Named != nil {
			changed[thing{e.Node, true}] = *e.Named != l.Named(e.Node, -Forever)
		}
		if e.Serves != nil {
			changed[thing{e.Node, false}] = !*e.Serves
		}
	}
	return changed
}

// nextChange is when a later step than the i-th was about the same thing.
func (l *Ledger) nextChange(i int, about thing) recording.Seconds {
	for _, s := range l.steps[i+1:] {
		if _, again := l.changes(s)[about]; again {
			return s.From()
		}
	}
	return Forever
}

// Condition is what was true of a node for some time, until To.
type Condition struct {
	Span
	Named, Left, Serves bool
}

// Conditions are what was true of a node, one after the other without a gap.
func (l *Ledger) Conditions(node netip.Addr) []Condition {
	var all []Condition
	for _, s := range l.nodes[node] {
		all = append(all, Condition{Span: Span{s.from, s.to}, Named: s.named, Left: s.left < Forever, Serves: s.serves})
	}
	return all
}

// Outdated are the times in which the node was out of its name for longer than a proxy
// may go on with it: Plan.Allowed of the recording, from when the resolvers told.
func (l *Ledger) Outdated(node netip.Addr, allowed recording.Seconds) []Span {
	var spans []Span
	for _, s := range l.nodes[node] {
		from := max(s.from, l.Told(s.left, allowed))
		if s.left < Forever && from < s.to {
			spans = join(spans, Span{from, s.to})
		}
	}
	return spans
}
