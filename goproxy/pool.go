package goproxy

import (
	"context"
	"crypto/tls"
	"net"
	"sync"
	"time"
)

// pool is the HTTP/1 connections to one endpoint.
type pool struct {
	endpoint *endpoint
	tls      *tls.Config // nil for plain HTTP
	dialer   net.Dialer
	timeouts Timeouts
	single   bool // one request a connection

	mu     sync.Mutex
	all    map[*upstreamConn]struct{}
	idle   []*upstreamConn // the one used last at the end
	closed bool            // no connection is kept any more
	sweep  *time.Timer     // closes what was idle for too long; nil when none is

	open    int                  // connections, and those being made
	waiting []chan *upstreamConn // requests that wait for one; nil says: make one
	takers  []chan dialed        // requests that wait for one being made, at most as many as there are of those
}

func newPool(e *endpoint, tlsConfig *tls.Config) *pool {
	timeouts := e.member.up.cfg.Timeouts
	return &pool{
		endpoint: e, tls: tlsConfig, timeouts: timeouts,
		dialer: net.Dialer{Timeout: time.Duration(timeouts.Connect), KeepAlive: 15 * time.Second},
		single: e.member.up.cfg.ProxyProtocol != "",
		all:    map[*upstreamConn]struct{}{},
	}
}

// get returns an idle connection that is still good, or nil.
func (p *pool) get() *upstreamConn {
	for {
		c := p.pop()
		if c == nil || (!p.aged(c) && c.alive()) {
			return c
		}
		p.drop(c)
	}
}

func (p *pool) pop() *upstreamConn {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := len(p.idle)
	if n == 0 {
		return nil
	}
	c := p.idle[n-1]
	p.idle[n-1] = nil
	p.idle = p.idle[:n-1]
	return c
}

// put takes back a connection on which a response has ended.
func (p *pool) put(c *upstreamConn) {
	cfg := p.endpoint.member.up.cfg.Pool
	now := time.Now()
	p.mu.Lock()
	keep := !p.closed && !p.single && !p.aged(c)
	if keep && len(p.waiting) > 0 {
		p.next() <- c
		p.mu.Unlock()
		return
	}
	if keep && p.take(dialed{conn: c}) {
		p.mu.Unlock()
		return
	}
	keep = keep && len(p.idle) < cfg.MaxIdle
	if keep {
		c.idleSince = now
		p.idle = append(p.idle, c)
		if p.sweep == nil {
			p.sweep = time.AfterFunc(cfg.shortest(), p.closeOld)
		}
	}
	p.mu.Unlock()
	if !keep {
		p.drop(c)
	}
}

// drop closes a connection that its owner does not want back in the pool.
func (p *pool) drop(c *upstreamConn) {
	p.mu.Lock()
	if _, ok := p.all[c]; ok {
		delete(p.all, c)
		p.free()
	}
	p.mu.Unlock()
	_ = c.Close() // the upstream may have been faster
}

// dial makes a connection for req, for which reserve gave the right.
func (p *pool) dial(ctx context.Context, req *request) (*upstreamConn, error) {
	c, err := p.connectTo(ctx, req)
	p.mu.Lock()
	defer p.mu.Unlock()
	if err != nil {
		p.free()
		return nil, err
	}
	p.all[c] = struct{}{}
	return c, nil
}

func (p *pool) connectTo(ctx context.Context, req *request) (*upstreamConn, error) {
	tcp, err := p.endpoint.connect(ctx, &p.dialer, req, time.Duration(p.timeouts.Connect))
	if err != nil {
		return nil, err
	}
	var conn net.Conn = tcp
	if p.tls != nil {
		secure := tls.Client(&belowTLS{Conn: tcp}, p.tls)
		ctx, cancel := context.WithTimeout(ctx, time.Duration(p.timeouts.TLS))
		err := secure.HandshakeContext(ctx)
		cancel()
		if err != nil {
			_ = tcp.Close() // the handshake's error says more
			return nil, err
		}
		conn = secure
	}
	return newUpstreamConn(p, tcp, conn), nil
}

// closeOld closes the connections that were idle for too long.
func (p *pool) closeOld() {
	cfg := p.endpoint.member.up.cfg.Pool
	p.mu.Lock()
	if p.sweep == nil {
		p.mu.Unlock()
		return // closeIdle was faster
	}
	now := time.Now()
	n := 0
	for n < len(p.idle) && now.Sub(p.idle[n].idleSince) >= cfg.patience(len(p.idle)-n) {
		n++
	}
	old := append([]*upstreamConn(nil), p.idle[:n]...)
	p.idle = append(p.idle[:0], p.idle[n:]...)
	if len(p.idle) > 0 {
		p.sweep.Reset(min(cfg.shortest(), cfg.patience(len(p.idle))-now.Sub(p.idle[0].idleSince)))
	} else {
		p.sweep = nil
	}
	p.mu.Unlock()
	for _, c := range old {
		p.drop(c)
	}
}

// closeIdle closes what is idle now, and later what comes back.
func (p *pool) closeIdle() {
	p.mu.Lock()
	p.closed = true
	idle := p.idle
	p.idle = nil
	if p.sweep != nil {
		p.sweep.Stop()
		p.sweep = nil
	}
	p.mu.Unlock()
	for _, c := range idle {
		p.drop(c)
	}
}

// wake interrupts everyone who waits for a response: the endpoint has departed.
func (p *pool) wake() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.all {
		c.wake()
	}
}
