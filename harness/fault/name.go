package fault

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/proxychaos/proxychaos/fakedns"
	"github.com/proxychaos/proxychaos/harness/recording"
)

// The names of the two load balancers, in the form of aws-facts 1.12. Every
// other name that a config asks for is an alias of the first.
const (
	firstALB  = "internal-backend-1111111111.ap-northeast-1.elb.amazonaws.com"
	secondALB = "internal-backend-2222222222.ap-northeast-1.elb.amazonaws.com"
	anyName   = "*"
	// proofName stands for whatever name the config asks for: the wildcard
	// answers both.
	proofName = "backend.proof.test"
)

// Names is what the resolvers answer before any fault: each name that a
// config asks for is an alias of the first load balancer, at its old nodes, or
// at all of them where the name stays.
func Names(w *World) []fakedns.Name {
	first, second := w.Old, w.Fresh
	if w.OldLB == w.FreshLB {
		second = nil
	}
	if w.Stays {
		first = slices.Concat(w.Old, w.Fresh)
	}
	names := []fakedns.Name{
		{Name: anyName, Alias: firstALB},
		{Name: firstALB, A: first, TTL: w.TTL},
	}
	if second != nil {
		names = append(names, fakedns.Name{Name: secondALB, A: second, TTL: w.TTL})
	}
	return names
}

// Rotate moves the load balancer's name to its fresh nodes, as when an ALB
// scales or replaces its nodes (aws-facts 1.6).
type Rotate struct{}

// Name implements Fault.
func (Rotate) Name() string { return "name moves to new nodes" }

// Apply implements Fault.
func (Rotate) Apply(ctx context.Context, w *World) (time.Time, error) {
	return w.DNS.PutNames(ctx, fakedns.Name{Name: firstALB, A: w.Fresh, TTL: w.TTL})
}

// Prove implements Fault.
func (Rotate) Prove(ctx context.Context, w *World) []Proof { return proveMoved(ctx, w) }

// SwitchAlias points the name at another load balancer, as when a Route 53
// alias is changed (the experiment of the first article).
type SwitchAlias struct{}

// Name implements Fault.
func (SwitchAlias) Name() string { return "alias moves to another ALB" }

// Apply implements Fault.
func (SwitchAlias) Apply(ctx context.Context, w *World) (time.Time, error) {
	return w.DNS.PutNames(ctx, fakedns.Name{Name: anyName, Alias: secondALB})
}

// Prove implements Fault.
func (SwitchAlias) Prove(ctx context.Context, w *World) []Proof { return proveMoved(ctx, w) }

// proveMoved asks every resolver that the config can ask.
func proveMoved(ctx context.Context, w *World) []Proof {
	var proofs []Proof
	for _, resolver := range w.Resolvers {
		got, err := w.Probe.Lookup(ctx, resolver, proofName)
		switch {
		case err != nil:
			proofs = append(proofs, prove(recording.ProofNameMoved, false, fmt.Sprintf("asked %s: %v", resolver, err)))
		default:
			proofs = append(proofs, prove(recording.ProofNameMoved, onlyOf(got, w.Fresh),
				fmt.Sprintf("asked %s: answered %v; the new nodes are %v", resolver, got, w.Fresh)))
		}
	}
	return proofs
}

// onlyOf says whether got is not empty and holds nothing but addresses of want.
func onlyOf(got, want []netip.Addr) bool {
	return len(got) > 0 && !slices.ContainsFunc(got, func(a netip.Addr) bool { return !slices.Contains(want, a) })
}
