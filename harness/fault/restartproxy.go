package fault

import (
	"context"
	"fmt"
	"time"

	"github.com/proxychaos/proxychaos/harness/world"
)

// Proxy is the program under test, as far as it can be ended, started and told things.
type Proxy interface {
	// Restart ends all processes of the proxy without a warning and starts it again with
	// the same configuration. It returns when the old ones had ended, and does not wait
	// until the new one listens.
	Restart(context.Context) (time.Time, error)
	// Life is what has become of the proxy since Restart.
	Life(context.Context) (Life, error)
	// Stop ends the proxy of this number, from 1: it finishes its requests first, in the way of
	// its kind, or ends at once. It returns when the proxy was told to, or had ended.
	Stop(ctx context.Context, number int, atOnce bool) (time.Time, error)
	// Ended says whether it has ended since Stop, and what shows it.
	Ended(ctx context.Context, number int) (bool, string, error)
	// Start starts the proxy of this number again, with the same configuration, and does not wait
	// until it listens.
	Start(ctx context.Context, number int) (time.Time, error)
	// Listens says whether it listens, and what shows it.
	Listens(ctx context.Context, number int) (bool, string, error)
	// Reload has the proxy reload its configuration, as its kind does, and returns when it
	// was told to.
	Reload(context.Context) (time.Time, error)
	// Reloaded says whether it has done so since Reload, and what shows it.
	Reloaded(context.Context) (bool, string, error)
}

// Life is what has become of a proxy that was restarted.
type Life struct {
	Left    int  // processes from before that are still there
	Runs    bool // it has not ended again
	Code    int  // its exit code if it has
	Listens bool
}

// RestartProxy is the reboot of the proxy's machine, or the deploy of another one: the
// proxy is ended and restarted, once. Nothing starts it again if it ends by itself, as
// with Debian's nginx.service, which has no Restart=.
type RestartProxy struct{}

// Name implements Fault.
func (RestartProxy) Name() string { return "the proxy is restarted" }

// Effects implements Fault.
func (RestartProxy) Effects(world.State) []world.Effect { return []world.Effect{{Restarted: true}} }

// Apply implements Fault.
func (RestartProxy) Apply(ctx context.Context, w *Live) (time.Time, error) {
	return w.Proxy.Restart(ctx)
}

// startLimit is how long a start is watched: one that does not wait for DNS takes half a
// second at most.
const startLimit = 3 * time.Second

// Prove implements Fault: no process from before is there, and the new one listens, or has
// ended, or still runs after startLimit. The proof says which of these it was.
func (RestartProxy) Prove(ctx context.Context, w *Live) []Proof {
	for deadline := time.Now().Add(startLimit); ; {
		life, err := w.Proxy.Life(ctx)
		if err != nil {
			return []Proof{prove(false, fmt.Sprintf("looking for the proxy's processes: %v", err))}
		}
		if life.Left > 0 || !life.Runs || life.Listens || time.Now().After(deadline) {
			return []Proof{prove(life.Left == 0, life.words())}
		}
		select {
		case <-ctx.Done():
			return []Proof{prove(false, ctx.Err().Error())}
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func (l Life) words() string {
	switch {
	case l.Left > 0:
		return fmt.Sprintf("%d processes of the proxy from before are still there", l.Left)
	case !l.Runs:
		return fmt.Sprintf("the proxy was restarted and ended with code %d", l.Code)
	case !l.Listens:
		return fmt.Sprintf("the proxy was restarted, and does not listen after %v", startLimit)
	}
	return "the proxy was restarted and listens"
}
