package fault

import (
	"context"
	"fmt"
	"net/netip"
)

// certified is a name that the nodes have a certificate for, as for every other.
const certified = "backend.proof.test"

// refusesTLS is a strike after which a verifying client that shakes hands sees want.
func refusesTLS(verb, want string) strike {
	return strike{verb: verb, overTLS: true, ends: true, look: func(ctx context.Context, _ StrikeNodes, w *Live, node netip.AddrPort) (bool, string) {
		ca, err := w.ALB.CA(ctx)
		if err != nil {
			return false, fmt.Sprintf("fetching the nodes' authority: %v", err)
		}
		// A node tells TLS by its first byte, on any port.
		got, err := w.Probe.Handshake(ctx, node, certified, ca, probeTimeout)
		if err != nil {
			return false, fmt.Sprintf("shaking hands with %s: %v", node, err)
		}
		return got == want, fmt.Sprintf("shook hands with %s: %s, want %s", node, got, want)
	}}
}
