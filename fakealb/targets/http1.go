package targets

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"math"
	"net"
	"net/http"
	"net/http/httptrace"
	"sync"
	"sync/atomic"
	"time"
)

// http1 speaks HTTP/1.1 to one target. It writes and reads where it is called,
// without the two goroutines that net/http has for each connection: waking them
// takes longer than the rest of what a load balancer adds. It never sends a
// request twice.
type http1 struct {
	// dial returns a connection, with TLS if the target wants it.
	dial func(context.Context) (net.Conn, error)
	idle time.Duration // scaled: how long the target may be silent
	kept time.Duration // scaled: how long a connection may lie idle
	hold *atomic.Bool  // see HoldFINs

	mu     sync.Mutex
	free   []*targetConn // idle since ever later times
	sweep  *time.Timer   // nil while none is idle
	closed bool          // connections are no longer kept
}

// maxFree bounds the idle connections to a target.
const maxFree = 1024

// targetConn is a connection to a target.
type targetConn struct {
	net.Conn
	in     *bufio.Reader
	out    *bufio.Writer
	left   int // what may still be read of a response's head
	idleAt time.Time
}

// errHeadTooLong is the end of a response whose head is beyond the limit.
var errHeadTooLong = errors.New("the head of the response has more than 32 KiB")

// Read reads from the target, in a response's head no more than its limit.
func (c *targetConn) Read(b []byte) (int, error) {
	if c.left <= 0 {
		return 0, errHeadTooLong
	}
	if len(b) > c.left {
		b = b[:c.left]
	}
	n, err := c.Conn.Read(b)
	c.left -= n
	return n, err
}

// RoundTrip implements http.RoundTripper, with the hooks of httptrace that Pool
// uses.
func (h *http1) RoundTrip(req *http.Request) (*http.Response, error) {
	ctx := req.Context()
	c, idle, err := h.get(ctx)
	if err != nil {
		if req.Body != nil {
			_ = req.Body.Close()
		}
		return nil, err
	}
	if trace := httptrace.ContextClientTrace(ctx); trace != nil && trace.GotConn != nil {
		trace.GotConn(httptrace.GotConnInfo{Conn: c.Conn, Reused: idle > 0, WasIdle: idle > 0, IdleTime: idle})
	}
	unwatch := context.AfterFunc(ctx, func() { _ = c.Close() })
	x := &exchange{http1: h, c: c, ctx: ctx, unwatch: unwatch, written: make(chan error, 1), last: req.Close}
	if req.Body == nil || req.Body == http.NoBody {
		x.written <- x.write(req)
	} else {
		go func() { x.written <- x.write(req) }() // the target may answer before it has the whole body
	}
	resp, err := x.read(req)
	if err != nil {
		x.end(false)
		if cause := context.Cause(ctx); cause != nil {
			err = cause
		}
		return nil, err
	}
	return resp, nil
}

// exchange is one request on a connection.
type exchange struct {
	*http1
	c       *targetConn
	ctx     context.Context
	unwatch func() bool
	written chan error // what became of the request, when it was written
	last    bool       // the connection ends after it
	once    sync.Once

	mu       sync.Mutex
	answered bool // the head of the response was read
}

// write sends the request. The wait for the answer begins with its end.
func (x *exchange) write(req *http.Request) error {
	err := req.Write(x.c.out)
	if err == nil {
		err = x.c.out.Flush()
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if !x.answered {
		_ = x.c.SetReadDeadline(time.Now().Add(x.idle))
	}
	return err
}

// maxInformational bounds the responses 1XX before the response.
const maxInformational = 5

// read reads the head of the response.
func (x *exchange) read(req *http.Request) (*http.Response, error) {
	for range maxInformational {
		x.c.left = maxResponseHeader
		resp, err := http.ReadResponse(x.c.in, req) //nolint:bodyclose // the caller closes it
		if err != nil {
			return nil, err
		}
		x.c.left = math.MaxInt
		switch {
		case resp.StatusCode == http.StatusSwitchingProtocols:
			x.unwatch()
			x.awaitsNothing()
			resp.Body = &switched{x.c}
			return resp, nil
		case resp.StatusCode < http.StatusOK:
			continue
		}
		x.awaitsNothing()
		x.last = x.last || resp.Close
		if resp.Body == http.NoBody {
			x.end(true)
		} else {
			resp.Body = &keptBody{ReadCloser: resp.Body, x: x}
		}
		return resp, nil
	}
	return nil, errors.New("the target sends nothing but responses 1XX")
}

// awaitsNothing ends the time for the head; patientBody looks after the body.
func (x *exchange) awaitsNothing() {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.answered = true
	_ = x.c.SetReadDeadline(time.Time{})
}

// writeWait is how long the target may take to accept the rest of a request after
// its response, until the connection is given up.
const writeWait = 50 * time.Millisecond

// end gives the connection back, or closes it.
func (x *exchange) end(whole bool) {
	x.once.Do(func() {
		if !x.unwatch() || !whole || x.last || x.c.in.Buffered() > 0 {
			_ = x.c.Close()
			return
		}
		select {
		case err := <-x.written:
			x.settle(err)
			return
		default:
		}
		_ = x.c.SetWriteDeadline(time.Now().Add(writeWait))
		go func() {
			err := <-x.written
			_ = x.c.SetWriteDeadline(time.Time{})
			x.settle(err)
		}()
	})
}

// settle keeps the connection if the request was written to its end.
func (x *exchange) settle(err error) {
	if err != nil {
		_ = x.c.Close()
		return
	}
	x.put(x.c)
}

// keptBody is the body of a response. Its end gives the connection back.
type keptBody struct {
	io.ReadCloser
	x *exchange
}

func (b *keptBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err != nil {
		if cause := context.Cause(b.x.ctx); cause != nil && !errors.Is(err, io.EOF) {
			err = cause
		}
		b.x.end(errors.Is(err, io.EOF))
	}
	return n, err
}

// Close closes the connection if the body was not read to its end.
func (b *keptBody) Close() error {
	b.x.end(false)
	return nil
}

// switched is the target's side of another protocol.
type switched struct{ *targetConn }

func (s *switched) Read(b []byte) (int, error) { return s.in.Read(b) }

// get returns an idle connection that the target has not ended, and how long it was
// idle, or a new one. While FINs are held it does not look.
func (h *http1) get(ctx context.Context) (*targetConn, time.Duration, error) {
	for {
		c := h.pop()
		if c == nil {
			break
		}
		if h.hold.Load() || !ended(c.Conn) {
			return c, max(time.Since(c.idleAt), 1), nil
		}
		_ = c.Close()
	}
	raw, err := h.dial(ctx)
	if err != nil {
		return nil, 0, err
	}
	c := &targetConn{Conn: raw, out: bufio.NewWriter(raw)}
	c.in = bufio.NewReader(c)
	return c, 0, nil
}

func (h *http1) pop() *targetConn {
	h.mu.Lock()
	defer h.mu.Unlock()
	n := len(h.free)
	if n == 0 {
		return nil
	}
	c := h.free[n-1]
	h.free = h.free[:n-1]
	return c
}

// put keeps an idle connection.
func (h *http1) put(c *targetConn) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed || len(h.free) >= maxFree {
		_ = c.Close()
		return
	}
	c.idleAt = time.Now()
	h.free = append(h.free, c)
	if h.sweep == nil {
		h.sweep = time.AfterFunc(h.sweepPause(), h.clean)
	}
}

// sweepPause is how often the idle connections are looked through.
func (h *http1) sweepPause() time.Duration { return min(h.kept/4, time.Second) }

// clean closes the connections that were idle too long, or that the target ended.
func (h *http1) clean() {
	h.mu.Lock()
	defer h.mu.Unlock()
	kept := h.free[:0]
	held := h.hold.Load()
	for _, c := range h.free {
		if time.Since(c.idleAt) >= h.kept || !held && ended(c.Conn) {
			_ = c.Close()
		} else {
			kept = append(kept, c)
		}
	}
	clear(h.free[len(kept):])
	h.free, h.sweep = kept, nil
	if len(kept) > 0 {
		h.sweep = time.AfterFunc(h.sweepPause(), h.clean)
	}
}

// CloseIdleConnections closes the idle connections, and the others when they
// become idle.
func (h *http1) CloseIdleConnections() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.closed = true
	for _, c := range h.free {
		_ = c.Close()
	}
	h.free = nil
	if h.sweep != nil {
		h.sweep.Stop()
		h.sweep = nil
	}
}

// handshake puts TLS over a connection.
func handshake(ctx context.Context, c net.Conn, config *tls.Config, within time.Duration) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	secure := tls.Client(c, config)
	err := secure.HandshakeContext(ctx)
	if trace := httptrace.ContextClientTrace(ctx); trace != nil && trace.TLSHandshakeDone != nil {
		trace.TLSHandshakeDone(secure.ConnectionState(), err)
	}
	if err != nil {
		_ = c.Close()
		return nil, err
	}
	return secure, nil
}
