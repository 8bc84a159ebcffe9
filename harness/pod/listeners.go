package pod

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"time"
)

// Listener is a TCP port that the proxy listens on.
type Listener struct {
	Addr netip.Addr `json:"addr"` // 0.0.0.0 or :: where it listens on every address
	Port uint16     `json:"port"`
	// PID is the first process that listens there: where several share the
	// socket, the one whose parent does not (nginx's master).
	PID     int    `json:"pid"`
	Command string `json:"command"`
}

// listenerPoll is how often a wait for a listener looks: one look costs some
// tens of microseconds.
const listenerPoll = 5 * time.Millisecond

// waitListeners returns the proxy's listeners as soon as there is one, and none
// when the wait is over.
func (a *Agent) waitListeners(ctx context.Context, wait time.Duration) ([]Listener, error) {
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	tick := time.NewTicker(listenerPoll)
	defer tick.Stop()
	for {
		found, err := a.listeners()
		if err != nil || len(found) > 0 {
			return found, err
		}
		select {
		case <-ctx.Done():
			return found, nil
		case <-tick.C:
		}
	}
}

// listeners lists what processes other than the agent listen on, and sees to it that
// clients get there. A socket that
// no visible process holds is not the proxy's: Docker's own resolver listens in
// every container's namespace from outside.
func (a *Agent) listeners() ([]Listener, error) {
	sockets, err := a.diag.sockets(listening)
	if err != nil {
		return nil, err
	}
	all, err := a.procs.all()
	if err != nil {
		return nil, err
	}
	found := ownListeners(all, sockets)
	a.taking.Lock()
	defer a.taking.Unlock()
	return found, errors.Join(a.own.take(found), a.answerAtOwn())
}

func ownListeners(all []proc, sockets []socket) []Listener {
	out := []Listener{}
	for _, s := range sockets {
		holders := map[int]proc{}
		for _, p := range all {
			if p.sockets[s.inode] {
				holders[p.PID] = p
			}
		}
		first := 0
		for pid, p := range holders {
			if _, inherited := holders[p.PPID]; !inherited && (first == 0 || pid < first) {
				first = pid
			}
		}
		if first == 0 {
			continue
		}
		l := Listener{Addr: s.local.Addr(), Port: s.local.Port(), PID: first, Command: holders[first].Command}
		if !slices.Contains(out, l) { // SO_REUSEPORT: one socket for each worker
			out = append(out, l)
		}
	}
	slices.SortFunc(out, func(x, y Listener) int {
		return netip.AddrPortFrom(x.Addr, x.Port).Compare(netip.AddrPortFrom(y.Addr, y.Port))
	})
	return out
}
