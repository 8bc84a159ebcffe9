package fault

import (
	"context"
	"fmt"
	"net/http"
	"net/netip"
	"time"

	"github.com/proxychaos/proxychaos/fakealb"
)

// probeTimeout is how long a probe waits before it calls a node silent. A
// node that lives answers within 1 ms here.
const probeTimeout = 300 * time.Millisecond

// EndOld ends the nodes that the name has left. A released ALB address was
// seen to swallow packets (aws-facts 1.8) and is documented to refuse or time
// out (1.7); how long it goes on serving before that is not published.
type EndOld struct {
	How string // one of the End constants
}

// Name implements Fault.
func (e EndOld) Name() string {
	switch e.How {
	case EndRefuse:
		return "old nodes refuse"
	case EndNoTargets:
		return "old ALB loses its targets"
	default:
		return "old nodes go silent"
	}
}

// Prepare opens the connections on which Prove asks: what a proxy's pooled
// connection will see.
func (e EndOld) Prepare(ctx context.Context, w *World) error {
	if e.How == EndNoTargets {
		return nil
	}
	for _, node := range w.Old {
		if err := w.Probe.Hold(ctx, netip.AddrPortFrom(node, w.Port)); err != nil {
			return fmt.Errorf("opening a connection to %s, to see it end: %w", node, err)
		}
	}
	return nil
}

// Apply implements Fault.
func (e EndOld) Apply(ctx context.Context, w *World) (time.Time, error) {
	var applied fakealb.Applied
	var err error
	switch e.How {
	case EndSilence:
		applied, err = w.ALB.SetFault(ctx, fakealb.FaultSilence, w.Old...)
	case EndRefuse:
		applied, err = w.ALB.SetFault(ctx, fakealb.FaultRefuse, w.Old...)
	case EndNoTargets:
		applied, err = w.ALB.PutLoadBalancer(ctx, fakealb.LoadBalancer{Name: w.OldLB, Targets: 0})
	default:
		err = fmt.Errorf("old nodes cannot end by %q: want %s, %s or %s", e.How, EndSilence, EndRefuse, EndNoTargets)
	}
	return applied.InForceAt, err
}

// Prove implements Fault: each old node is asked with a new connection and on
// one that was opened before the fault.
func (e EndOld) Prove(ctx context.Context, w *World) []Proof {
	return proveEach(w.Old, func(node netip.Addr) Proof {
		ok, detail := e.look(ctx, w.Probe, netip.AddrPortFrom(node, w.Port))
		return prove(ProofOf[e.How], ok, detail)
	})
}

func (e EndOld) look(ctx context.Context, probe Prober, node netip.AddrPort) (bool, string) {
	if e.How == EndNoTargets {
		status, server, err := probe.Get(ctx, node, probeTimeout)
		if err != nil {
			return false, fmt.Sprintf("asked %s: %v", node, err)
		}
		return status == http.StatusServiceUnavailable && server == "awselb/2.0",
			fmt.Sprintf("asked %s: %d from %s", node, status, server)
	}
	fresh, err := probe.Connect(ctx, node, probeTimeout)
	if err != nil {
		return false, fmt.Sprintf("connecting to %s: %v", node, err)
	}
	held, err := probe.Ask(ctx, node, probeTimeout)
	if err != nil {
		return false, fmt.Sprintf("asking %s on an open connection: %v", node, err)
	}
	detail := fmt.Sprintf("%s: a new connection sees %s, an open one %s", node, fresh, held)
	if e.How == EndRefuse {
		return fresh == "refused" && (held == "reset" || held == "closed"), detail
	}
	return fresh == "timeout" && held == "silence", detail
}
