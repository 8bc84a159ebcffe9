package peer

import (
	"cmp"
	"context"
	"fmt"
	"net/netip"
	"strings"
)

// FakeDNS starts fakedns with names that each have the addresses. It logs
// every query, which it always does.
func (s *Shop) FakeDNS(ctx context.Context, addresses ...string) (*Server, error) {
	server, control, err := s.ours(ctx, "fakedns")
	if err != nil {
		return nil, err
	}
	argv := []string{s.Binary, "fakedns", "--listen", server.Addr.String(), "--control", control.String()}
	for _, name := range Names() {
		argv = append(argv, "--name", name+"="+strings.Join(addresses, ","))
	}
	return s.launch(ctx, server, argv...)
}

// LoadBalancer is the name of the one that FakeALB starts.
const LoadBalancer = "bench"

// FakeALB starts one node of [LoadBalancer], with built-in targets; it records what it serves, which it always does. Its log tells the
// live heap after each garbage collection.
func (s *Shop) FakeALB(ctx context.Context) (*Server, error) {
	server, control, err := s.ours(ctx, "fakealb")
	if err != nil {
		return nil, err
	}
	return s.launch(ctx, server, "env", "GODEBUG=gctrace=1", s.Binary, "fakealb", "--network", "userspace",
		"--control", control.String(), "--ports", fmt.Sprint(server.Addr.Port()),
		"--nodes", LoadBalancer+"="+server.Addr.Addr().String())
}

func (s *Shop) ours(ctx context.Context, name string) (server *Server, control netip.AddrPort, err error) {
	addr, err := FreeAddr(ctx)
	if err != nil {
		return nil, control, err
	}
	if control, err = FreeAddr(ctx); err != nil {
		return nil, control, err
	}
	return &Server{Name: name, Addr: addr, Control: "http://" + control.String()}, control, nil
}

// GoProxy starts the bundled proxy.
func (s *Shop) GoProxy(ctx context.Context, job Job) (*Server, error) {
	front, err := FreeAddr(ctx)
	if err != nil {
		return nil, err
	}
	server := &Server{Name: "goproxy", Addr: front}
	config := fmt.Sprintf("listen: %q\naccess_log: \"off\"\nroutes: [{upstream: backend}]\n", front)
	upstream := fmt.Sprintf("upstreams: {backend: {url: %q}}\n", "http://"+job.Backend.String())
	if id := cmp.Or(job.TLS, job.HTTP2); id != nil {
		// The plain listener is there as well: it cannot be left out.
		if server.Addr, err = FreeAddr(ctx); err != nil {
			return nil, err
		}
		config += fmt.Sprintf("tls: {listen: %q, certificates: [{cert: %q, key: %q}]}\n", server.Addr, id.Cert, id.Key)
	}
	if job.Calls {
		config += "h2c: true\n"
		upstream = fmt.Sprintf("upstreams: {backend: {url: %q, protocol: h2c}}\n", "http://"+job.Backend.String())
	}
	if job.TLS != nil {
		upstream = fmt.Sprintf("upstreams: {backend: {url: %q, tls: {ca: %q, server_name: localhost}}}\n",
			"https://"+job.Backend.String(), job.TLS.CA)
	}
	file, err := s.file(job.Name+"-goproxy.yaml", config+upstream)
	if err != nil {
		return nil, err
	}
	return s.launch(ctx, server, s.Binary, "goproxy", "run", file)
}
