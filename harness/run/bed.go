// Package run takes cells to recordings: it prepares what all cells share
// (engine, images, reaper), runs each cell on a testbed of its own, several at
// a time, and has each recording judged.
package run

import (
	"context"
	"net/netip"

	"github.com/proxychaos/proxychaos/fakealb"
	"github.com/proxychaos/proxychaos/fakedns"
	"github.com/proxychaos/proxychaos/harness/embedded"
	"github.com/proxychaos/proxychaos/harness/fault"
	"github.com/proxychaos/proxychaos/harness/kind"
	"github.com/proxychaos/proxychaos/harness/load"
	"github.com/proxychaos/proxychaos/harness/recording"
	"github.com/proxychaos/proxychaos/harness/world"
)

// bed is a running testbed: in containers, or embedded in this process.
type bed interface {
	clients() clients
	// startProxy starts the proxy under test, which finds the authority of the
	// nodes' certificates at kind.CAPath, and returns when it listens.
	startProxy(ctx context.Context, ca []byte) error
	// listeners are where clients reach the proxy now.
	listeners(context.Context) ([]netip.AddrPort, error)
	// others are the addresses of further proxies with the same configuration.
	others() []netip.Addr
	// standIn says which nodes are behind literal addresses of each family, literals which
	// addresses the proxy has tried; none if the testbed cannot do that.
	standIn(ctx context.Context, ipv4, ipv6 []netip.Addr) error
	literals(context.Context) ([]world.LiteralAddr, error)
	// besideIs has a node answer for the applications beside the proxy.
	besideIs(ctx context.Context, node netip.Addr) error
	// watch begins to look which process holds which upstream connection.
	watch(context.Context) error
	// warmed says that the first fault is about to come: the watch need not be as close.
	warmed(context.Context) error
	// workers are the processes of every proxy; none if they cannot be seen.
	workers(context.Context) ([]recording.Process, error)
	// proxyLog is the output of every proxy, with the time of each line.
	proxyLog(context.Context) ([]embedded.Line, error)
	fault.Proxy
	// Close takes the bed down. If the cell has ended well, another one may be given what
	// is left of it.
	Close(well bool) error
}

// caPaths is where the nodes' authority is put: besides kind.CAPath, the files of trusted
// authorities of Debian and Alpine, of Red Hat (the second is what the first links to
// there), and of OpenSSL itself. It takes the place of all others, since nothing else
// can be reached.
var caPaths = []string{
	kind.CAPath, "/etc/ssl/certs/ca-certificates.crt",
	"/etc/pki/tls/certs/ca-bundle.crt", "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
	"/etc/ssl/cert.pem",
}

// clients reach the agents of a testbed.
type clients struct {
	dns       *fakedns.Client   // of the proxy, or the first one of several
	otherDNS  []*fakedns.Client // of further proxies
	alb       *fakealb.Client
	load      *load.Client
	probe     fault.Prober
	resolvers []netip.AddrPort // that faults of DNS are proved at, besides those that the proxy asks
	libc      []netip.AddrPort // the resolvers of /etc/resolv.conf; none if the proxy has none
	node      func(n int) netip.Addr
	node6     func(n int) netip.Addr // the same with IPv6 addresses; nil if there is no IPv6
	beside    netip.Addr             // a node for the applications beside the proxy; the zero value if there can be none
	port      uint16                 // of the nodes, for plain HTTP
	// isProbe says whether a connection or query came from the harness itself,
	// where its address does not tell.
	isProbe func(netip.AddrPort) bool
}
