package proxies

import (
	"context"
	"time"

	"github.com/proxychaos/proxychaos/bench"
	"github.com/proxychaos/proxychaos/bench/gen"
	"github.com/proxychaos/proxychaos/bench/lab"
	"github.com/proxychaos/proxychaos/bench/peer"
)

const http2Method = "h2load with one thread and 32 kept connections of HTTP/2 over TLS 1.3, 32 requests at a time on each; " +
	"the proxies keep connections of HTTP/1.1 without TLS to the nginx behind them, and none writes an access log. " +
	"Apache is left out: it has no bar here."

func http2Small(ctx context.Context, l *lab.Lab) bench.Row {
	return overHTTP2(ctx, l, bench.Row{Title: "goproxy: HTTP/2 from clients, small bodies", Method: "A body of 29 bytes. " + http2Method}, "")
}

func http2Large(ctx context.Context, l *lab.Lab) bench.Row {
	return overHTTP2(ctx, l, bench.Row{Title: "goproxy: HTTP/2 from clients, bodies of 100 KiB", Method: "A file of 100 KiB. " + http2Method}, peer.Large)
}

// overHTTP2 fills a row with what h2load reaches through each proxy.
func overHTTP2(ctx context.Context, l *lab.Lab, row bench.Row, path string) bench.Row {
	row.Unit, row.Stat = "requests/s", bench.Median
	row.Bars = []bench.Bar{
		{Of: ours, Against: "nginx", Sense: bench.AtLeast, Factor: 1},
		{Of: ours, Against: "HAProxy", Sense: bench.AtLeast, Factor: 0.8},
		{Of: ours, Against: "Caddy", Sense: bench.AtLeast, Factor: 4},
	}
	id, err := l.Identity()
	if err != nil {
		return failed(row, err)
	}
	backend, _, err := l.Answers(ctx, "off", nil)
	if err != nil {
		return failed(row, err)
	}
	want, err := gen.Get(ctx, backend.URL()+path)
	if err != nil {
		return failed(row, err)
	}
	url := func(s *peer.Server) string { return "https://" + s.Addr.String() + "/" + path }
	var contestants []bench.Contestant
	for _, k := range only(l, "Caddy", "nginx", "HAProxy") {
		server, err := k.start(ctx, peer.Job{Name: "http2", Backend: backend.Addr, HTTP2: id})
		if err == nil {
			err = passesOn(ctx, url(server), want)
		}
		contestants = append(contestants, lab.Throughput(k.who, server, err, func(ctx context.Context, s *peer.Server, d time.Duration) (gen.Result, error) {
			return gen.HTTP2(ctx, url(s), d)
		}, backend))
	}
	row.Series = l.Measure(ctx, "http2/"+path, contestants)
	return row
}
