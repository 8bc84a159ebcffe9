package fault

import (
	"context"
	"fmt"
	"maps"
	"net/netip"
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
	// Except is a resolver that goes on with the nodes that the name has now: a forwarder
	// with a zone of its own, or one that ignores the TTL. None if it is the zero value.
	Except netip.Addr `json:"except,omitzero"`
}

// Name implements Fault.
func (c ChangeDNS) Name() string {
	name := "name has " + subject(c.To)
	if c.To == world.Spare {
		name = "name moves to new nodes"
	}
	if c.Except.IsValid() {
		name += ", except at " + c.Except.String()
	}
	return name
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
		name := balancerName(nodes[0].Balancer, upstream+1, nodes, w.TTL)
		if c.Except.IsValid() {
			name.Views = []fakedns.View{c.former(named(w.State, upstream+1))}
		}
		names = append(names, name)
	}
	return w.DNS.PutNames(ctx, names...)
}

// former is what the excepted resolver goes on to answer.
func (c ChangeDNS) former(nodes []netip.Addr) fakedns.View {
	view := fakedns.View{Resolvers: []netip.Addr{c.Except}}
	for _, addr := range nodes {
		if addr.Is4() {
			view.A = append(view.A, addr)
		} else {
			view.AAAA = append(view.AAAA, addr)
		}
	}
	return view
}

// proveSplit has the excepted resolver proved to answer what it did, and the others what is new.
func (c ChangeDNS) proveSplit(ctx context.Context, w *Live) []Proof {
	excepted, others := *w, *w
	excepted.Resolvers, others.Resolvers = nil, nil
	for _, r := range w.Resolvers {
		if r.Addr() == c.Except {
			excepted.Resolvers = append(excepted.Resolvers, r)
		} else {
			others.Resolvers = append(others.Resolvers, r)
		}
	}
	return append(proveNames(ctx, &others, c.Effects(w.State)), proveNames(ctx, &excepted, nil)...)
}

// Prove implements Fault. While DNS fails no resolver tells: fakedns itself is asked then, and
// HealDNS proves what the resolvers answer later.
func (c ChangeDNS) Prove(ctx context.Context, w *Live) []Proof {
	if w.State.Resolves {
		return c.proveSplit(ctx, w)
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
