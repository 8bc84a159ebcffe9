// Package proxies holds the rows of "make bench-proxy": goproxy beside Caddy,
// Apache httpd, nginx and HAProxy, all in front of the same nginx.
package proxies

import (
	"context"
	"slices"

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
		{Name: "http2", Run: http2Small},
		{Name: "http2-large", Run: http2Large},
		{Name: "websocket", Run: websocket},
		{Name: "grpc", Run: grpc},
		{Name: "latency", Run: latency},
		{Name: "idle", Run: idle},
		{Name: "allocations", Run: allocations},
	}
}

// Tools are the generators, with their versions.
func Tools(ctx context.Context) []string {
	return []string{"wrk " + peer.Version(ctx, "wrk", "-v"), "h2load " + peer.Version(ctx, "h2load", "--version"), "vegeta " + peer.LibraryVersion("github.com/tsenart/vegeta/v12")}
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

// only are those of names; ours is the first.
func only(l *lab.Lab, names ...string) []kind {
	return slices.DeleteFunc(kinds(l), func(k kind) bool { return k.who != ours && !slices.Contains(names, k.who) })
}

// failed is a row for which nothing could be set up.
func failed(row bench.Row, err error) bench.Row {
	row.Series = []bench.Series{{Who: ours, Missing: err.Error()}}
	return row
}
