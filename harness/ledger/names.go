package ledger

import (
	"net/netip"
	"strings"

	"github.com/proxychaos/proxychaos/harness/recording"
)

// Literals are the addresses that the proxy has connected to without asking DNS, and for
// which nodes of the upstream stand: world.Literal or world.LiteralIPv6.
func (l *Ledger) Literals(upstream int) []netip.Addr {
	var all []netip.Addr
	for _, a := range l.topology.Literals {
		if l.Upstream(a.Node) == upstream {
			all = append(all, a.Addr)
		}
	}
	return all
}

// Asked are the addresses by which the proxy knows a node: its own, or the literal ones
// that it stands for.
func (l *Ledger) Asked(node netip.Addr) []netip.Addr {
	var asked []netip.Addr
	for _, a := range l.topology.Literals {
		if a.Node == node {
			asked = append(asked, a.Addr)
		}
	}
	if asked == nil {
		asked = []netip.Addr{node}
	}
	return asked
}

// Leads says, of each name in lower case that was asked for, which upstream it leads
// to: the one of the nodes that some answer for it held, whoever asked.
func (l *Ledger) Leads(queries []recording.Query) map[string]int {
	leads := map[string]int{}
	for _, q := range queries {
		for _, a := range q.Answers {
			if upstream := l.Upstream(a); upstream != 0 {
				leads[strings.ToLower(q.Name)] = upstream
			}
		}
	}
	return leads
}

// Current says whether an answer held nodes, and each of them was in its name then.
func (l *Ledger) Current(q recording.Query) bool {
	for _, a := range q.Answers {
		if !l.Named(a, q.At) {
			return false
		}
	}
	return len(q.Answers) > 0
}
