package fault

import (
	"context"
	"net/http"
	"net/netip"
	"time"

	"github.com/proxychaos/proxychaos/fakealb"
	"github.com/proxychaos/proxychaos/harness/world"
)

// BringBack lifts what StrikeNodes did to nodes.
type BringBack struct {
	Nodes world.Pick `json:"nodes"`
}

// Name implements Fault.
func (b BringBack) Name() string {
	if b.Nodes == world.Struck {
		return "the nodes are back"
	}
	return sentence(b.Nodes, "are back")
}

// Check implements Checker.
func (b BringBack) Check() error { return b.Nodes.Check() }

// Picks implements Picker.
func (b BringBack) Picks() world.Pick { return b.Nodes }

// Effects implements Fault.
func (b BringBack) Effects(s world.State) []world.Effect {
	return effectsOf(b.Nodes.Of(s), world.Effect{Serves: world.Truth(true)})
}

// Apply implements Fault.
func (b BringBack) Apply(ctx context.Context, w *Live) (time.Time, error) {
	nodes := addrs(b.Nodes.Of(w.State))
	if len(nodes) == 0 {
		return time.Now(), nil // Prove says that there was none
	}
	applied, err := w.ALB.SetFault(ctx, fakealb.FaultNone, nodes...)
	return applied.InForceAt, err
}

// Prove implements Fault: each of them answers a request.
func (b BringBack) Prove(ctx context.Context, w *Live) []Proof {
	return proveEach(w.used(b.Nodes.Of(w.State)), func(node world.NodeState) Proof {
		answer, detail := asked(ctx, w, netip.AddrPortFrom(node.Addr, w.Port), answerTimeout)
		return prove(answer.Status == http.StatusOK, detail)
	})
}
