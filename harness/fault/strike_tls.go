package fault

import (
	"context"
	"fmt"
	"net/netip"
)

// certified is a name that the nodes have a certificate for, as for every other.
const certified = "backend.proof.test"

// refusesTLS is a strike after which a verifying client that shakes hands sees want.
func refusesTLS(verb string, want Handshake) strike {
	return strike{verb: verb, overTLS: true, ends: true, look: func(ctx context.Context, _ StrikeNodes, w *Live, node netip.AddrPort) (bool, string) {
		ca, err := w.ALB.CA(ctx)
		if err != nil {
			return false, fmt.Sprintf("fetching the nodes' authority: %v", err)
		}
		within := answerTimeout
		if want == HandshakeTimeout {
			within = probeTimeout
		}
		// A node tells TLS by its first byte, on any port.
		got, err := w.Probe.Handshake(ctx, node, certified, ca, within)
		if err != nil {
			return false, fmt.Sprintf("shaking hands with %s: %v", node, err)
		}
		return got == want, fmt.Sprintf("shook hands with %s: %s, want %s", node, got, want)
	}}
}

// lookNoSNI: without SNI the certificate is of another name, with it the right one. Before the
// fault a client without SNI gets one for the names that the proxy asked for, so the node's own
// word is needed too.
func lookNoSNI(ctx context.Context, s StrikeNodes, w *Live, node netip.AddrPort) (bool, string) {
	ca, err := w.ALB.CA(ctx)
	if err != nil {
		return false, fmt.Sprintf("fetching the nodes' authority: %v", err)
	}
	named, err := w.Probe.Handshake(ctx, node, certified, ca, answerTimeout)
	if err != nil {
		return false, fmt.Sprintf("shaking hands with %s: %v", node, err)
	}
	unnamed, err := w.Probe.Handshake(ctx, node, node.Addr().String(), ca, answerTimeout) // SNI is never an address
	if err != nil {
		return false, fmt.Sprintf("shaking hands with %s without SNI: %v", node, err)
	}
	inForce, detail := lookStatus(ctx, s, w, node)
	return inForce && named == HandshakeDone && unnamed == HandshakeWrongName,
		fmt.Sprintf("shook hands with %s: %s with SNI, %s without; %s", node, named, unnamed, detail)
}
