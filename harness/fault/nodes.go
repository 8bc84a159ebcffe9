package fault

import (
	"net/netip"
	"strings"

	"github.com/proxychaos/proxychaos/harness/world"
)

// effectsOf is one effect on each of the nodes.
func effectsOf(nodes []world.NodeState, e world.Effect) []world.Effect {
	var effects []world.Effect
	for _, n := range nodes {
		e.Node = n.Addr
		effects = append(effects, e)
	}
	return effects
}

func addrs(nodes []world.NodeState) []netip.Addr {
	var list []netip.Addr
	for _, n := range nodes {
		list = append(list, n.Addr)
	}
	return list
}

// subject is a pick as the subject of a sentence, in the plural.
func subject(p world.Pick) string {
	switch p {
	case world.Fronts:
		return "nodes in front"
	case world.Left:
		return "old nodes"
	case world.Half:
		return "half of the nodes"
	case world.Named:
		return "all nodes"
	case world.Spare:
		return "spare nodes"
	case world.Struck:
		return "the nodes that failed"
	}
	return "nodes " + strings.Join(strings.Fields(string(p)), " and ")
}
