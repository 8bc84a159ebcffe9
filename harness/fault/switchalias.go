package fault

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/proxychaos/proxychaos/fakedns"
	"github.com/proxychaos/proxychaos/harness/world"
)

// SwitchAlias points the name at another load balancer, as when a Route 53
// alias is changed (the experiment of the first article).
type SwitchAlias struct {
	// To is the balancer that the name leads to from then on.
	To string `json:"to"`
}

// Name implements Fault.
func (SwitchAlias) Name() string { return "alias moves to another load balancer" }

// Effects implements Fault: the name gets the nodes that the other balancer's DNS name had
// at the start.
func (a SwitchAlias) Effects(s world.State) []world.Effect {
	var effects []world.Effect
	for _, n := range s.Nodes {
		switch {
		case n.Upstream == world.InFront:
		case n.Named && n.Balancer != a.To:
			effects = append(effects, world.Effect{Node: n.Addr, Named: world.Truth(false)})
		case !n.Named && !n.Spare && n.Balancer == a.To:
			effects = append(effects, world.Effect{Node: n.Addr, Named: world.Truth(true)})
		}
	}
	return effects
}

// Apply implements Fault.
func (a SwitchAlias) Apply(ctx context.Context, w *Live) (time.Time, error) {
	return w.DNS.PutNames(ctx, leadTo(w.Topology, a.To)...)
}

// Prove implements Fault. While DNS fails no resolver tells: fakedns itself is asked then, as with
// [ChangeDNS].
func (a SwitchAlias) Prove(ctx context.Context, w *Live) []Proof {
	if w.State.Resolves {
		return proveNames(ctx, w, a.Effects(w.State))
	}
	names, err := w.DNS.Names(ctx)
	if err != nil {
		return []Proof{prove(false, fmt.Sprintf("asking fakedns for its names: %v", err))}
	}
	var proofs []Proof
	for _, want := range leadTo(w.Topology, a.To) {
		held := slices.ContainsFunc(names, func(n fakedns.Name) bool {
			return n.Name == want.Name && n.Alias == want.Alias && slices.Equal(n.Aliases, want.Aliases)
		})
		proofs = append(proofs, prove(held, fmt.Sprintf("while no resolver answers, fakedns has %s lead to %s: %t", want.Name, a.To, held)))
	}
	return proofs
}
