package fault

import (
	"context"
	"fmt"
	"net/netip"
	"time"
)

// probeTimeout is how long a probe waits before it calls a node silent. A
// node that lives answers within 1 ms here.
const probeTimeout = 300 * time.Millisecond

// seen is what a new connection and one from before see of a node.
func seen(ctx context.Context, w *Live, node netip.AddrPort) (fresh, held Result, detail string) {
	fresh, err := w.Probe.Connect(ctx, node, probeTimeout)
	if err != nil {
		return "", "", fmt.Sprintf("connecting to %s: %v", node, err)
	}
	held, err = w.Probe.Ask(ctx, node, probeTimeout)
	if err != nil {
		return fresh, "", fmt.Sprintf("asking %s on an open connection: %v", node, err)
	}
	return fresh, held, fmt.Sprintf("%s: a new connection sees %s, an open one %s", node, fresh, held)
}

func lookSilent(ctx context.Context, _ StrikeNodes, w *Live, node netip.AddrPort) (bool, string) {
	fresh, held, detail := seen(ctx, w, node)
	return fresh == TimedOut && held == Silent, detail
}

func lookSilentNew(ctx context.Context, _ StrikeNodes, w *Live, node netip.AddrPort) (bool, string) {
	fresh, held, detail := seen(ctx, w, node)
	return fresh == TimedOut && held == Answered, detail
}

func lookRefused(ctx context.Context, _ StrikeNodes, w *Live, node netip.AddrPort) (bool, string) {
	fresh, held, detail := seen(ctx, w, node)
	return fresh == Refused && (held == Reset || held == Closed), detail
}

func lookRefusedNew(ctx context.Context, _ StrikeNodes, w *Live, node netip.AddrPort) (bool, string) {
	fresh, held, detail := seen(ctx, w, node)
	return fresh == Refused && held == Answered, detail
}
