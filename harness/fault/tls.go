package fault

import (
	"context"
	"fmt"
	"net/netip"
	"time"

	"github.com/proxychaos/proxychaos/fakealb"
	"github.com/proxychaos/proxychaos/harness/recording"
)

// handshakeSeen is what a client that verifies sees of each TLS fault.
var handshakeSeen = map[fakealb.FaultKind]string{
	fakealb.FaultTLSAlert:      HandshakeAlert,
	fakealb.FaultTLSHang:       HandshakeTimeout,
	fakealb.FaultTLSReset:      HandshakeReset,
	fakealb.FaultTLSWrongName:  HandshakeWrongName,
	fakealb.FaultTLSExpired:    HandshakeExpired,
	fakealb.FaultTLSSelfSigned: HandshakeUntrusted,
	fakealb.FaultTLSWrongChain: HandshakeUntrusted,
}

// RefuseTLS makes the old nodes refuse TLS in one of fakealb's ways: the part
// of the nodes whose certificate or listener went wrong in a deploy.
type RefuseTLS struct{ Kind fakealb.FaultKind }

// Name implements Fault.
func (r RefuseTLS) Name() string { return "half of the nodes: " + string(r.Kind) }

// Apply implements Fault.
func (r RefuseTLS) Apply(ctx context.Context, w *World) (time.Time, error) {
	// A proxy that goes on with connections from before meets no handshake.
	if _, err := w.ALB.SetFault(ctx, fakealb.FaultRefuse, w.Old...); err != nil {
		return time.Time{}, err
	}
	applied, err := w.ALB.SetFault(ctx, r.Kind, w.Old...)
	return applied.InForceAt, err
}

// Prove implements Fault: a verifying client shakes hands with each old node.
func (r RefuseTLS) Prove(ctx context.Context, w *World) []Proof {
	ca, err := w.ALB.CA(ctx)
	if err != nil {
		return []Proof{prove(recording.ProofTLSRefused, false, fmt.Sprintf("fetching the nodes' authority: %v", err))}
	}
	want := handshakeSeen[r.Kind]
	return proveEach(w.Old, func(node netip.Addr) Proof {
		to := netip.AddrPortFrom(node, w.Port) // a node tells TLS by its first byte
		got, err := w.Probe.Handshake(ctx, to, proofName, ca, probeTimeout)
		if err != nil {
			return prove(recording.ProofTLSRefused, false, fmt.Sprintf("shaking hands with %s: %v", to, err))
		}
		return prove(recording.ProofTLSRefused, got == want, fmt.Sprintf("shook hands with %s: %s, want %s", to, got, want))
	})
}
