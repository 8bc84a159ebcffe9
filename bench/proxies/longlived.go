package proxies

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"time"

	"github.com/proxychaos/proxychaos/bench"
	"github.com/proxychaos/proxychaos/bench/gen"
	"github.com/proxychaos/proxychaos/bench/lab"
	"github.com/proxychaos/proxychaos/bench/peer"
)

func websocket(ctx context.Context, l *lab.Lab) bench.Row {
	row := bench.Row{
		Title: "goproxy: WebSocket messages", Unit: "messages/s",
		Method: "32 WebSockets, on each a text of 64 bytes that is sent again when it has come back. " +
			"The clients and the server that sends it back are one process; the last line is that process alone.",
	}
	addr, err := gen.Echo(ctx)
	if err != nil {
		return failed(row, err)
	}
	return throughTo(ctx, l, row, peer.Job{Name: "websocket", Backend: addr}, gen.Messages)
}

func grpc(ctx context.Context, l *lab.Lab) bench.Row {
	row := bench.Row{
		Title: "goproxy: gRPC calls", Unit: "calls/s",
		Method: "h2load with one thread and 32 kept connections of HTTP/2 without TLS, 32 unary calls of 16 bytes at a time on each, to a server that sends the message back. " +
			"The last line is that server without a proxy.",
	}
	addr, err := gen.Callee(ctx)
	if err != nil {
		return failed(row, err)
	}
	file := filepath.Join(l.Dir, "call")
	if err := os.WriteFile(file, gen.CallMessage(), 0o600); err != nil {
		return failed(row, fmt.Errorf("the message of calls: %w", err))
	}
	return throughTo(ctx, l, row, peer.Job{Name: "grpc", Backend: addr, Calls: true}, func(ctx context.Context, addr netip.AddrPort, d time.Duration) (gen.Result, error) {
		if err := gen.Called(ctx, addr); err != nil {
			return gen.Result{}, err
		}
		return gen.Calls(ctx, addr, file, d)
	})
}

// throughTo fills a row with what a generator reaches through goproxy and HAProxy, to a
// backend in this process.
func throughTo(ctx context.Context, l *lab.Lab, row bench.Row, job peer.Job, load func(context.Context, netip.AddrPort, time.Duration) (gen.Result, error)) bench.Row {
	row.Stat = bench.Median
	row.Bars = []bench.Bar{{Of: ours, Against: "HAProxy", Sense: bench.AtLeast, Factor: 1}}
	var contestants []bench.Contestant
	for _, k := range only(l, "HAProxy") {
		server, err := k.start(ctx, job)
		contestants = append(contestants, lab.Throughput(k.who, server, err, func(ctx context.Context, s *peer.Server, d time.Duration) (gen.Result, error) {
			return load(ctx, s.Addr, d)
		}))
	}
	contestants = append(contestants, bench.Contestant{Who: "no proxy", Measure: func(ctx context.Context, d time.Duration) (bench.Sample, error) {
		result, err := load(ctx, job.Backend, d)
		return bench.Sample{Value: result.PerSecond, Generator: result.Cores}, err
	}})
	row.Series = l.Measure(ctx, job.Name, contestants)
	return row
}
