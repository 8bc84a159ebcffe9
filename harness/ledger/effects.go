package ledger

import (
	"iter"
	"net/netip"

	"github.com/proxychaos/proxychaos/harness/recording"
	"github.com/proxychaos/proxychaos/harness/world"
)

// effects are those that came into force, each with its step.
func (l *Ledger) effects() iter.Seq2[recording.Step, world.Effect] {
	return func(yield func(recording.Step, world.Effect) bool) {
		for _, s := range l.steps {
			for _, e := range s.Effects {
				if !yield(s, e) {
					return
				}
			}
		}
	}
}

// AboutNames says whether some fault was about what DNS says, and not only about nodes.
func (l *Ledger) AboutNames() bool {
	for _, e := range l.effects() {
		if e.Resolves != nil || e.Named != nil {
			return true
		}
	}
	return false
}

// Healed says whether from an instant on a node served again, or the resolvers answered again.
func (l *Ledger) Healed(at recording.Seconds) bool {
	for s, e := range l.effects() {
		if s.From() == at && (e.Serves != nil && *e.Serves || e.Resolves != nil && *e.Resolves) {
			return true
		}
	}
	return false
}

// RefusedTLS are the nodes that refused TLS at some time.
func (l *Ledger) RefusedTLS() []netip.Addr {
	var nodes []netip.Addr
	for _, e := range l.effects() {
		if e.RefusesTLS() {
			nodes = append(nodes, e.Node)
		}
	}
	return nodes
}

// BeganToRefuseTLS says whether some nodes began to refuse TLS between two times. They
// end the connections that they have as they do.
func (l *Ledger) BeganToRefuseTLS(first, last recording.Seconds) bool {
	for s, e := range l.effects() {
		if e.RefusesTLS() && first < s.From() && last >= s.Asked {
			return true
		}
	}
	return false
}
