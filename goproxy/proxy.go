package goproxy

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"
)

// maxHeaderBytes bounds the head of a client's request.
const maxHeaderBytes = 64 << 10

// limits on clients, from Config.Clients.
type limits struct{ header, body, send, idle time.Duration }

func (c Clients) limits() limits {
	return limits{
		header: c.HeaderTimeout.or(10 * time.Second),
		body:   c.BodyTimeout.or(60 * time.Second),
		send:   c.SendTimeout.or(60 * time.Second),
		idle:   c.IdleTimeout.or(75 * time.Second),
	}
}

// Options are what a program that embeds the proxy sets and a config file
// cannot.
type Options struct {
	// Resolvers replace those of the config and of the system.
	Resolvers []netip.AddrPort
	// Listen replaces Config.Listen; "127.0.0.1:0" takes a free port.
	Listen string
	// AccessLog replaces Config.AccessLog. A request waits for its line to be
	// written.
	AccessLog io.Writer
	// Log receives everything but the access log; nil discards it.
	Log *slog.Logger
	// Reread answers POST /api/reload: it reads the config again and calls
	// Reload. Without it there is no such request.
	Reread func() error
}

// Proxy is a reverse proxy. Make it with [New].
type Proxy struct {
	opts      Options
	log       *slog.Logger
	metrics   *metrics
	accessLog *slog.Logger // nil when off
	table     atomic.Pointer[table]
	tls       atomic.Pointer[tls.Config]

	accessFile *logFile // nil unless the access log is a file

	proxyProtocol bool
	tracer        *tracer // nil without Config.Traces; set by Run
	via           *via

	limits   limits
	clients  clients
	handlers sync.WaitGroup // goroutines of clients
	h2       *h2Server
	plain    net.Listener
	secure   net.Listener // nil without Config.TLS
	admin    net.Listener // nil without Config.Admin
	closers  []io.Closer  // listeners, and the access log's queue and file
	isClosed context.Context
	close    context.CancelFunc

	requests context.Context // parent of every request
	cutOff   context.CancelFunc

	reloading sync.Mutex
	ending    bool            // nothing may be started any more; guarded by reloading
	work      context.Context // parent of the followers; nil before Run; guarded by reloading
	followers sync.WaitGroup
}

// New checks cfg and binds the listeners; it sends nothing yet. Close frees
// what it holds, also when Run was never called.
func New(cfg Config, opts Options) (*Proxy, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	p := &Proxy{opts: opts, log: opts.Log, metrics: newMetrics(), limits: cfg.Clients.limits(), proxyProtocol: cfg.ProxyProtocol, via: newVia()}
	p.clients = clients{most: cfg.Clients.MaxConnections, conns: map[*clientConn]struct{}{}}
	p.isClosed, p.close = context.WithCancel(context.Background())
	p.requests, p.cutOff = context.WithCancel(context.Background())
	if p.log == nil {
		p.log = slog.New(slog.DiscardHandler)
	}
	t, err := p.newTable(cfg, nil)
	if err != nil {
		return nil, err
	}
	p.table.Store(t)
	if err := p.open(cfg); err != nil {
		return nil, errors.Join(err, p.Close())
	}
	p.h2 = newH2Server(p, cfg.H2C)
	return p, nil
}

// open binds the listeners and opens the access log.
func (p *Proxy) open(cfg Config) error {
	out, err := p.openAccessLog(cfg.AccessLog)
	if err != nil {
		return err
	}
	if out != nil {
		p.accessLog = slog.New(slog.NewJSONHandler(out, &slog.HandlerOptions{ReplaceAttr: dropConstant}))
	}
	address := cfg.Listen
	if p.opts.Listen != "" {
		address = p.opts.Listen
	}
	if address == "" {
		address = ":8080"
	}
	if p.plain, err = p.bind("listen", address); err != nil {
		return err
	}
	if cfg.TLS != nil {
		tlsConfig, err := cfg.TLS.server()
		if err != nil {
			return err
		}
		p.tls.Store(tlsConfig)
		if p.secure, err = p.bind("tls.listen", cfg.TLS.address()); err != nil {
			return err
		}
	}
	if cfg.Admin != "" {
		return p.openAdmin(cfg.Admin)
	}
	return nil
}

func (p *Proxy) bind(key, address string) (net.Listener, error) {
	l, err := (&net.ListenConfig{}).Listen(p.isClosed, family(address), address)
	if err != nil {
		return nil, fmt.Errorf("%s: listen on %s: %w", key, address, err)
	}
	p.closers = append(p.closers, l)
	return l, nil
}

// family is the network to listen in. Go takes "0.0.0.0" and "[::]" for the addresses
// of both families, and each stands for those of its own.
func family(address string) string {
	at, err := netip.ParseAddrPort(address)
	switch {
	case err != nil:
		return "tcp"
	case at.Addr().Unmap().Is4():
		return "tcp4"
	}
	return "tcp6"
}

// Addr is the address that the proxy listens on for plain HTTP.
func (p *Proxy) Addr() net.Addr { return p.plain.Addr() }

// TLSAddr is the address for HTTPS, or nil.
func (p *Proxy) TLSAddr() net.Addr { return addrOf(p.secure) }

// AdminAddr is the address for metrics and state, or nil.
func (p *Proxy) AdminAddr() net.Addr { return addrOf(p.admin) }

func addrOf(l net.Listener) net.Addr {
	if l == nil {
		return nil
	}
	return l.Addr()
}

// Run serves until ctx ends or Close is called, then drains: no new connection,
// running requests may take Config.DrainTimeout. It returns nil after a
// complete drain. It can be called once.
func (p *Proxy) Run(ctx context.Context) error {
	if traces := p.table.Load().cfg.Traces; traces != nil {
		var err error
		if p.tracer, err = newTracer(ctx, traces); err != nil {
			return errors.Join(err, p.Close())
		}
		defer p.tracer.flush(context.WithoutCancel(ctx), p.log)
	}
	work, stop := context.WithCancel(context.WithoutCancel(ctx))
	p.reloading.Lock()
	p.work = work
	p.start(p.table.Load(), nil) //nolint:contextcheck // p.work was set from ctx
	p.reloading.Unlock()

	adminServer := &http.Server{
		Handler: p.adminHandler(), ErrorLog: p.h2.server.ErrorLog,
		ReadTimeout: p.limits.header, WriteTimeout: p.limits.send, IdleTimeout: p.limits.idle, // its bodies are short
	}
	served := make(chan error, 4)
	go func() { served <- p.h2.server.Serve(p.h2) }()
	p.handlers.Go(func() { served <- p.accept(p.plain, func(c net.Conn) net.Conn { return c }) })
	if p.secure != nil {
		tlsConfig := &tls.Config{
			MinVersion:         tls.VersionTLS12,
			GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) { return p.tls.Load(), nil },
		}
		p.handlers.Go(func() {
			served <- p.accept(p.secure, func(c net.Conn) net.Conn { return tls.Server(c, tlsConfig) })
		})
	}
	if p.admin != nil {
		go func() { served <- adminServer.Serve(p.admin) }()
	}
	p.log.Info("goproxy: serving", "listen", fmt.Sprint(p.Addr()), "tls", fmt.Sprint(p.TLSAddr()), "admin", fmt.Sprint(p.AdminAddr()))
	var failed error
	select {
	case <-ctx.Done():
	case <-p.isClosed.Done():
	case err := <-served:
		if p.isClosed.Err() == nil {
			failed = fmt.Errorf("serve on %s: %w", p.Addr(), err)
		}
	}
	p.reloading.Lock()
	p.ending = true
	p.reloading.Unlock()
	// The followers and the metrics live on while requests drain.
	failed = errors.Join(failed, p.drain(context.WithoutCancel(ctx)))
	_ = adminServer.Close() // nothing there needs a drain
	// What is still there are upgraded connections, which have no end of
	// their own that a drain could wait for.
	p.cutOff()
	p.clients.closeRest()
	p.handlers.Wait()
	stop()
	p.followers.Wait()
	return errors.Join(failed, p.Close())
}

// drain ends the client side.
func (p *Proxy) drain(ctx context.Context) error {
	limit := p.table.Load().cfg.DrainTimeout.or(30 * time.Second)
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	_ = p.plain.Close() // Close reports what matters
	if p.secure != nil {
		_ = p.secure.Close()
	}
	both := make(chan bool, 2)
	go func() { both <- p.clients.drain(ctx) }()
	go func() { both <- p.h2.server.Shutdown(ctx) == nil }()
	if first, second := <-both, <-both; !first || !second {
		_ = p.h2.server.Close() // the drain's own error says more
		return fmt.Errorf("drain: requests still ran after %v and were cut off", limit)
	}
	return nil
}

// Close ends Run as its context would, or frees the listeners where Run was
// never called. It does not wait for the drain; Run does.
func (p *Proxy) Close() error {
	if p.isClosed.Err() != nil {
		return nil
	}
	p.close()
	var errs []error
	for _, c := range p.closers {
		if err := c.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// debugWriter takes the free-text lines of net/http into the log. They tell of
// clients that went away or spoke nonsense.
type debugWriter struct{ log *slog.Logger }

func (w debugWriter) Write(line []byte) (int, error) {
	w.log.Debug("net/http", "line", string(line))
	return len(line), nil
}
