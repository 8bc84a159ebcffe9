package proxies

import (
	"context"
	"time"

	"github.com/proxychaos/proxychaos/bench"
	"github.com/proxychaos/proxychaos/bench/gen"
	"github.com/proxychaos/proxychaos/bench/lab"
	"github.com/proxychaos/proxychaos/bench/peer"
)

const (
	idleClients = 10_000
	// idleFor is how long they have been idle when memory is read, the same for all.
	idleFor = 2 * time.Second
)

func idle(ctx context.Context, l *lab.Lab) bench.Row {
	row := bench.Row{
		Title: "goproxy: memory with 10,000 idle client connections", Unit: "MiB", Digits: 1, Stat: bench.Median,
		Method: "10,000 client connections to a fresh process; each sends one GET, reads its answer and is left open. " +
			"Two seconds later the memory of the proxy and its children is read (PSS: what they share counts once).",
		Bars: []bench.Bar{{Of: ours, Sense: bench.AtMost, Factor: 40}},
	}
	backend, _, err := l.Answers(ctx, "off", nil)
	if err != nil {
		return failed(row, err)
	}
	var contestants []bench.Contestant
	for _, k := range kinds(l) {
		contestants = append(contestants, bench.Contestant{Who: k.who, Measure: func(ctx context.Context, _ time.Duration) (bench.Sample, error) {
			mib, err := withIdle(ctx, k, peer.Job{Name: "idle", Backend: backend.Addr})
			return bench.Sample{Value: mib}, err
		}})
	}
	row.Series = l.Measure(ctx, "idle", contestants)
	return row
}

// withIdle starts a proxy for one measurement, and stops it.
func withIdle(ctx context.Context, k kind, job peer.Job) (mib float64, err error) {
	server, err := k.start(ctx, job)
	if err != nil {
		return 0, err
	}
	defer server.Stop()
	clients, err := gen.OpenIdle(ctx, server.Addr, idleClients)
	defer clients.Close() //nolint:staticcheck // some may be open whatever the error
	if err != nil {
		return 0, err
	}
	select {
	case <-time.After(idleFor):
	case <-ctx.Done():
		return 0, ctx.Err()
	}
	bytes, err := server.Memory()
	return float64(bytes) / (1 << 20), err
}
