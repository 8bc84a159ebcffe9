package fakes

import (
	"context"
	"path/filepath"
	"time"

	"github.com/proxychaos/proxychaos/bench"
	"github.com/proxychaos/proxychaos/bench/gen"
	"github.com/proxychaos/proxychaos/bench/lab"
	"github.com/proxychaos/proxychaos/bench/peer"
	"github.com/proxychaos/proxychaos/fakealb"
)

func requests(ctx context.Context, l *lab.Lab) bench.Row {
	row := bench.Row{
		Title: "fakealb: requests of a built-in target, recording on", Unit: "requests/s", Stat: bench.Median,
		Method: "wrk with one thread and 32 kept connections of HTTP/1.1. nginx is `return 200` with its access log in a file, " +
			"go-httpbin is /status/200 with its log in a file. nginx without a log is the fastest answer here: what wrk itself can do.",
		Bars: []bench.Bar{
			{Of: "fakealb", Against: "nginx", Sense: bench.AtLeast, Factor: 0.9},
			{Of: "fakealb", Against: "go-httpbin", Sense: bench.AtLeast, Factor: 1.8},
		},
	}
	ours, errOurs := l.FakeALB(ctx)
	nginx, _, errNginx := l.Answers(ctx, filepath.Join(l.Dir, "access.log"), nil)
	bin, errBin := l.HTTPBin(ctx)
	ceiling, _, errCeiling := l.Answers(ctx, "off", nil)
	row.Series = l.Measure(ctx, "http", []bench.Contestant{
		lab.Throughput("fakealb", ours, errOurs, func(ctx context.Context, s *peer.Server, d time.Duration) (gen.Result, error) {
			if _, err := fakealb.NewClient(s.Control, nil).Reset(ctx); err != nil {
				return gen.Result{}, err
			}
			return gen.Wrk(ctx, s.URL(), d)
		}),
		lab.Throughput("nginx", nginx, errNginx, get("")),
		lab.Throughput("go-httpbin", bin, errBin, get("status/200")),
		lab.Throughput("nginx without a log (limit of wrk)", ceiling, errCeiling, get("")),
	})
	return row
}

// get loads a path of a server with wrk.
func get(path string) func(context.Context, *peer.Server, time.Duration) (gen.Result, error) {
	return func(ctx context.Context, s *peer.Server, d time.Duration) (gen.Result, error) {
		return gen.Wrk(ctx, s.URL()+path, d)
	}
}
