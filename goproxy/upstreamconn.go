package goproxy

import (
	"crypto/tls"
	"net"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/proxychaos/proxychaos/goproxy/http1"
)

// longAgo is a deadline that ends a read at once.
var longAgo = time.Unix(1, 0)

// upstreamConn is one HTTP/1 connection to an endpoint. One goroutine at a
// time owns it; abort and wake may be called by any.
type upstreamConn struct {
	net.Conn
	pool *pool
	r    *http1.Reader
	raw  syscall.RawConn // of the TCP connection; nil if it has none
	peek func(fd uintptr)
	dead bool // what peek found

	uses      int // requests sent
	born      time.Time
	idleSince time.Time // guarded by pool.mu
	armed     time.Time // the read deadline in force
	aborted   atomic.Bool
}

func newUpstreamConn(p *pool, tcp, conn net.Conn) *upstreamConn {
	c := &upstreamConn{Conn: conn, pool: p, r: http1.NewReader(conn), born: time.Now()}
	c.peek = c.look
	if sc, ok := tcp.(syscall.Conn); ok {
		if raw, err := sc.SyscallConn(); err == nil {
			c.raw = raw
		}
	}
	return c
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
	if c.r.Buffered() > 0 {
		return false
	}
	if c.raw != nil {
		c.dead = false
		if err := c.raw.Control(c.peek); err != nil || c.dead {
			return false
		}
	}
	secure, ok := c.Conn.(*tls.Conn)
	if !ok {
		return true
	}
	// TLS may have bytes that the peek did not see. With a deadline that has
	// passed it gives those and reads no more.
	c.arm(longAgo)
	var one [1]byte
	_, err := secure.Read(one[:])
	return isTimeout(err)
}

// look sets dead where there is something to read, or the end.
func (c *upstreamConn) look(fd uintptr) {
	var one [1]byte
	_, _, err := syscall.Recvfrom(int(fd), one[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
	c.dead = err != syscall.EAGAIN && err != syscall.EINTR //nolint:errorlint // a bare errno
}
