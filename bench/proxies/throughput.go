package proxies

import (
	"context"
	"fmt"
	"net/netip"
	"time"

	"github.com/proxychaos/proxychaos/bench"
	"github.com/proxychaos/proxychaos/bench/gen"
	"github.com/proxychaos/proxychaos/bench/lab"
	"github.com/proxychaos/proxychaos/bench/peer"
)

const method = "wrk with one thread and 32 kept connections; every proxy keeps its connections to the nginx behind it, and none writes an access log. " +
	"The last line is that nginx without a proxy. All of them, wrk included, share the cores: " +
	"the processor time that all together spend on a request is what bounds requests/s."

func small(ctx context.Context, l *lab.Lab) bench.Row {
	return throughput(ctx, l, bench.Row{
		Title: "goproxy: HTTP/1.1, small bodies", Method: "A body of 29 bytes. " + method,
		Bars: bars(2.5, 1.8, 0.95, 1),
	}, "http", "")
}

func large(ctx context.Context, l *lab.Lab) bench.Row {
	return throughput(ctx, l, bench.Row{
		Title: "goproxy: HTTP/1.1, bodies of 100 KiB", Method: "A file of 100 KiB. " + method,
		Bars: bars(2.5, 1.8, 1.2, 1.2),
	}, "http", peer.Large)
}

func https(ctx context.Context, l *lab.Lab) bench.Row {
	return throughput(ctx, l, bench.Row{
		Title:  "goproxy: HTTPS on both sides, small bodies",
		Method: "HTTP/1.1 over TLS 1.3 from the client and to nginx, whose certificate (ECDSA P-256) every proxy verifies. " + method,
		Bars:   bars(2.5, 1.8, 1.2, 1.2),
	}, "https", "")
}

// bars are how many times as much as each peer goproxy is to reach.
func bars(caddy, apache, nginx, haproxy float64) []bench.Bar {
	return []bench.Bar{
		{Of: ours, Against: "Caddy", Sense: bench.AtLeast, Factor: caddy},
		{Of: ours, Against: "Apache", Sense: bench.AtLeast, Factor: apache},
		{Of: ours, Against: "nginx", Sense: bench.AtLeast, Factor: nginx},
		{Of: ours, Against: "HAProxy", Sense: bench.AtLeast, Factor: haproxy},
	}
}

// throughput fills a row with what wrk reaches through each proxy.
func throughput(ctx context.Context, l *lab.Lab, row bench.Row, scheme, path string) bench.Row {
	row.Unit, row.Stat = "requests/s", bench.Median
	job := peer.Job{Name: scheme}
	var id *peer.Identity
	if scheme == "https" {
		var err error
		if id, err = l.Identity(); err != nil {
			return failed(row, err)
		}
		job.TLS = id
	}
	backend, secure, err := l.Answers(ctx, "off", id)
	if err != nil {
		return failed(row, err)
	}
	job.Backend = backend.Addr
	if id != nil {
		job.Backend = secure
	}
	want, err := gen.Get(ctx, scheme+"://"+job.Backend.String()+"/"+path)
	if err != nil {
		return failed(row, err)
	}
	load := func(ctx context.Context, addr netip.AddrPort, d time.Duration) (gen.Result, error) {
		return gen.Wrk(ctx, scheme+"://"+addr.String()+"/"+path, d)
	}
	var contestants []bench.Contestant
	for _, k := range kinds(l) {
		server, err := k.start(ctx, job)
		if err == nil {
			err = passesOn(ctx, scheme+"://"+server.Addr.String()+"/"+path, want)
		}
		contestants = append(contestants, lab.Throughput(k.who, server, err, func(ctx context.Context, s *peer.Server, d time.Duration) (gen.Result, error) {
			return load(ctx, s.Addr, d)
		}, backend))
	}
	contestants = append(contestants, lab.Throughput("no proxy", backend, nil, func(ctx context.Context, _ *peer.Server, d time.Duration) (gen.Result, error) {
		return load(ctx, job.Backend, d)
	}))
	row.Series = l.Measure(ctx, job.Name+"/"+path, contestants)
	return row
}

// passesOn returns an error unless a proxy gives the backend's body: a proxy
// that answers by itself is fast.
func passesOn(ctx context.Context, url, want string) error {
	got, err := gen.Get(ctx, url)
	if err == nil && got != want {
		err = fmt.Errorf("GET %s: got a body of %d bytes, want the backend's %d", url, len(got), len(want))
	}
	return err
}
