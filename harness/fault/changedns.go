package fault

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/proxychaos/proxychaos/fakedns"
	"github.com/proxychaos/proxychaos/harness/world"
)

// ChangeDNS gives the load balancer's name other nodes, as when an ALB scales,
// replaces nodes, or has a zone taken out (aws-facts 1.6, 1.15).
type ChangeDNS struct {
	// To are all nodes that the name has from then on.
	To world.Pick `json:"to"`
}

// Name implements Fault.
func (c ChangeDNS) Name() string {
	if c.To == world.Spare {
		return "name moves to new nodes"
	}
	return "name has " + subject(c.To)
}

// Check implements Checker.
func (c ChangeDNS) Check() error { return c.To.Check() }

// Picks implements Picker.
func (c ChangeDNS) Picks() world.Pick { return c.To }

// Effects implements Fault.
func (c ChangeDNS) Effects(s world.State) []world.Effect {
	to := addrs(c.To.Of(s))
	var effects []world.Effect
	for _, n := range s.Nodes {
		if named := slices.Contains(to, n.Addr); named != n.Named && n.Upstream != world.InFront {
			effects = append(effects, world.Effect{Node: n.Addr, Named: world.Truth(named)})
		}
	}
	return effects
}

// Apply implements Fault.
func (c ChangeDNS) Apply(ctx context.Context, w *Live) (time.Time, error) {
	to := c.To.Of(w.State)
	var names []fakedns.Name
	for upstream := range world.Upstreams {
		var nodes []world.Node
		for _, n := range to {
			if n.Upstream == upstream+1 {
				nodes = append(nodes, n.Node)
			}
		}
		if len(nodes) == 0 && !hasNodes(w.Topology, upstream+1) {
			continue
		}
		if len(nodes) == 0 {
			return time.Time{}, fmt.Errorf("%s: no node of the world is one of them", c.Name())
		}
		names = append(names, balancerName(nodes[0].Balancer, upstream+1, nodes, w.TTL))
	}
	return w.DNS.PutNames(ctx, names...)
}

// Prove implements Fault. While DNS fails no resolver tells: fakedns itself is asked then, and
// HealDNS proves what the resolvers answer later.
func (c ChangeDNS) Prove(ctx context.Context, w *Live) []Proof {
	if w.State.Resolves {
		return proveNames(ctx, w, c.Effects(w.State))
	}
	names, err := w.DNS.Names(ctx)
	if err != nil {
		return []Proof{prove(false, fmt.Sprintf("asking fakedns for its names: %v", err))}
	}
	after := w.State.With(c.Effects(w.State)...)
	var proofs []Proof
	for _, upstream := range slices.Sorted(maps.Keys(w.Upstreams)) {
		want := named(after, upstream)
		held := slices.ContainsFunc(names, func(n fakedns.Name) bool { return len(want) > 0 && slices.Equal(slices.Concat(n.A, n.AAAA), want) })
		proofs = append(proofs, prove(held, fmt.Sprintf("while no resolver answers, fakedns has a name with %v: %t", want, held)))
	}
	return proofs
}
