package peer

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"time"
)

// FakeName starts fakedns with one name.
func (s *Shop) FakeName(ctx context.Context, name string, ttl time.Duration, addresses ...netip.Addr) (*Server, error) {
	server, control, err := s.ours(ctx, "fakedns")
	if err != nil {
		return nil, err
	}
	return s.launch(ctx, server, s.Binary, "fakedns", "--listen", server.Addr.String(), "--control", control.String(),
		"--ttl", ttl.String(), "--name", name+"="+list(addresses))
}

// FakeNodes starts a fakealb of its own with nodes of [LoadBalancer] on
// addresses of 127.0.0.0/8.
func (s *Shop) FakeNodes(ctx context.Context, port uint16, addresses ...netip.Addr) (*Server, error) {
	server, control, err := s.ours(ctx, "fakealb")
	if err != nil {
		return nil, err
	}
	server.Addr = netip.AddrPortFrom(addresses[0], port)
	return s.launch(ctx, server, s.Binary, "fakealb", "--network", "userspace",
		"--control", control.String(), "--ports", fmt.Sprint(port), "--nodes", LoadBalancer+"="+list(addresses))
}

func list(addresses []netip.Addr) string {
	var texts []string
	for _, a := range addresses {
		texts = append(texts, a.String())
	}
	return strings.Join(texts, ",")
}

// GoProxyTo starts the bundled proxy, with its admin address as its control
// API, before one upstream, given as in its config and resolved by resolver.
func (s *Shop) GoProxyTo(ctx context.Context, upstream string, resolver netip.AddrPort) (*Server, error) {
	server, admin, err := s.ours(ctx, "goproxy")
	if err != nil {
		return nil, err
	}
	file, err := s.file("goproxy.yaml", fmt.Sprintf(
		"listen: %q\nadmin: %q\naccess_log: \"off\"\nresolvers: [%q]\nroutes: [{upstream: backend}]\nupstreams: {backend: %s}\n",
		server.Addr, admin, resolver, upstream))
	if err != nil {
		return nil, err
	}
	return s.launch(ctx, server, s.Binary, "goproxy", "run", file)
}
