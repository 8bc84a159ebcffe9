package targets

import (
	"crypto/tls"
	"net"
	"net/http/httptrace"
	"sync"
)

// finHold, while it is on, keeps a node from noticing that targets end idle
// connections, until it has chosen such a connection for a request: the keep-alive
// race, every time (9.1.6).
type finHold struct {
	mu  sync.Mutex
	off chan struct{} // closed when holding ends; nil while it is off
}

// HoldFINs turns the holding on or off. What was held is let go.
func (p *Pool) HoldFINs(on bool) {
	h := &p.hold
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case on && h.off == nil:
		h.off = make(chan struct{})
	case !on && h.off != nil:
		close(h.off)
		h.off = nil
	}
}

// until is closed when the holding ends, and nil if it is off.
func (h *finHold) until() <-chan struct{} {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.off
}

// heldConn is a connection to a target whose end can be held.
type heldConn struct {
	net.Conn
	hold *finHold

	mu   sync.Mutex
	idle bool
	used chan struct{} // closed when it is written to, or closed
}

func newHeldConn(c net.Conn, h *finHold) *heldConn {
	return &heldConn{Conn: c, hold: h, used: make(chan struct{})}
}

// Read keeps what comes while the connection is idle: FIN, RST, or an alert of TLS.
func (c *heldConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.mu.Lock()
	idle, used := c.idle, c.used
	c.mu.Unlock()
	if over := c.hold.until(); idle && over != nil {
		select {
		case <-used:
		case <-over:
		}
	}
	return n, err
}

// Write writes first, so that the request is on its way when the end is noticed.
func (c *heldConn) Write(b []byte) (int, error) {
	n, err := c.Conn.Write(b)
	c.use()
	return n, err
}

// Close closes the connection.
func (c *heldConn) Close() error {
	defer c.use()
	return c.Conn.Close()
}

func (c *heldConn) use() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.idle {
		c.idle = false
		close(c.used)
		c.used = make(chan struct{})
	}
}

// rest says that the connection is idle from here on.
func (c *heldConn) rest() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.idle = true
}

// heldConnOf is the heldConn of a connection that a transport got.
func heldConnOf(info httptrace.GotConnInfo) *heldConn {
	c := info.Conn
	if t, ok := c.(*tls.Conn); ok {
		c = t.NetConn()
	}
	held, _ := c.(*heldConn)
	return held
}
