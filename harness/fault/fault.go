// Package fault holds the things a scenario does to the world around a proxy:
// the name moves, ALB nodes go silent, refuse, or lose their targets.
//
// A fault is small: it says its name, applies itself through the control APIs
// of the fakes, and proves from the proxy's own place in the network that it
// took hold. It never sees a test handle. docs/adding-a-scenario.md walks
// through writing one more.
package fault

import (
	"context"
	"net/netip"
	"sync"
	"time"

	"github.com/proxychaos/proxychaos/fakealb"
	"github.com/proxychaos/proxychaos/fakedns"
	"github.com/proxychaos/proxychaos/harness/recording"
)

// Fault is one thing done to the world.
type Fault interface {
	// Name is the legend entry of the fault: "name moves to fresh nodes".
	Name() string
	// Apply returns once the fault is in force, with the time at which the
	// agent put it in force.
	Apply(context.Context, *World) (time.Time, error)
	// Prove looks from the proxy's place whether the fault took hold.
	Prove(context.Context, *World) []Proof
}

// Preparer is a Fault that has to set something up shortly before it applies,
// for its proof.
type Preparer interface {
	Prepare(context.Context, *World) error
}

// Proof is one observation, with the wall-clock time it was made.
type Proof struct {
	Kind   string // one of the recording.Proof constants
	OK     bool
	At     time.Time
	Detail string
}

// World is what a fault can reach.
type World struct {
	DNS   *fakedns.Client
	ALB   *fakealb.Client
	Probe Prober
	// Resolvers are the addresses the config under test can ask.
	Resolvers []netip.AddrPort
	TTL       time.Duration
	// Old are the nodes of the load balancer OldLB, Fresh those the name
	// moves to, of FreshLB (the same one unless an alias is switched). Where
	// the name Stays it has both, and Old are those that are struck.
	Old, Fresh     []netip.Addr
	Stays          bool
	OldLB, FreshLB string
	Port           uint16 // a port the nodes listen on for plain HTTP
}

// Prober looks at the world from where the proxy stands.
type Prober interface {
	// Lookup asks one resolver for the A records of a name.
	Lookup(ctx context.Context, resolver netip.AddrPort, name string) ([]netip.Addr, error)
	// Connect opens and closes a TCP connection and says what came of it:
	// connected, refused, timeout, unreachable, reset.
	Connect(ctx context.Context, to netip.AddrPort, timeout time.Duration) (string, error)
	// Hold opens a connection to a node and keeps it for Ask.
	Hold(ctx context.Context, to netip.AddrPort) error
	// Ask sends a request on the held connection and says what came of it:
	// answered, reset, closed, silence.
	Ask(ctx context.Context, to netip.AddrPort, timeout time.Duration) (string, error)
	// Get makes one request on a connection of its own.
	Get(ctx context.Context, to netip.AddrPort, timeout time.Duration) (status int, server string, err error)
	// Handshake does a TLS handshake as a client that trusts ca (PEM) and wants
	// a certificate for name, and says what came of it: a Handshake constant.
	Handshake(ctx context.Context, to netip.AddrPort, name string, ca []byte, timeout time.Duration) (string, error)
}

// prove makes one Proof of an observation.
func prove(kind string, ok bool, detail string) Proof {
	return Proof{Kind: kind, OK: ok, At: time.Now(), Detail: detail}
}

// Old ends of a load balancer's old nodes, as in recording.Plan.OldEnd.
const (
	EndSilence   = "silence"
	EndRefuse    = "refuse"
	EndNoTargets = "no-targets"
)

// ProofOf is the proof that an end of the old nodes asks for.
var ProofOf = map[string]string{
	EndSilence:   recording.ProofOldSilent,
	EndRefuse:    recording.ProofOldRefuses,
	EndNoTargets: recording.ProofOldNoTarget,
}

// proveEach looks at all nodes at the same time.
func proveEach(nodes []netip.Addr, look func(netip.Addr) Proof) []Proof {
	proofs := make([]Proof, len(nodes))
	var wg sync.WaitGroup
	for i, node := range nodes {
		wg.Go(func() { proofs[i] = look(node) })
	}
	wg.Wait()
	return proofs
}
