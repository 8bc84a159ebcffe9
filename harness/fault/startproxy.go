package fault

import (
	"context"
	"fmt"
	"time"

	"github.com/proxychaos/proxychaos/harness/world"
)

// StartProxy starts one of several proxies, which StopProxy had ended, with the same
// configuration.
type StartProxy struct {
	// Proxy is its number, from 1.
	Proxy int `json:"proxy"`
}

// Name implements Fault.
func (s StartProxy) Name() string { return fmt.Sprintf("proxy %d is started", s.Proxy) }

// Check implements Checker.
func (s StartProxy) Check() error { return checkProxy(s.Proxy) }

// Effects implements Fault.
func (s StartProxy) Effects(world.State) []world.Effect {
	return []world.Effect{{Proxy: s.Proxy, Runs: world.Truth(true)}}
}

// Apply implements Fault.
func (s StartProxy) Apply(ctx context.Context, w *Live) (time.Time, error) {
	return w.Proxy.Start(ctx, s.Proxy)
}

// Prove implements Fault: it listens.
func (s StartProxy) Prove(ctx context.Context, w *Live) []Proof {
	return await(ctx, startLimit, func() (bool, string, error) { return w.Proxy.Listens(ctx, s.Proxy) })
}
