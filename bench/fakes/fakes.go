// Package fakes holds the rows of "make bench": fakedns and fakealb beside the
// programs that people would use in their place.
package fakes

import (
	"context"

	"github.com/proxychaos/proxychaos/bench/lab"
	"github.com/proxychaos/proxychaos/bench/peer"
)

// Table is the name of the make target and of the section.
const Table = "bench"

// Rows are the rows in the order of the table.
func Rows() []lab.Row {
	return []lab.Row{
		{Name: "dns", Run: dns},
		{Name: "http", Run: requests},
		{Name: "latency", Run: latency},
		{Name: "fault", Run: faults},
		{Name: "memory", Run: memory},
		{Name: "watch", Run: watch},
	}
}

// Tools are the generators, with their versions.
func Tools(ctx context.Context) []string {
	return []string{
		"dnsperf " + peer.Version(ctx, "dnsperf", "-h"),
		"wrk " + peer.Version(ctx, "wrk", "-v"),
		"h2load " + peer.Version(ctx, "h2load", "--version"),
		"vegeta " + peer.LibraryVersion("github.com/tsenart/vegeta/v12"),
	}
}
