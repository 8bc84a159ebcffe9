package testbed

import (
	"context"
	"net/netip"
	"time"

	"github.com/proxychaos/proxychaos/harness/pod"
	"github.com/proxychaos/proxychaos/harness/recording"
)

const (
	// warmInterval is below the time that a warm-up request is held.
	warmInterval = pod.Duration(50 * time.Millisecond)
	// loadInterval is for the time after the first fault, in which some worker need only
	// be seen to go on. A look costs 0.5 to 2 ms, whatever there is to see: with four
	// cells, as close as in the warm-up, 9 % of a machine of two cores.
	loadInterval = pod.Duration(500 * time.Millisecond)
)

// Watch starts to look which of the proxy's processes holds which upstream
// connection.
func (s *Seat) Watch(ctx context.Context) error {
	w, err := s.Pod.StartWatch(ctx, pod.WatchRequest{
		Nodes:    s.tb.nodes(),
		Interval: warmInterval,
	})
	s.watch = w.ID
	return err
}

// nodes are the peers of the proxies that are nodes.
func (tb *Testbed) nodes() pod.Nodes {
	except := []netip.Addr{tb.host(1), tb.host(hostLoad), tb.host(hostALB)}
	for _, s := range tb.Seats() {
		except = append(except, tb.host(s.host))
	}
	return pod.Nodes{Prefix: tb.Subnet, Except: except, Literals: true}
}

// Warmed makes the watch look less often: it takes time from the load.
func (s *Seat) Warmed(ctx context.Context) error {
	return s.Pod.PaceWatch(ctx, s.watch, pod.Pace{Interval: loadInterval})
}

// Workers are the proxy's processes, with the upstream connections that each
// holds now and has been seen to hold since Watch.
func (s *Seat) Workers(ctx context.Context) ([]recording.Process, error) {
	w, err := s.Pod.Watch(ctx, s.watch)
	if err != nil {
		return nil, err
	}
	for _, p := range w.Processes {
		if p.Listens {
			s.masters[p.PPID] = true
		}
	}
	var rows []recording.Process
	for _, p := range w.Processes {
		if p.Gone {
			continue
		}
		rows = append(rows, recording.Process{
			Proxy: s.proxyNumber(), PID: p.PID, Command: p.Command, Worker: p.Worker && !s.masters[p.PID], Upstream: len(p.Upstream), Seen: p.Seen,
			Waited: recording.Of(time.Duration(p.Waited)),
		})
	}
	return rows, nil
}
