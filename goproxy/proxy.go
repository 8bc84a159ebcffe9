package goproxy

import (
	"context"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"net/http/httputil"
	"net/netip"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/proxychaos/proxychaos/goproxy/resolve"
)

// Limits on clients. The server reads with net/http, which refuses requests
// whose end is ambiguous.
const (
	readHeaderTimeout = 10 * time.Second
	clientIdle        = 75 * time.Second
	maxHeaderBytes    = 64 << 10
)

// Options are what a program that embeds the proxy sets and a config file
// cannot.
type Options struct {
	// Resolvers replace those of the config and of the system.
	Resolvers []netip.AddrPort
	// Listen replaces Config.Listen; "127.0.0.1:0" takes a free port.
	Listen string
	// AccessLog replaces Config.AccessLog.
	AccessLog io.Writer
	// Log receives everything but the access log; nil discards it.
	Log *slog.Logger
}

// Proxy is a running reverse proxy. Make it with [New].
type Proxy struct {
	cfg       Config
	log       *slog.Logger
	listener  net.Listener
	server    *http.Server
	buffers   *bufferPool
	accessLog *slog.Logger // nil when off
	logFile   io.Closer
	unused    unusedConns
	table     atomic.Pointer[table]
	closeOnce sync.Once
	closed    chan struct{}
	running   sync.WaitGroup // followers
}

// New checks cfg and binds the listener; it sends nothing yet. Close frees what
// it holds, also when Run was never called.
func New(cfg Config, opts Options) (*Proxy, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	p := &Proxy{cfg: cfg, log: opts.Log, buffers: newBufferPool(), closed: make(chan struct{})}
	if p.log == nil {
		p.log = slog.New(slog.DiscardHandler)
	}
	t, err := p.newTable(cfg, opts.Resolvers)
	if err != nil {
		return nil, err
	}
	p.table.Store(t)
	if err := p.openAccessLog(opts.AccessLog); err != nil {
		return nil, err
	}
	listen := cfg.Listen
	if opts.Listen != "" {
		listen = opts.Listen
	}
	if listen == "" {
		listen = ":8080"
	}
	p.listener, err = net.Listen("tcp", listen)
	if err != nil {
		p.closeLog()
		return nil, fmt.Errorf("listen on %s: %w", listen, err)
	}
	p.server = &http.Server{
		Handler:           p,
		ReadHeaderTimeout: readHeaderTimeout,
		IdleTimeout:       clientIdle,
		MaxHeaderBytes:    maxHeaderBytes,
		ConnState:         p.unused.note,
		ErrorLog:          log.New(debugWriter{p.log}, "", 0),
	}
	return p, nil
}

// Addr is the address that the proxy listens on.
func (p *Proxy) Addr() net.Addr { return p.listener.Addr() }

// Run serves until ctx ends, then drains: no new connection, running requests
// may take Config.DrainTimeout. It returns nil after a complete drain.
func (p *Proxy) Run(ctx context.Context) error {
	work, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	for _, up := range p.table.Load().upstreams {
		p.running.Go(func() { up.run(work) })
	}
	served := make(chan error, 1)
	go func() { served <- p.server.Serve(p.listener) }()
	p.log.Info("goproxy: serving", "address", p.Addr().String())
	var failed error
	select {
	case <-ctx.Done():
	case <-p.closed:
	case err := <-served:
		if !p.isClosed() {
			failed = fmt.Errorf("serve on %s: %w", p.Addr(), err)
		}
	}
	// The followers live on while requests drain.
	limit := p.cfg.DrainTimeout.or(30 * time.Second)
	drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), limit)
	defer cancel()
	defer time.AfterFunc(unusedGrace, p.unused.closeAll).Stop()
	if err := p.server.Shutdown(drain); err != nil && drain.Err() != nil {
		p.server.Close()
		failed = fmt.Errorf("drain: requests still ran after %v and were cut off", limit)
	}
	stop()
	p.running.Wait()
	p.closeLog()
	return failed
}

func (p *Proxy) isClosed() bool {
	select {
	case <-p.closed:
		return true
	default:
		return false
	}
}

// Close ends Run as its context would, or frees the listener where Run was
// never called. It does not wait for the drain; Run does.
func (p *Proxy) Close() error {
	var err error
	p.closeOnce.Do(func() {
		close(p.closed)
		err = p.listener.Close()
	})
	return err
}

func (p *Proxy) newTable(cfg Config, override []netip.AddrPort) (*table, error) {
	t := &table{upstreams: map[string]*upstream{}, forward: map[*upstream]*httputil.ReverseProxy{}}
	for name, u := range cfg.Upstreams {
		servers, err := chooseResolvers(override, u.Resolvers, cfg.Resolvers)
		if err != nil {
			return nil, err
		}
		up, err := newUpstream(name, u, servers, p.log)
		if err != nil {
			return nil, err
		}
		t.upstreams[name] = up
		t.forward[up] = p.newForwarder(up)
	}
	bound := make([]boundRoute, len(cfg.Routes))
	for i, r := range cfg.Routes {
		bound[i] = boundRoute{r, t.upstreams[r.Upstream]}
	}
	t.router = newRouter(bound)
	return t, nil
}

// chooseResolvers takes the first list that is not empty, else the system's.
func chooseResolvers(override []netip.AddrPort, lists ...[]string) ([]netip.AddrPort, error) {
	if len(override) > 0 {
		return override, nil
	}
	for _, list := range lists {
		var servers []netip.AddrPort
		for _, s := range list {
			server, err := resolve.ParseServer(s)
			if err != nil {
				return nil, err
			}
			servers = append(servers, server)
		}
		if len(servers) > 0 {
			return servers, nil
		}
	}
	return resolve.SystemServers("/etc/resolv.conf")
}

func (p *Proxy) openAccessLog(override io.Writer) error {
	out := override
	if out == nil {
		switch p.cfg.AccessLog {
		case "off":
			return nil
		case "", "stdout":
			out = os.Stdout
		case "stderr":
			out = os.Stderr
		default:
			f, err := os.OpenFile(p.cfg.AccessLog, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o640)
			if err != nil {
				return fmt.Errorf("open access log: %w", err)
			}
			out, p.logFile = f, f
		}
	}
	p.accessLog = slog.New(slog.NewJSONHandler(out, &slog.HandlerOptions{ReplaceAttr: dropConstant}))
	return nil
}

// dropConstant leaves out what is the same in every access log line.
func dropConstant(groups []string, a slog.Attr) slog.Attr {
	if len(groups) == 0 && (a.Key == slog.LevelKey || a.Key == slog.MessageKey) {
		return slog.Attr{}
	}
	return a
}

func (p *Proxy) closeLog() {
	if p.logFile != nil {
		p.logFile.Close()
	}
}

// debugWriter takes the free-text lines of net/http into the log. They tell of
// clients that went away or spoke nonsense.
type debugWriter struct{ log *slog.Logger }

func (w debugWriter) Write(line []byte) (int, error) {
	w.log.Debug("net/http", "line", string(line))
	return len(line), nil
}
