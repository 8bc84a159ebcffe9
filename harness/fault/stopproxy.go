package fault

import (
	"context"
	"fmt"
	"time"

	"github.com/proxychaos/proxychaos/harness/world"
)

// StopProxy ends one of several proxies: it finishes its requests first, as a service manager
// should tell it to, or all at once, as when its machine is taken away.
type StopProxy struct {
	// Proxy is its number, from 1.
	Proxy  int  `json:"proxy"`
	AtOnce bool `json:"at_once,omitempty"`
}

// Name implements Fault.
func (s StopProxy) Name() string {
	if s.AtOnce {
		return fmt.Sprintf("proxy %d is killed", s.Proxy)
	}
	return fmt.Sprintf("proxy %d is told to end", s.Proxy)
}

// Check implements Checker.
func (s StopProxy) Check() error { return checkProxy(s.Proxy) }

// Effects implements Fault.
func (s StopProxy) Effects(world.State) []world.Effect {
	return []world.Effect{{Proxy: s.Proxy, Runs: world.Truth(false)}}
}

// Apply implements Fault.
func (s StopProxy) Apply(ctx context.Context, w *Live) (time.Time, error) {
	return w.Proxy.Stop(ctx, s.Proxy, s.AtOnce)
}

// stopLimit is how long a proxy may take to finish its requests.
var stopLimit = 10 * time.Second

// Prove implements Fault: it has ended.
func (s StopProxy) Prove(ctx context.Context, w *Live) []Proof {
	return await(ctx, stopLimit, func() (bool, string, error) { return w.Proxy.Ended(ctx, s.Proxy) })
}
