package goproxy

import (
	"crypto/tls"
	"net"
	"os"
	"sync/atomic"
	"time"

	"github.com/proxychaos/proxychaos/goproxy/http1"
	"github.com/proxychaos/proxychaos/goproxy/wire"
)

// longAgo is a deadline that ends a read at once.
var longAgo = time.Unix(1, 0)

// upstreamConn is one HTTP/1 connection to an endpoint. One goroutine at a
// time owns it; abort and wake may be called by any.
type upstreamConn struct {
	net.Conn
	pool *pool
	r    *http1.Reader
	tcp  *wire.Conn // Conn itself, or what carries its TLS

	uses      int // requests sent
	born      time.Time
	idleSince time.Time // guarded by pool.mu
	armed     time.Time // the read deadline in force
	aborted   atomic.Bool
}

func newUpstreamConn(p *pool, tcp *wire.Conn, conn net.Conn) *upstreamConn {
	return &upstreamConn{Conn: conn, pool: p, r: http1.NewReader(conn), tcp: tcp, born: time.Now()}
}

// arm sets the read deadline; the zero time is none. Setting it for each
// request would cost more than the rare wake-up by one that came too early, so
// the readers leave an earlier deadline in force and arm again when it fires.
func (c *upstreamConn) arm(t time.Time) {
	c.armed = t
	_ = c.SetReadDeadline(t) // fails on a closed connection, as the read will
	if c.aborted.Load() {
		_ = c.SetReadDeadline(longAgo)
	}
}

// abort ends whatever the owner is doing with the connection, for good.
func (c *upstreamConn) abort() {
	c.aborted.Store(true)
	_ = c.SetDeadline(longAgo) // fails on a closed connection only
}

// wake lets the owner's read return with a timeout, once.
func (c *upstreamConn) wake() { _ = c.SetReadDeadline(longAgo) }

// alive reports whether an idle connection can be used: the upstream has
// neither closed it nor sent anything. What it sends unasked would else become
// the response to the next request.
func (c *upstreamConn) alive() bool {
	if c.r.Buffered() > 0 || !c.tcp.Quiet() {
		return false
	}
	secure, ok := c.Conn.(*tls.Conn)
	if !ok {
		return true
	}
	// TLS may have bytes that TCP does not show.
	below := secure.NetConn().(*belowTLS)
	below.held = true
	var one [1]byte
	_, err := secure.Read(one[:])
	below.held = false
	return isTimeout(err)
}

// belowTLS carries an upstream's TLS. Held, it gives nothing, so that what TLS
// gives then it had already. A deadline in the past would do the same, but two
// would have to be set for each request.
type belowTLS struct {
	*wire.Conn
	held bool
}

// Read implements net.Conn.
func (c *belowTLS) Read(p []byte) (int, error) {
	if c.held {
		return 0, os.ErrDeadlineExceeded
	}
	return c.Conn.Read(p)
}
