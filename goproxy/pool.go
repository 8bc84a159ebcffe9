package goproxy

import (
	"context"
	"crypto/tls"
	"net"
	"sync"
	"time"
)

// peekAfter is how long a connection has to be idle before a request that can
// be repeated looks at it first. What happened in a shorter time is the usual
// keep-alive race, which costs such a request one more attempt.
const peekAfter = time.Millisecond

// pool is the HTTP/1 connections to one endpoint.
type pool struct {
	endpoint *endpoint
	tls      *tls.Config // nil for plain HTTP
	dialer   net.Dialer
	connect  time.Duration

	mu     sync.Mutex
	all    map[*upstreamConn]struct{}
	idle   []*upstreamConn // the one used last at the end
	closed bool            // no connection is kept any more
	sweep  *time.Timer     // closes what was idle for too long; nil when none is
}

func newPool(e *endpoint, tlsConfig *tls.Config) *pool {
	connect := time.Duration(e.member.up.cfg.Timeouts.Connect)
	return &pool{
		endpoint: e, tls: tlsConfig, connect: connect,
		dialer: net.Dialer{Timeout: connect, KeepAlive: 15 * time.Second},
		all:    map[*upstreamConn]struct{}{},
	}
}

// get returns an idle connection that is still good, or nil. One that carries
// a request that cannot be repeated is always looked at first.
func (p *pool) get(now time.Time, repeatable bool) *upstreamConn {
	for {
		c, since := p.pop(now)
		if c == nil || ((repeatable && now.Sub(since) < peekAfter && c.r.Buffered() == 0) || c.alive()) {
			return c
		}
		p.drop(c)
	}
}

func (p *pool) pop(now time.Time) (*upstreamConn, time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := len(p.idle)
	if n == 0 {
		return nil, now
	}
	c := p.idle[n-1]
	p.idle[n-1] = nil
	p.idle = p.idle[:n-1]
	return c, c.idleSince
}

// put takes back a connection on which a response has ended.
func (p *pool) put(c *upstreamConn) {
	cfg := p.endpoint.member.up.cfg.Pool
	p.mu.Lock()
	keep := !p.closed && len(p.idle) < cfg.MaxIdle
	if keep {
		c.idleSince = time.Now()
		p.idle = append(p.idle, c)
		if p.sweep == nil {
			p.sweep = time.AfterFunc(time.Duration(cfg.IdleTimeout), p.closeOld)
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
	delete(p.all, c)
	p.mu.Unlock()
	_ = c.Close() // the upstream may have been faster
}

// dial makes a connection that is the caller's.
func (p *pool) dial(ctx context.Context) (*upstreamConn, error) {
	tcp, err := p.endpoint.dialTCP(ctx, &p.dialer)
	if err != nil {
		return nil, err
	}
	conn := tcp
	if p.tls != nil {
		secure := tls.Client(tcp, p.tls)
		ctx, cancel := context.WithTimeout(ctx, p.connect)
		err := secure.HandshakeContext(ctx)
		cancel()
		if err != nil {
			_ = tcp.Close() // the handshake's error says more
			return nil, err
		}
		conn = secure
	}
	c := newUpstreamConn(p, tcp, conn)
	p.mu.Lock()
	p.all[c] = struct{}{}
	p.mu.Unlock()
	return c, nil
}

// closeOld closes the connections that were idle for too long.
func (p *pool) closeOld() {
	limit := time.Duration(p.endpoint.member.up.cfg.Pool.IdleTimeout)
	p.mu.Lock()
	now := time.Now()
	n := 0
	for n < len(p.idle) && now.Sub(p.idle[n].idleSince) >= limit {
		n++
	}
	old := append([]*upstreamConn(nil), p.idle[:n]...)
	p.idle = append(p.idle[:0], p.idle[n:]...)
	if len(p.idle) > 0 {
		p.sweep.Reset(limit - now.Sub(p.idle[0].idleSince))
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
