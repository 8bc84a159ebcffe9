package fault

import (
	"context"
	"fmt"
	"net/http"
	"net/netip"
	"time"

	"github.com/proxychaos/proxychaos/fakealb"
	"github.com/proxychaos/proxychaos/harness/recording"
)

// BringBack lifts whatever was done to the old nodes.
type BringBack struct{}

// Name implements Fault.
func (BringBack) Name() string { return "the nodes are back" }

// Apply implements Fault.
func (BringBack) Apply(ctx context.Context, w *World) (time.Time, error) {
	applied, err := w.ALB.SetFault(ctx, fakealb.FaultNone, w.Old...)
	return applied.InForceAt, err
}

// Prove implements Fault: each of them answers a request.
func (BringBack) Prove(ctx context.Context, w *World) []Proof {
	return proveEach(w.Old, func(node netip.Addr) Proof {
		to := netip.AddrPortFrom(node, w.Port)
		status, server, err := w.Probe.Get(ctx, to, probeTimeout)
		if err != nil {
			return prove(recording.ProofNodesBack, false, fmt.Sprintf("asked %s: %v", to, err))
		}
		return prove(recording.ProofNodesBack, status == http.StatusOK, fmt.Sprintf("asked %s: %d from %q", to, status, server))
	})
}
