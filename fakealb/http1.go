package fakealb

import (
	"bufio"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/proxychaos/proxychaos/fakealb/cloud"
	"github.com/proxychaos/proxychaos/fakealb/desync"
	"github.com/proxychaos/proxychaos/fakealb/read"
	"github.com/proxychaos/proxychaos/fakealb/record"
)

// http1 is one HTTP/1 connection. It is our own loop and parser, not net/http's
// server, because that one writes header fields in an order of its own and answers
// malformed requests itself.
type http1 struct {
	server *Server
	c      *clientConn
	conn   net.Conn // c, or TLS over it
	tls    *tls.ConnectionState
	in     *read.Reader
	away   *departure // for the next request
	out    []byte     // the last response's bytes, room for the next
	// buffered is for responses that come in pieces; nil until there is one.
	buffered *bufio.Writer
}

func (s *Server) serveHTTP1(c *clientConn, conn net.Conn, state *tls.ConnectionState) {
	h := &http1{server: s, c: c, conn: conn, tls: state, in: read.NewReader(conn), away: &departure{conn: c, on: conn}}
	for h.exchange() {
	}
}

// exchange serves one request and reports whether the connection goes on.
func (h *http1) exchange() bool {
	v := h.c.node.view()
	_ = h.conn.SetReadDeadline(time.Now().Add(h.server.scaled(v.lb.Attributes.idleTimeout())))
	req, status, err := h.in.Next()
	if err != nil {
		return false
	}
	v = h.c.node.view() // a request is answered from the state in which it came
	mitigation := h.judge(v)
	if mitigation == blocked && status != http.StatusHTTPVersionNotSupported {
		status = http.StatusBadRequest
	}
	if req == nil {
		h.refuse(v, v.lb.refused(status))
		return false
	}
	if status == 0 && strings.EqualFold(req.Header.Get("Expect"), "100-continue") {
		// An ALB answers this itself, at once (2.1.8 D).
		if _, err := io.WriteString(h.conn, "HTTP/1.1 100 Continue\r\n\r\n"); err != nil {
			return false
		}
	}
	if mitigation == blocked {
		req.Body = http.NoBody // where it ends depends on who reads it
	}
	x := h.server.begin(h.c, v, req, h.tls)
	x.away = h.away
	x.away.begin(h.in.Buffered())
	x.body = activeBody{ReadCloser: req.Body, conn: h.conn, idle: h.server.scaled(v.lb.Attributes.idleTimeout())}
	if req.Body != http.NoBody {
		req.Body = &x.body
	}
	x.refused, x.head = status, int64(h.in.Length)
	x.verdict, x.once = h.in.Verdict, mitigation != allowed
	x.names, x.hosts = h.in.Names, h.in.Hosts
	r := h.server.respond(x)
	h.away = x.away.stop()
	goesOn := h.finish(x, r)
	if x.cancel != nil {
		x.cancel()
	}
	return goesOn
}

// judge says what becomes of the head that was read, and counts it.
func (h *http1) judge(v view) mitigation {
	if h.in.Verdict.Class != desync.Compliant {
		h.server.metrics.count("DesyncMitigationMode_NonCompliant_Request_Count", v, 1)
	}
	return mitigate(v.lb.Attributes.DesyncMode, h.in.Verdict.Class)
}

// finish sends a response, completes the exchange's row, and reports whether the
// connection goes on.
func (h *http1) finish(x *exchange, r response) bool {
	how := howResponse
	if h.c.outlived() {
		r.close, how = true, howKeepAliveLimit
	}
	r.close = r.close || x.req.Close || x.once
	sent, err := h.write(x, &r)
	got, whole := x.sending.settle(func() {
		h.c.readingAhead.Store(true)
		x.body.interrupt()
	})
	x.received += got
	x.end(r, sent, err)
	switch {
	case r.cut != nil:
		r.cut.end(h.c)
	case r.close || !whole:
		h.c.endedBy(record.ClosedByNode, how)
		if !whole || r.status == http.StatusBadRequest || x.once {
			h.drain()
		}
	}
	return err == nil && !r.close && whole
}

// write sends what of the response is to be sent.
func (h *http1) write(x *exchange, r *response) (int64, error) {
	switch {
	case r.status == cloud.StatusClientGone:
		return 0, errClientGone
	case r.cut != nil:
		if r.upgrade != nil {
			r.discard()
		}
		r.buffer()
		if b := r.cut.part(r.head(nil, x.req.Method, false), r.body); len(b) > 0 {
			_, _ = h.conn.Write(b)
		}
		return 0, errCut
	}
	if r.upgrade != nil {
		return h.tunnel(x, r)
	}
	return h.send(x, r)
}

// refuse answers what could not be read as a request.
func (h *http1) refuse(v view, r response) {
	r.close = true
	v.lb.Attributes.modify(&r)
	out := append(r.head(nil, http.MethodGet, false), r.body...)
	_, _ = h.conn.Write(out)
	now := time.Now()
	h.server.metrics.countOwn(v, r.status)
	h.server.access.write(logEntry{
		c: h.c, v: v, tls: h.tls, start: now, end: now, status: r.status, sent: int64(len(out)),
		verdict: h.in.Verdict,
	})
	h.c.endedBy(record.ClosedByNode, howBadRequest)
	h.drain()
}

// How long drain reads: until the client is silent for drainIdle, at most drainMax.
const (
	drainIdle = 200 * time.Millisecond
	drainMax  = 5 * time.Second
)

// drain reads what the client still sends after a response that ends the
// connection: closing with bytes unread would be a reset, which destroys the
// response on its way.
func (h *http1) drain() {
	h.c.readingAhead.Store(true)
	buf := make([]byte, 32<<10)
	for end := time.Now().Add(drainMax); time.Now().Before(end); {
		_ = h.conn.SetReadDeadline(time.Now().Add(drainIdle))
		if _, err := h.in.Buffered().Read(buf); err != nil {
			return
		}
	}
}

// activeBody is a request's body during which the idle timeout begins anew with
// each read: only silence counts.
type activeBody struct {
	io.ReadCloser
	conn net.Conn
	idle time.Duration

	mu          sync.Mutex
	interrupted bool
}

// Read reads from the client.
func (b *activeBody) Read(p []byte) (int, error) {
	b.mu.Lock()
	if !b.interrupted {
		_ = b.conn.SetReadDeadline(time.Now().Add(b.idle))
	}
	b.mu.Unlock()
	return b.ReadCloser.Read(p)
}

// interrupt ends the read under way and all later ones.
func (b *activeBody) interrupt() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.interrupted = true
	_ = b.conn.SetReadDeadline(time.Unix(1, 0))
}

// errClientGone is why nothing was sent: the client had left.
var errClientGone = errors.New("the client left")
