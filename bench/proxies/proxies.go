// Package proxies holds the rows of "make bench-proxy": goproxy beside Caddy,
// Apache httpd, nginx and HAProxy, all in front of the same nginx.
package proxies

import (
	"context"

	"github.com/proxychaos/proxychaos/bench"
	"github.com/proxychaos/proxychaos/bench/lab"
	"github.com/proxychaos/proxychaos/bench/peer"
)

// Table is the name of the make target and of the section.
const Table = "bench-proxy"

// Rows are the rows in the order of the table.
func Rows() []lab.Row {
	return []lab.Row{
		{Name: "small", Run: small},
		{Name: "large", Run: large},
		{Name: "https", Run: https},
		{Name: "latency", Run: latency},
		{Name: "idle", Run: idle},
		{Name: "allocations", Run: allocations},
	}
}

// Tools are the generators, with their versions.
func Tools(ctx context.Context) []string {
	return []string{"wrk " + peer.Version(ctx, "wrk", "-v"), "vegeta " + peer.LibraryVersion("github.com/tsenart/vegeta/v12")}
}

// ours is judged.
const ours = "goproxy"

// kind is one proxy.
type kind struct {
	who   string
	start func(context.Context, peer.Job) (*peer.Server, error)
}

// kinds are all of them; the first is ours.
func kinds(l *lab.Lab) []kind {
	return []kind{
		{ours, l.GoProxy},
		{"Caddy", l.Caddy},
		{"Apache", l.Apache},
		{"nginx", l.Nginx},
		{"HAProxy", l.HAProxy},
	}
}

// failed is a row for which nothing could be set up.
func failed(row bench.Row, err error) bench.Row {
	row.Series = []bench.Series{{Who: ours, Missing: err.Error()}}
	return row
}
