package fault

import (
	"context"
	"time"

	"github.com/proxychaos/proxychaos/harness/world"
)

// HealDNS ends FailDNS.
type HealDNS struct{}

// Name implements Fault.
func (HealDNS) Name() string { return "DNS answers again" }

// Effects implements Fault.
func (HealDNS) Effects(world.State) []world.Effect {
	return []world.Effect{{Resolves: world.Truth(true)}}
}

// Apply implements Fault.
func (HealDNS) Apply(ctx context.Context, w *Live) (time.Time, error) {
	return w.DNS.DeleteFault(ctx, outageID)
}

// Prove implements Fault: each resolver answers for both types, and with nodes that the names
// have now.
func (HealDNS) Prove(ctx context.Context, w *Live) []Proof {
	proofs := proveNames(ctx, w, nil)
	for _, resolver := range w.Resolvers {
		proofs = append(proofs, proveAnswer(ctx, w, resolver, ipv4), proveAnswer(ctx, w, resolver, ipv6))
	}
	return proofs
}
