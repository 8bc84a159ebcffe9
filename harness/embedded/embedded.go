// Package embedded is a testbed without Docker: the same agents and the
// bundled proxy in this process, on addresses of 127.0.0.0/8. It needs no
// privilege, and it can run nothing but goproxy.
//
// What it cannot show, it does not claim: there is no packet capture (a
// frozen connection takes the place of dropped packets), and no view of worker
// processes, of which goproxy has one.
package embedded

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"github.com/proxychaos/proxychaos/fakealb"
	"github.com/proxychaos/proxychaos/fakedns"
	"github.com/proxychaos/proxychaos/goproxy"
	"github.com/proxychaos/proxychaos/harness/load"
)

// Bed is one running embedded testbed.
type Bed struct {
	DNS  *fakedns.Client
	ALB  *fakealb.Client
	Load *load.Client
	// Resolver is where fakedns answers.
	Resolver netip.AddrPort

	number byte // of its /24
	probe  Prober
	log    logBuffer
	proxy  *running // nil before StartProxy
	cancel context.CancelFunc
	done   sync.WaitGroup
	mu     sync.Mutex
	errs   []error // of agents that ended by themselves
}

// Start brings up the agents. The nodes are in 127.77.x.0/24, for the first x
// from n on that no other bed of this machine has, and listen on ports, which
// has at least one. The Bed is never nil; Close it whatever the error.
func Start(ctx context.Context, n int, seed uint64, ports []uint16) (*Bed, error) {
	// The agents end with Close, not with the context of the start.
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	b := &Bed{cancel: cancel}
	listener, err := b.reserve(ctx, n, ports[0])
	if err != nil {
		return b, err
	}
	server := &http.Server{Handler: load.Handler(), ReadHeaderTimeout: 10 * time.Second}
	b.Load = load.NewClient("http://" + listener.Addr().String())
	b.run(ctx, func(ctx context.Context) error {
		stop := context.AfterFunc(ctx, func() { _ = server.Close() })
		defer stop()
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			return err
		}
		return nil
	})
	loopback := netip.MustParseAddrPort("127.0.0.1:0")
	dns, err := fakedns.New(fakedns.Config{Listen: []netip.AddrPort{loopback}, Control: loopback, Seed: seed})
	if err != nil {
		return b, err
	}
	b.Resolver = dns.Addrs()[0]
	b.DNS = fakedns.NewClient(dns.ControlURL(), nil)
	b.run(ctx, dns.Run)
	alb, err := fakealb.New(fakealb.Config{Network: fakealb.NetworkUserspace, Ports: ports})
	if err != nil {
		return b, err
	}
	b.ALB = fakealb.NewClient(alb.ControlURL(), nil)
	b.run(ctx, alb.Run)
	return b, nil
}

// reserve takes a /24 that no other bed has. The load agent's listener holds
// it, on the port that the nodes will have: whatever is in the way of the nodes
// is in its way too.
func (b *Bed) reserve(ctx context.Context, n int, port uint16) (net.Listener, error) {
	var last error
	for i := range beds {
		b.number = byte((n + i) % beds)
		listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp4", netip.AddrPortFrom(b.host(1), port).String())
		if err != nil {
			last = err
			continue
		}
		return listener, nil
	}
	return nil, fmt.Errorf("the nodes of the embedded testbed need port %d on some 127.77.x.0/24, and none is free; does something listen on it on every address? %w", port, last)
}

// host is the n-th address of the bed's /24.
func (b *Bed) host(n int) netip.Addr { return netip.AddrFrom4([4]byte{127, 77, b.number, byte(n)}) }

// Node is the n-th node address, from 0; none of them is up after Start.
func (b *Bed) Node(n int) netip.Addr { return b.host(21 + n) }

// beds is how many can be at a time.
const beds = 256

// run runs an agent until Close.
func (b *Bed) run(ctx context.Context, agent func(context.Context) error) {
	b.done.Go(func() {
		if err := agent(ctx); err != nil && ctx.Err() == nil {
			b.mu.Lock()
			b.errs = append(b.errs, err)
			b.mu.Unlock()
		}
	})
}

// running is the proxy, with what it takes to start it again.
type running struct {
	config goproxy.Config
	listen string
	proxy  *goproxy.Proxy
	end    context.CancelFunc
	ended  chan struct{}
}

// StartProxy starts goproxy with a config, which is run verbatim; only its listener
// and its resolvers are this testbed's. It returns where it listens.
func (b *Bed) StartProxy(ctx context.Context, name string, content []byte) (netip.AddrPort, error) {
	cfg, err := goproxy.Parse(name, content)
	if err != nil {
		return netip.AddrPort{}, err
	}
	b.proxy = &running{config: cfg, listen: "127.0.0.1:0"}
	if err := b.startProxy(ctx); err != nil {
		return netip.AddrPort{}, err
	}
	return netip.ParseAddrPort(b.proxy.listen)
}

// RestartProxy ends the proxy and starts it again at the same address. It returns when it
// had ended. Unlike a process that is killed, it first finishes its requests.
func (b *Bed) RestartProxy(ctx context.Context) (time.Time, error) {
	b.proxy.end()
	<-b.proxy.ended
	at := time.Now()
	return at, b.startProxy(ctx)
}

// ReloadProxy has the proxy take its configuration again while it runs.
func (b *Bed) ReloadProxy() error { return b.proxy.proxy.Reload(b.proxy.config) }

func (b *Bed) startProxy(ctx context.Context) error {
	proxy, err := goproxy.New(b.proxy.config, goproxy.Options{
		Resolvers: []netip.AddrPort{b.Resolver}, Listen: b.proxy.listen,
		AccessLog: &b.log, Log: slog.New(slog.NewTextHandler(&b.log, nil)),
	})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	ended := make(chan struct{})
	b.proxy.listen, b.proxy.proxy, b.proxy.end, b.proxy.ended = proxy.Addr().String(), proxy, cancel, ended
	b.run(ctx, func(ctx context.Context) error {
		defer close(ended)
		return proxy.Run(ctx)
	})
	return nil
}

// Close ends everything and says what had gone wrong before.
func (b *Bed) Close() error {
	if b.proxy != nil && b.proxy.end != nil {
		b.proxy.end()
	}
	b.cancel()
	b.probe.drop()
	b.done.Wait()
	return errors.Join(b.errs...)
}

// Line is one line of the proxy's output.
type Line struct {
	At   time.Time
	Text string
}

// Log is the proxy's output so far.
func (b *Bed) Log() []Line { return b.log.copy() }

// logBuffer keeps lines with the time at which they were written.
type logBuffer struct {
	mu    sync.Mutex
	lines []Line
}

// Write implements io.Writer for whole lines.
func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	for line := range bytes.Lines(p) {
		l.lines = append(l.lines, Line{now, string(bytes.TrimRight(line, "\n"))})
	}
	return len(p), nil
}

func (l *logBuffer) copy() []Line {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]Line(nil), l.lines...)
}
