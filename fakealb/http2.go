package fakealb

import (
	"crypto/tls"
	"io"
	"log"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/net/http2"

	"github.com/proxychaos/proxychaos/fakealb/cloud"
	"github.com/proxychaos/proxychaos/fakealb/read"
	"github.com/proxychaos/proxychaos/fakealb/record"
)

// What an ALB announces and allows on an HTTP/2 connection.
const (
	maxStreams       = 128       // at a time (2.1.4 D)
	maxHTTP2Requests = 10_000    // on a connection, then GOAWAY (2.1.4 D)
	maxFrame         = 1<<24 - 1 // 2.1.5 O1
	streamWindow     = 65536     // 2.1.5 O1
	// connectionWindow is the window that every connection begins with and the
	// WINDOW_UPDATE that an ALB then sends (2.1.5 O1).
	connectionWindow = 65535 + 8388352
)

// serveHTTP2 speaks HTTP/2 on conn. The library adds settings of its own to an
// ALB's: of the header table, of the largest list of headers, and of priorities.
func (s *Server) serveHTTP2(c *clientConn, conn net.Conn, state *tls.ConnectionState) {
	_ = c.SetReadDeadline(time.Time{})
	idle := s.scaled(c.node.view().lb.idleHTTP2())
	h := &http2Conn{server: s, c: c, tls: state, idle: idle}
	h.touch()
	//nolint:staticcheck // net/http serves listeners, not one connection whose handshake is done
	h2 := &http2.Server{
		MaxConcurrentStreams:         maxStreams,
		MaxReadFrameSize:             maxFrame,
		MaxUploadBufferPerStream:     streamWindow,
		MaxUploadBufferPerConnection: connectionWindow,
		PermitProhibitedCipherSuites: true, // what the policy allows is allowed
		IdleTimeout:                  idle, // PING is no activity for it (2.1.1 D)
	}
	h2.ServeConn(conn, &http2.ServeConnOpts{ //nolint:staticcheck // as above
		// Twice the limit, so that the answer to what is beyond it is ours.
		BaseConfig: &http.Server{MaxHeaderBytes: 2 * read.MaxHead, ErrorLog: log.New(io.Discard, "", 0)}, //nolint:gosec // x/net/http2 reads none; IdleTimeout and stallingBody end what stalls
		Handler:    h,
	})
	how := howFIN
	switch goodbye := h.goodbye.Load(); {
	case goodbye != nil:
		how = *goodbye
	case h.quiet() >= idle:
		how = howIdleTimeout
	}
	c.endedBy(record.ClosedByNode, how)
	if how == howRequestLimit { // that it is one line a connection is a guess (G)
		now := time.Now()
		s.access.write(logEntry{c: c, v: c.node.view(), tls: state, start: now, end: now})
	}
}

// http2Conn is one HTTP/2 connection.
type http2Conn struct {
	server *Server
	c      *clientConn
	tls    *tls.ConnectionState
	idle   time.Duration
	active atomic.Int64 // when a byte of a request or response last passed; Unix time in ns
	// goodbye is why GOAWAY was sent, unless it was for idleness.
	goodbye atomic.Pointer[string]
}

func (h *http2Conn) touch() { h.active.Store(time.Now().UnixNano()) }
func (h *http2Conn) quiet() time.Duration {
	return time.Duration(time.Now().UnixNano() - h.active.Load())
}

// ServeHTTP serves one stream.
func (h *http2Conn) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	h.touch()
	defer h.touch()
	body := &stallingBody{ReadCloser: req.Body, h: h}
	req.Body = body
	x := h.server.begin(h.c, h.c.node.view(), req, h.tls)
	x.ctx, x.head = req.Context(), headBytes(req)
	x.refused = refusalHTTP2(req)
	for name := range req.Header {
		x.names.Note(name)
	}
	switch {
	case h.c.outlived(): // this is the one more request (2.1.2 D)
		h.sayGoodbye(w, howKeepAliveLimit)
	case x.number >= maxHTTP2Requests:
		h.sayGoodbye(w, howRequestLimit)
	}
	r := h.server.respond(x)
	if r.stream == nil && req.ContentLength != 0 {
		x.received += body.drain(w, x.sending, patience(req))
	}
	sent, err := h.write(w, x, &r)
	// What the transport still reads of the body ends with this function.
	got, _ := x.sending.progress()
	x.received += got
	x.end(r, sent, err)
	if r.cut != nil {
		r.cut.end(h.c)
	}
	if err != nil {
		panic(http.ErrAbortHandler) // resets the stream
	}
}

// sayGoodbye lets the library send GOAWAY with the response, and end the connection
// after the streams that are open.
func (h *http2Conn) sayGoodbye(w http.ResponseWriter, how string) {
	h.goodbye.CompareAndSwap(nil, &how)
	w.Header().Set("Connection", "close")
}

// refusalHTTP2 is refusal for HTTP/2, where the library parses requests.
func refusalHTTP2(req *http.Request) int {
	total := int64(len(req.RequestURI))
	for name, values := range req.Header {
		for _, v := range values {
			n := len(name) + len(": ") + len(v) + len("\r\n")
			if n >= read.MaxHeaderLine {
				return http.StatusBadRequest
			}
			total += int64(n)
		}
	}
	switch {
	case req.ContentLength == 0 && strings.Trim(req.Header.Get("Content-Length"), "0") != "":
		return http.StatusBadRequest // a body that is not there (RFC 9113, 8.1.1), or no number
	case len(req.Method)+len(req.RequestURI) >= read.MaxRequestLine:
		return http.StatusRequestURITooLong
	case total > read.MaxHead:
		return http.StatusBadRequest
	case req.Method == http.MethodTrace:
		return http.StatusMethodNotAllowed
	case read.ForwardedFor(req) > read.MaxForwardedFor:
		return read.StatusTooManyForwarded
	}
	return 0
}

// stallingBody ends the connection when the client owes more of a body and nothing
// has passed either way for the idle timeout.
type stallingBody struct {
	io.ReadCloser
	h *http2Conn

	mu    sync.Mutex
	timer *time.Timer // of the read under way
	ended bool        // by its end or an error
}

// Read reads from the client.
func (b *stallingBody) Read(p []byte) (int, error) {
	b.mu.Lock()
	b.timer = time.AfterFunc(b.h.idle, b.stalled)
	b.mu.Unlock()
	n, err := b.ReadCloser.Read(p)
	b.mu.Lock()
	b.timer.Stop()
	b.ended = b.ended || err != nil
	b.mu.Unlock()
	b.h.touch()
	return n, err
}

// patience is how long the rest of a request's body is waited for when the answer is
// known. A stream, whose length nobody knows, may itself be waiting for the answer.
func patience(req *http.Request) time.Duration {
	if req.ContentLength < 0 {
		return drainIdle
	}
	return drainMax
}

// drain reads what is left of the body, for within at most.
// An answer before the end of its request is followed by a reset of the stream,
// which some clients take for a failure.
func (b *stallingBody) drain(w http.ResponseWriter, sending *sentBody, within time.Duration) int64 {
	if sending != nil {
		select {
		case <-sending.done:
		default:
			return 0 // the transport reads on
		}
	}
	b.mu.Lock()
	ended := b.ended
	b.mu.Unlock()
	if ended {
		return 0
	}
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(within))
	n, _ := io.Copy(io.Discard, b)
	return n
}

func (b *stallingBody) stalled() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if left := b.h.idle - b.h.quiet(); left > 0 {
		b.timer.Reset(left)
		return
	}
	b.h.c.endedBy(record.ClosedByNode, howIdleTimeout)
	_ = b.h.c.Close()
}

// write sends what of the response is to be sent.
func (h *http2Conn) write(w http.ResponseWriter, x *exchange, r *response) (int64, error) {
	if r.status == cloud.StatusClientGone {
		return 0, errClientGone
	}
	if r.cut != nil {
		r.buffer()
		if !r.cut.midBody {
			return 0, errCut
		}
	}
	header := w.Header()
	for _, f := range append(r.lead, r.trail...) {
		header.Add(f.name, f.value)
	}
	header["Content-Type"] = nil // net/http guesses none
	if r.contentType != "" {
		header.Set("Content-Type", r.contentType)
	}
	if r.date != "" {
		header.Set("Date", r.date)
	}
	if n := r.bodyLength(); n >= 0 && (r.hasBody(x.req.Method) || x.req.Method == http.MethodHead) {
		header.Set("Content-Length", strconv.FormatInt(n, 10))
	}
	x.sentHead = fieldBytes(header)
	w.WriteHeader(r.status)
	flush := func() error {
		h.touch()
		return http.NewResponseController(w).Flush()
	}
	switch {
	case r.stream != nil:
		defer r.stream.Close()
	case r.cut != nil:
		_, _ = w.Write(r.cut.part(nil, r.body)) //nolint:gosec // a load balancer passes bodies on as they are
		_ = flush()
		return 0, errCut
	}
	if !r.hasBody(x.req.Method) {
		return 0, nil
	}
	if r.stream == nil {
		n, err := w.Write(r.body) //nolint:gosec // a load balancer passes bodies on as they are
		return int64(n), err
	}
	if r.length < 0 {
		if err := flush(); err != nil { // the client of a stream may wait for the head
			return 0, err
		}
	}
	n, err := copyFlushing(w, r.stream, flush)
	if r.trailer != nil {
		for name, values := range r.trailer() {
			header[http.TrailerPrefix+name] = values
		}
	}
	return n, err
}
