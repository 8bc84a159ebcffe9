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

// subject is a pick as the subject of a sentence. Only one that is a single number is in
// the singular.
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
	numbers := strings.Fields(string(p))
	if len(numbers) == 1 {
		return "node " + numbers[0]
	}
	return "nodes " + strings.Join(numbers, " and ")
}

// sentence is a pick and what it does: a verb in the plural, and what follows it.
func sentence(p world.Pick, verb string) string {
	words := subject(p)
	if strings.HasPrefix(words, "node ") {
		verb = singular(verb)
	}
	return words + " " + verb
}

// singular is a verb in the plural, and what follows it, as it is said of one.
func singular(verb string) string {
	first, rest, more := strings.Cut(verb, " ")
	switch first {
	case "never":
		return first + " " + singular(rest)
	case "are":
		first = "is"
	case "go":
		first = "goes"
	default:
		first += "s"
	}
	if !more {
		return first
	}
	return first + " " + rest
}
