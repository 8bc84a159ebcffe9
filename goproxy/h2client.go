package goproxy

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/net/http2"

	"github.com/proxychaos/proxychaos/goproxy/http1"
)

// HTTP/2 from clients is net/http's: its server gets the connections on which
// ALPN, or the preface of HTTP/2 without TLS, says so, each as an h2Conn. To it
// all are without TLS.

// h2Preface is the part of HTTP/2's preface that looks like a head.
const h2Preface = "PRI * HTTP/2.0\r\n\r\n"

// h2Server serves connections that the proxy has accepted. It is a net.Listener
// to its http.Server.
type h2Server struct {
	proxy  *Proxy
	server *http.Server
	plain  bool // HTTP/2 without TLS is taken
	conns  chan net.Conn
	once   sync.Once
	closed chan struct{}
}

func newH2Server(p *Proxy, plain bool) *h2Server {
	s := &h2Server{proxy: p, plain: plain, conns: make(chan net.Conn), closed: make(chan struct{})}
	protocols := &http.Protocols{}
	protocols.SetUnencryptedHTTP2(true)
	s.server = &http.Server{
		Handler:           s,
		Protocols:         protocols,
		ReadHeaderTimeout: p.limits.header,
		IdleTimeout:       p.limits.idle,
		MaxHeaderBytes:    maxHeaderBytes,
		HTTP2:             &http.HTTP2Config{MaxReadFrameSize: h2MaxFrame, MaxDecoderHeaderTableSize: h2HeaderTable, WriteByteTimeout: p.limits.send},
		BaseContext:       func(net.Listener) context.Context { return p.requests },
		ConnContext: func(ctx context.Context, conn net.Conn) context.Context {
			return context.WithValue(ctx, h2ConnKey{}, conn)
		},
		ConnState: s.over,
		ErrorLog:  log.New(debugWriter{p.log}, "", 0),
		// OPTIONS * has routes as all requests do.
		DisableGeneralOptionsHandler: true,
	}
	return s
}

// Accept implements net.Listener.
func (s *h2Server) Accept() (net.Conn, error) {
	select {
	case c := <-s.conns:
		return c, nil
	case <-s.closed:
		return nil, net.ErrClosed
	}
}

// Close implements net.Listener.
func (s *h2Server) Close() error {
	s.once.Do(func() { close(s.closed) })
	return nil
}

// Addr implements net.Listener.
func (s *h2Server) Addr() net.Addr { return s.proxy.Addr() }

// h2ConnKey is the key of a request's context to its h2Conn.
type h2ConnKey struct{}

// hand gives a connection to the server, of which it reads from. It still counts
// as one of the clients' connections until the server closes it.
func (s *h2Server) hand(c *clientConn, from io.Reader) {
	_ = c.SetDeadline(time.Time{}) // fails on a closed connection, as the server will see
	c.handed = true
	s.proxy.clients.setApart(c)
	conn := newH2Conn(c, from)
	select {
	case s.conns <- conn:
	case <-s.closed:
		s.over(conn, http.StateClosed)
		_ = conn.Close() // the drain was faster
	}
}

// handSecure gives away a connection on which TLS has agreed on HTTP/2. It
// reports whether it did: the cipher may be too weak.
func (s *h2Server) handSecure(c *clientConn, state tls.ConnectionState) bool {
	if strongEnough(state) {
		s.hand(c, c.Conn)
		return true
	}
	s.proxy.log.Debug("http/2", "client", c.remote, "error", "a cipher that HTTP/2 prohibits: "+tls.CipherSuiteName(state.CipherSuite))
	framer := http2.NewFramer(c.Conn, nil)
	_ = c.SetWriteDeadline(time.Now().Add(s.proxy.limits.send)) // fails on a closed connection, as writing does
	_ = framer.WriteSettings()                                  // the connection ends in any case
	_ = framer.WriteGoAway(0, http2.ErrCodeInadequateSecurity, nil)
	return false
}

// handPlain gives away a connection whose preface has been read.
func (s *h2Server) handPlain(c *clientConn, preface string) {
	s.hand(c, io.MultiReader(strings.NewReader(preface), bytes.NewReader(c.r.Detach()), c.Conn))
}

// over is the server's ConnState hook.
func (s *h2Server) over(conn net.Conn, state http.ConnState) {
	if state == http.StateClosed {
		s.proxy.clients.remove(conn.(*h2Conn).client)
	}
}

// ServeHTTP implements http.Handler.
func (s *h2Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if s.serve(w, r) != nil {
		panic(http.ErrAbortHandler) // resets the stream: the response is not whole
	}
}

// serve serves one request, as Proxy.serve does.
func (s *h2Server) serve(w http.ResponseWriter, r *http.Request) (err error) {
	defer caught(s.proxy.log, func() { err = errPanicked })
	req := requests.Get().(*request)
	req.Request = http1.Request{
		Method: r.Method, Target: r.RequestURI, Host: r.Host, Minor: 1, Header: req.Header[:0],
		Length: max(r.ContentLength, http1.Chunked), Trailers: r.Header.Get("Te") != "",
	}
	req.version, req.source, req.size = version2, nil, 0
	conn := r.Context().Value(h2ConnKey{}).(*h2Conn)
	req.remote, req.local, req.secure, req.subject = conn.client.remote, conn.LocalAddr(), conn.client.secure, conn.client.subject
	req.unnamed = conn.client.unnamed()
	for name, values := range r.Header {
		if name == "Te" || name == "Expect" {
			continue
		}
		for _, v := range values {
			req.Header.Add(name, v)
			req.size += len(name) + len(v)
		}
	}
	for name := range r.Trailer {
		req.Header.Add("Trailer", name)
	}
	c := &h2Client{w: w, r: r, control: http.NewResponseController(w)}
	c.taking.after = s.proxy.limits.send
	req.reset(c, time.Now())
	if req.Length != 0 {
		req.source = &h2Body{r: r, silence: deadline{after: s.proxy.limits.body}}
	}
	if err := req.Validate(); err != nil {
		req.err = err
		_ = c.answer(req, http1.StatusOf(err), err.Error()) // a client that is gone needs none
		s.proxy.finish(req)
		return nil
	}
	err = s.proxy.serve(req)
	if !req.exchange.shared {
		requests.Put(req) // nobody else knows it
	}
	// net/http writes what it still has of the response, and its end.
	_ = c.control.SetWriteDeadline(time.Now().Add(s.proxy.limits.send)) // fails where the stream has ended
	return err
}

// h2Body is the body of a request that came by HTTP/2.
type h2Body struct {
	r       *http.Request
	silence deadline
}

// Read implements io.Reader. A client may be silent for limits.body.
func (b *h2Body) Read(p []byte) (int, error) {
	if b.silence.passed {
		return 0, errSlowBody
	}
	b.silence.start(b)
	n, err := b.r.Body.Read(p)
	b.silence.stop()
	if b.silence.passed && n == 0 && !errors.Is(err, io.EOF) {
		err = errSlowBody
	}
	return n, err
}

// late implements lateness.
func (b *h2Body) late() { _ = b.r.Body.Close() } // never fails; it ends the Read

// Ready implements bodyReader. What has come is read at once anyway.
func (b *h2Body) Ready() bool { return false }

// Trailer implements bodyReader.
func (b *h2Body) Trailer() http1.Header { return fromHTTP(b.r.Trailer) }

// fromHTTP takes over fields that net/http has read.
func fromHTTP(h http.Header) http1.Header {
	var out http1.Header
	for name, values := range h {
		for _, v := range values {
			out.Add(name, v)
		}
	}
	return out
}

// h2Client is one request's way back to a client that speaks HTTP/2.
type h2Client struct {
	w       http.ResponseWriter
	r       *http.Request
	control *http.ResponseController
	taking  deadline // of a write: it ends the stream
	wrote   bool
}

// h2WriteBuffer is how much of a response net/http keeps before it sends any.
const h2WriteBuffer = 4 << 10

// write sends bytes. A client that takes none for limits.send is given up.
func (c *h2Client) write(p []byte) error {
	if len(p) < h2WriteBuffer && !c.wrote {
		c.wrote = true
		_, err := c.w.Write(p) // it need not be taken yet
		return err
	}
	c.taking.start(c)
	defer c.taking.stop()
	_, err := c.w.Write(p)
	return err
}

// flush sends what net/http holds back, in the same way.
func (c *h2Client) flush() error {
	c.taking.start(c)
	defer c.taking.stop()
	return c.control.Flush()
}

// late implements lateness.
func (c *h2Client) late() { _ = c.control.SetWriteDeadline(longAgo) } // fails where the stream has ended

// watch implements client.
func (c *h2Client) watch() context.Context { return c.r.Context() }

// inform implements client.
func (c *h2Client) inform(resp *http1.Response) error {
	if resp.Status == http.StatusContinue {
		return nil // reading the body sends it
	}
	h := c.w.Header()
	for _, f := range resp.Header {
		h.Add(f.Name, f.Value)
	}
	c.w.WriteHeader(resp.Status)
	clear(h)
	return nil
}

// respond implements client.
func (c *h2Client) respond(req *request, resp *response) error {
	if resp.Status == http.StatusSwitchingProtocols {
		return errors.New("the upstream switches protocols, which HTTP/2 cannot")
	}
	c.head(resp.Header)
	if resp.Declared >= 0 {
		c.w.Header().Set("Content-Length", strconv.FormatInt(resp.Declared, 10))
	}
	c.w.WriteHeader(resp.Status)
	if ahead := resp.ahead; ahead != nil {
		if err := c.write(ahead.buf[headRoom : headRoom+ahead.n]); err != nil {
			return err
		}
		req.bytes = int64(ahead.n)
		return nil
	}
	if resp.Length == 0 {
		return nil
	}
	return c.copyBody(req, resp)
}

// head sets the header. What is not in it is not to be added by net/http.
func (c *h2Client) head(header http1.Header) {
	h := c.w.Header()
	h["Date"], h["Content-Type"] = nil, nil
	for _, f := range header {
		h.Add(f.Name, f.Value)
	}
}

// copyBody passes a body on as it comes.
func (c *h2Client) copyBody(req *request, resp *response) error {
	buf := getCopyBuffer()
	defer putCopyBuffer(buf)
	for {
		if !resp.body.Ready() {
			if err := c.flush(); err != nil {
				return err
			}
		}
		n, err := readReady(resp.body, buf[:])
		if n > 0 {
			if err := c.write(buf[:n]); err != nil {
				return err
			}
			req.bytes += int64(n)
		}
		if errors.Is(err, io.EOF) {
			for _, f := range req.route.response.trailer(resp.body.Trailer()) {
				c.w.Header().Add(http.TrailerPrefix+f.Name, f.Value)
			}
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// answer implements client.
func (c *h2Client) answer(req *request, status int, text string) error {
	req.status = status
	c.head(localHeader())
	c.w.WriteHeader(status)
	n, err := io.WriteString(c.w, text+"\n")
	req.bytes = int64(n)
	return err
}
