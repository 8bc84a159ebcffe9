package goproxy

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// errPoolFull says that no connection was free in time; the client gets 503.
var errPoolFull = errors.New("every connection that pool.max allows is in use")

// connection returns an idle connection or a new one. Where the pool is full it
// waits for one.
func (p *pool) connection(ctx context.Context, x *exchange, a *attempt) (*upstreamConn, error) {
	for {
		if c := p.get(); c != nil {
			return c, nil
		}
		c, err := p.reserve(ctx, a)
		if err != nil {
			return nil, err
		}
		if c == nil {
			c, err = p.dialOrTake(ctx, x.req)
		}
		if err != nil || c.uses == 0 || c.alive() {
			return c, err
		}
		p.drop(c)
	}
}

// reserve returns a connection that has become free, or nil and with it the
// right to make one.
func (p *pool) reserve(ctx context.Context, a *attempt) (*upstreamConn, error) {
	cfg := p.endpoint.member.up.cfg.Pool
	p.mu.Lock()
	if cfg.Max == 0 || p.open < cfg.Max {
		p.open++
		p.mu.Unlock()
		return nil, nil
	}
	turn := make(chan *upstreamConn, 1)
	p.waiting = append(p.waiting, turn)
	p.mu.Unlock()
	a.since.Store(0)
	defer func() { a.since.Store(time.Now().UnixNano()) }()
	timeout := time.NewTimer(time.Duration(cfg.Acquire))
	defer timeout.Stop()
	var err error
	select {
	case c := <-turn:
		return c, nil
	case <-timeout.C:
		err = errPoolFull
	case <-p.endpoint.gone.Done():
		err = errPoolFull
	case <-ctx.Done():
		err = ctx.Err()
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if i := slices.Index(p.waiting, turn); i >= 0 {
		p.waiting = slices.Delete(p.waiting, i, i+1)
		return nil, err
	}
	return <-turn, nil // it came at the same moment
}

// next takes the request that waits longest out of the queue. The caller holds
// mu.
func (p *pool) next() chan *upstreamConn {
	turn := p.waiting[0]
	p.waiting = p.waiting[1:]
	return turn
}

// free gives the place of a connection that is no more to who waits longest.
// The caller holds mu.
func (p *pool) free() {
	if len(p.waiting) > 0 {
		p.next() <- nil
		return
	}
	p.open--
}

// aged reports whether a connection has reached its maximum age.
func (p *pool) aged(c *upstreamConn) bool {
	limit := time.Duration(p.endpoint.member.up.cfg.Pool.MaxAge)
	return limit > 0 && time.Since(c.born) >= limit
}

// patience is how long the oldest of n idle connections may stay unused.
func (p Pool) patience(n int) time.Duration {
	if p.TTL > 0 && n > p.SMax {
		return time.Duration(min(p.TTL, p.IdleTimeout))
	}
	return time.Duration(p.IdleTimeout)
}

// shortest is how often idle connections have to be looked at.
func (p Pool) shortest() time.Duration {
	return p.patience(p.SMax + 1)
}

func checkPool(u Upstream, add func(string, ...string)) {
	p := u.Pool
	for _, n := range []struct {
		value int
		key   string
	}{{p.Max, "max"}, {p.MaxIdle, "max_idle"}, {p.SMax, "smax"}} {
		if n.value < 0 {
			add(fmt.Sprintf("%d connections: want 1 or more", n.value), "pool", n.key)
		}
	}
	if p.SMax > 0 && p.TTL == 0 {
		add("needs ttl: the time after which more idle connections than that are closed", "pool", "smax")
	}
	if u.Protocol != "" && u.Protocol != protocolHTTP1 && p != (Pool{IdleTimeout: p.IdleTimeout}) {
		add("only idle_timeout is for HTTP/2, which has one connection for many requests", "pool")
	}
}
