package fault

import (
	"context"
	"time"

	"github.com/proxychaos/proxychaos/harness/world"
)

// ReloadProxy has the proxy reload its configuration while it serves, as after each change
// of it: nginx -s reload, apachectl graceful, systemctl reload haproxy. The configuration is the
// same as before.
type ReloadProxy struct{}

// Name implements Fault.
func (ReloadProxy) Name() string { return "the proxy reloads its configuration" }

// Effects implements Fault.
func (ReloadProxy) Effects(world.State) []world.Effect { return []world.Effect{{Reloaded: true}} }

// Apply implements Fault.
func (ReloadProxy) Apply(ctx context.Context, w *Live) (time.Time, error) { return w.Proxy.Reload(ctx) }

// reloadLimit is how long a reload is watched. An Apache all of whose children have requests
// in hand starts the first new one only when one of them has ended.
var reloadLimit = 10 * time.Second

// Prove implements Fault: the proxy shows that it did.
func (ReloadProxy) Prove(ctx context.Context, w *Live) []Proof {
	return await(ctx, reloadLimit, func() (bool, string, error) { return w.Proxy.Reloaded(ctx) })
}
