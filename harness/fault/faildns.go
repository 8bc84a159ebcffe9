package fault

import (
	"cmp"
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
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
	// Type is the only type of question that fails, "A" or "AAAA"; "" is every type.
	// Firewalls and old servers that do not know AAAA fail so. If the names of a testbed have
	// no IPv6 address, AAAA has no record without the fault either.
	Type string `json:"type,omitempty"`
	// Delay is of fakedns.KindDelay, PerSecond of fakedns.KindThrottle.
	Delay     fakealb.Duration `json:"delay,omitempty"`
	PerSecond int              `json:"per_second,omitempty"`
}

// Name implements Fault.
func (f FailDNS) Name() string {
	how := strings.ReplaceAll(string(f.Kind), "_", " ")
	if f.Type != "" {
		return "DNS fails for " + f.Type + ": " + how
	}
	return "DNS fails: " + how
}

// Check implements Checker.
func (f FailDNS) Check() error {
	if !slices.Contains([]string{"", ipv4, ipv6}, f.Type) {
		return fmt.Errorf("got the type %q, want %s, %s or none", f.Type, ipv4, ipv6)
	}
	return f.fault().Check()
}

func (f FailDNS) fault() fakedns.Fault {
	return fakedns.Fault{
		ID: outageID, Kind: f.Kind, Delay: time.Duration(f.Delay), PerSecond: f.PerSecond, Scope: fakedns.Scope{Type: f.Type},
	}
}

// Effects implements Fault.
func (f FailDNS) Effects(world.State) []world.Effect {
	return []world.Effect{{Resolves: world.Truth(false), How: strings.TrimSpace(string(f.Kind) + " " + f.Type)}}
}

// Apply implements Fault.
func (f FailDNS) Apply(ctx context.Context, w *Live) (time.Time, error) {
	return w.DNS.PutFault(ctx, f.fault())
}

// Prove implements Fault. Each resolver is asked: fakedns must have counted the
// question as hit. The answer itself does not tell: some kinds leave some answers
// whole, or send the client to TCP. If one type fails, the other must be answered.
func (f FailDNS) Prove(ctx context.Context, w *Live) []Proof {
	var proofs []Proof
	for _, resolver := range w.Resolvers {
		before, err := hits(ctx, w.DNS)
		if err != nil {
			return []Proof{prove(false, err.Error())}
		}
		answers := make([]string, f.questions())
		var asked sync.WaitGroup
		for i := range answers {
			asked.Go(func() { answers[i] = f.ask(ctx, w, resolver) })
		}
		asked.Wait()
		after, err := hits(ctx, w.DNS)
		if err != nil {
			return []Proof{prove(false, err.Error())}
		}
		proofs = append(proofs, prove(after > before,
			fmt.Sprintf("asked %s: %s; the fault has touched %d answers more", resolver, answers[0], after-before)))
		switch f.Type {
		case ipv4:
			proofs = append(proofs, proveAnswer(ctx, w, resolver, ipv6))
		case ipv6:
			proofs = append(proofs, proveAnswer(ctx, w, resolver, ipv4))
		}
	}
	return proofs
}

// proveAnswer asks a resolver for one type: for A the answer must hold nodes, for AAAA
// it has to be one.
func proveAnswer(ctx context.Context, w *Live, resolver netip.AddrPort, qtype string) Proof {
	got, err := w.Probe.Lookup(ctx, resolver, w.anyName(), qtype)
	detail := fmt.Sprintf("asked %s for %s: answered %v", resolver, qtype, got)
	if err != nil {
		detail = fmt.Sprintf("asked %s for %s: %v", resolver, qtype, err)
	}
	return prove(err == nil && (len(got) > 0 || qtype == ipv6), detail)
}

// ask is the result of a question to a resolver, in words.
func (f FailDNS) ask(ctx context.Context, w *Live, resolver netip.AddrPort) string {
	got, err := w.Probe.Lookup(ctx, resolver, w.anyName(), cmp.Or(f.Type, ipv4))
	if err != nil {
		return err.Error()
	}
	return fmt.Sprintf("answered %v", got)
}

// questions is how many are asked at once for a proof: a throttle lets the first
// through, and counts anew each second, which may be over before a busy machine has
// asked them one after the other.
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
