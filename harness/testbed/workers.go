package testbed

import (
	"context"
	"net/netip"
	"time"

	"github.com/proxychaos/proxychaos/harness/pod"
	"github.com/proxychaos/proxychaos/harness/recording"
)

// watchInterval is below the time that a warm-up request is held, and costs
// 3 % of a core; at the default of 20 ms it is 7 %.
const watchInterval = pod.Duration(50 * time.Millisecond)

// Watch starts to look which of the proxy's processes holds which upstream
// connection.
func (tb *Testbed) Watch(ctx context.Context) error {
	w, err := tb.Pod.StartWatch(ctx, pod.WatchRequest{
		Nodes:    pod.Nodes{Prefix: tb.Subnet, Except: []netip.Addr{tb.host(1), tb.host(hostPod), tb.host(hostLoad), tb.host(hostALB)}, Literals: true},
		Interval: watchInterval,
	})
	tb.watch = w.ID
	return err
}

// Workers are the proxy's processes, with the upstream connections that each
// holds now and has been seen to hold since Watch.
func (tb *Testbed) Workers(ctx context.Context) ([]recording.Process, error) {
	w, err := tb.Pod.Watch(ctx, tb.watch)
	if err != nil {
		return nil, err
	}
	for _, p := range w.Processes {
		if p.Listens {
			tb.masters[p.PPID] = true
		}
	}
	var rows []recording.Process
	for _, p := range w.Processes {
		if p.Gone {
			continue
		}
		rows = append(rows, recording.Process{
			PID: p.PID, Command: p.Command, Worker: p.Worker && !tb.masters[p.PID], Upstream: len(p.Upstream), Seen: p.Seen,
		})
	}
	return rows, nil
}
