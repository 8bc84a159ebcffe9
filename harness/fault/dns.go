package fault

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/proxychaos/proxychaos/fakealb"
	"github.com/proxychaos/proxychaos/fakedns"
	"github.com/proxychaos/proxychaos/harness/world"
)

// outageID names the fault in fakedns and in its query log.
const outageID = "outage"

// FailDNS makes every resolver fail in one of fakedns's ways, for whoever asks
// whatever, until HealDNS.
type FailDNS struct {
	Kind fakedns.Kind `json:"kind"`
	// Delay is of fakedns.KindDelay, PerSecond of fakedns.KindThrottle.
	Delay     fakealb.Duration `json:"delay,omitempty"`
	PerSecond int              `json:"per_second,omitempty"`
}

// Name implements Fault.
func (f FailDNS) Name() string { return "DNS fails: " + strings.ReplaceAll(string(f.Kind), "_", " ") }

// Check implements Checker.
func (f FailDNS) Check() error { return f.fault().Check() }

func (f FailDNS) fault() fakedns.Fault {
	return fakedns.Fault{ID: outageID, Kind: f.Kind, Delay: time.Duration(f.Delay), PerSecond: f.PerSecond}
}

// Effects implements Fault.
func (f FailDNS) Effects(world.State) []world.Effect {
	return []world.Effect{{Resolves: world.Truth(false), How: string(f.Kind)}}
}

// Apply implements Fault.
func (f FailDNS) Apply(ctx context.Context, w *Live) (time.Time, error) {
	return w.DNS.PutFault(ctx, f.fault())
}

// Prove implements Fault. Each resolver is asked: fakedns must have counted the
// question as hit. The answer itself does not tell: some kinds leave some answers
// whole, or send the client to TCP.
func (f FailDNS) Prove(ctx context.Context, w *Live) []Proof {
	var proofs []Proof
	for _, resolver := range w.Resolvers {
		before, err := hits(ctx, w.DNS)
		if err != nil {
			return []Proof{prove(false, err.Error())}
		}
		saw := ""
		for range f.questions() {
			got, err := w.Probe.Lookup(ctx, resolver, w.anyName())
			switch {
			case err != nil:
				saw = err.Error()
			default:
				saw = fmt.Sprintf("answered %v", got)
			}
		}
		after, err := hits(ctx, w.DNS)
		if err != nil {
			return []Proof{prove(false, err.Error())}
		}
		proofs = append(proofs, prove(after > before,
			fmt.Sprintf("asked %s: %s; the fault has touched %d answers more", resolver, saw, after-before)))
	}
	return proofs
}

// questions is how many are asked for a proof: a throttle lets the first
// through.
func (f FailDNS) questions() int { return f.PerSecond + 1 }

// hits is how many answers the outage has touched.
func hits(ctx context.Context, dns *fakedns.Client) (uint64, error) {
	faults, err := dns.Faults(ctx)
	if err != nil {
		return 0, fmt.Errorf("reading the faults of fakedns: %w", err)
	}
	for _, f := range faults {
		if f.Fault.ID == outageID {
			return f.Hits, nil
		}
	}
	return 0, fmt.Errorf("fakedns has no fault %q in force", outageID)
}

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

// Prove implements Fault: each resolver answers with nodes.
func (HealDNS) Prove(ctx context.Context, w *Live) []Proof {
	var proofs []Proof
	for _, resolver := range w.Resolvers {
		got, err := w.Probe.Lookup(ctx, resolver, w.anyName())
		detail := fmt.Sprintf("asked %s: answered %v", resolver, got)
		if err != nil {
			detail = fmt.Sprintf("asked %s: %v", resolver, err)
		}
		proofs = append(proofs, prove(err == nil && len(got) > 0, detail))
	}
	return proofs
}
