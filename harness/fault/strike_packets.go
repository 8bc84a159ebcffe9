package fault

import (
	"context"
	"fmt"
	"net/netip"
	"time"

	"github.com/proxychaos/proxychaos/fakealb"
)

const (
	// probeTimeout is how long a probe waits before it calls a node silent, if that is what is
	// to be seen. A node that lives answers within 1 ms here.
	probeTimeout = 300 * time.Millisecond
	// answerTimeout is how long a probe waits for a node that is to answer in some way. On a
	// busy machine two of some 150 runs with faults in TLS were unproven with probeTimeout,
	// since the first handshake with a new certificate took longer (2026-11-30).
	answerTimeout = 3 * time.Second
)

// seen is what a new connection and one from before see of a node, each within a time.
func seen(ctx context.Context, w *Live, node netip.AddrPort, freshWithin, heldWithin time.Duration) (fresh, held Result, detail string) {
	fresh, err := w.Probe.Connect(ctx, node, freshWithin)
	if err != nil {
		return "", "", fmt.Sprintf("connecting to %s: %v", node, err)
	}
	held, err = w.Probe.Ask(ctx, node, heldWithin)
	if err != nil {
		return fresh, "", fmt.Sprintf("asking %s on an open connection: %v", node, err)
	}
	return fresh, held, fmt.Sprintf("%s: a new connection sees %s, an open one %s", node, fresh, held)
}

func lookSilent(ctx context.Context, _ StrikeNodes, w *Live, node netip.AddrPort) (bool, string) {
	fresh, held, detail := seen(ctx, w, node, probeTimeout, probeTimeout)
	return fresh == TimedOut && held == Silent, detail
}

func lookSilentNew(ctx context.Context, _ StrikeNodes, w *Live, node netip.AddrPort) (bool, string) {
	fresh, held, detail := seen(ctx, w, node, probeTimeout, answerTimeout)
	return fresh == TimedOut && held == Answered, detail
}

func lookRefused(ctx context.Context, _ StrikeNodes, w *Live, node netip.AddrPort) (bool, string) {
	fresh, held, detail := seen(ctx, w, node, answerTimeout, answerTimeout)
	return fresh == Refused && (held == Reset || held == Closed), detail
}

func lookRefusedNew(ctx context.Context, _ StrikeNodes, w *Live, node netip.AddrPort) (bool, string) {
	fresh, held, detail := seen(ctx, w, node, answerTimeout, answerTimeout)
	return fresh == Refused && held == Answered, detail
}

// lookWithoutOpen is for a node that no connection could be opened to before: a new one tells, and
// the node's own word.
func lookWithoutOpen(ctx context.Context, s StrikeNodes, w *Live, node netip.AddrPort) (bool, string) {
	inForce, detail := lookStatus(ctx, s, w, node)
	within, want := answerTimeout, Refused
	switch s.Kind {
	case fakealb.FaultSilence, fakealb.FaultSilenceNew:
		within, want = probeTimeout, TimedOut
	case fakealb.FaultKeepAliveRace:
		want = Connected
	}
	fresh, err := w.Probe.Connect(ctx, node, within)
	if err != nil {
		return false, fmt.Sprintf("connecting to %s: %v", node, err)
	}
	return inForce && fresh == want, fmt.Sprintf("%s: a new connection sees %s, and none was open; %s", node, fresh, detail)
}
