package goproxy

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/net/http2"

	"github.com/proxychaos/proxychaos/goproxy/http1"
)

// h2Transport speaks HTTP/2 to one endpoint, on one connection, or a few, that all
// requests share.
type h2Transport struct {
	endpoint *endpoint
	conns    *h2Conns
}

func newH2Transport(e *endpoint, tlsConfig *tls.Config) *h2Transport {
	cfg := e.member.up.cfg
	dialer := &net.Dialer{Timeout: time.Duration(cfg.Timeouts.Connect), KeepAlive: 15 * time.Second}
	if tlsConfig != nil {
		tlsConfig.NextProtos = []string{"h2"}
	}
	t := newH2ClientTransport(func(ctx context.Context) (net.Conn, error) {
		conn, err := e.dialTCP(ctx, dialer)
		if err != nil || tlsConfig == nil {
			return conn, err
		}
		return h2Handshake(ctx, conn, tlsConfig, time.Duration(cfg.Timeouts.TLS))
	})
	t.IdleConnTimeout = time.Duration(cfg.Pool.IdleTimeout)
	return &h2Transport{e, &h2Conns{gone: e.gone, connect: func(ctx context.Context) (*http.ClientConn, error) {
		return t.NewClientConn(ctx, "http", e.member.url.Host)
	}}}
}

// newH2ClientTransport speaks HTTP/2 on connections that dial makes. To it all are without
// TLS.
func newH2ClientTransport(dial func(ctx context.Context) (net.Conn, error)) *http.Transport {
	protocols := &http.Protocols{}
	protocols.SetUnencryptedHTTP2(true)
	return &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			conn, err := dial(ctx)
			if err != nil {
				return nil, err
			}
			return newH2WindowConn(conn), nil
		},
		DisableCompression: true,
		Protocols:          protocols,

		MaxResponseHeaderBytes: maxResponseHead,
		// A connection that went silent is found by a ping.
		HTTP2: &http.HTTP2Config{SendPingTimeout: 15 * time.Second, PingTimeout: 5 * time.Second, MaxReceiveBufferPerStream: h2MostAhead},
	}
}

// h2Handshake makes TLS of a connection, for HTTP/2.
func h2Handshake(ctx context.Context, conn net.Conn, cfg *tls.Config, limit time.Duration) (net.Conn, error) {
	secure := tls.Client(conn, cfg)
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	err := secure.HandshakeContext(ctx)
	if err == nil && secure.ConnectionState().NegotiatedProtocol != "h2" {
		err = errors.New("the upstream does not speak HTTP/2")
	}
	if err != nil {
		_ = conn.Close() // the handshake's error says more
		return nil, err
	}
	return secure, nil
}

// closeIdle implements transport.
func (h *h2Transport) closeIdle() { h.conns.close() }

// wake implements transport. Nobody waits in the client's goroutine.
func (h *h2Transport) wake() {}

// roundTrip implements transport. An upstream ends a connection now and then, after so
// many requests or to be updated, and says which it has not processed: those go on
// another connection.
func (h *h2Transport) roundTrip(ctx context.Context, x *exchange, a *attempt) error {
	err := h.try(ctx, x, a)
	if err != nil && isGoingAway(err) && x.req.body.whole() {
		a.sent.Store(false) // in effect
		err = h.try(ctx, x, a)
	}
	return err
}

// try sends the request on one connection.
func (h *h2Transport) try(ctx context.Context, x *exchange, a *attempt) error {
	informed := 0 // 1xx responses
	req := h.request(x.req)
	conn, reused, err := h.conns.get(ctx, headerSize(req) > largeHeader)
	if err != nil {
		return err
	}
	a.reused.Store(reused)
	a.sent.Store(true)
	req = req.WithContext(httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		Got1xxResponse: func(code int, header textproto.MIMEHeader) error {
			if informed++; informed > maxInformed {
				return fmt.Errorf("the upstream sent %d responses before the response", informed)
			}
			resp := &http1.Response{Status: code, Header: fromHTTP(http.Header(header)), Declared: -1}
			if err := resp.Validate(x.req.Method); err != nil {
				return fmt.Errorf("the upstream's response is malformed: %w", err)
			}
			return x.inform(resp)
		},
	}))
	resp, err := conn.RoundTrip(req) //nolint:bodyclose // the response's reader closes it
	switch {
	case err == nil:
	case strings.Contains(err.Error(), headerTooLarge):
		return &clientError{"send the request", &http1.Error{Status: http.StatusRequestHeaderFieldsTooLarge, Reason: "the header is larger than the upstream takes"}}
	case isUnprocessed(err):
		return fmt.Errorf("%w: %w", errUnprocessed, err)
	default:
		return err
	}
	h.conns.answer(conn)
	h.endpoint.heard()
	if !x.up.fail[resp.StatusCode] {
		h.endpoint.alive()
	}
	body := &h2ResponseBody{from: resp, attempt: a, silence: time.Duration(x.up.cfg.Timeouts.Body)}
	a.resp = response{body: body}
	if err := takeOver(resp, x.req.Method, &a.resp.Response); err != nil {
		_ = resp.Body.Close() // nobody reads it
		return fmt.Errorf("the upstream's response is malformed: %w", err)
	}
	if x.repeatable && a.resp.Length > 0 && a.resp.Length <= aheadSize {
		return body.readAhead()
	}
	return nil
}

// isGoingAway reports whether a request was not processed because its connection ends,
// and not because the upstream refuses it.
func isGoingAway(err error) bool {
	_, refused := errors.AsType[http2.StreamError](err)
	return errors.Is(err, errUnprocessed) && !refused
}

// headerSize is the size of a request's header as HTTP/2 counts it (RFC 9113, 6.5.2).
func headerSize(req *http.Request) int {
	const each = 32
	size := len(req.Method) + len(req.Host) + len(req.URL.Opaque) + 4*each
	for name, values := range req.Header {
		for _, value := range values {
			size += len(name) + len(value) + each
		}
	}
	return size
}

// headerTooLarge is in net/http's error for a request with a larger header than the
// upstream's settings allow, which is not sent. The error itself is not exported.
const headerTooLarge = "request header list larger than peer's advertised limit"

// takeOver makes the head of a response to a request with that method of what
// net/http has read.
func takeOver(resp *http.Response, method string, out *http1.Response) error {
	*out = http1.Response{Status: resp.StatusCode, Minor: 1, Header: fromHTTP(resp.Header), Declared: resp.ContentLength}
	ended := resp.ContentLength == 0 && !out.Header.Has("Content-Length") // the head was all
	if ended {
		out.Declared = -1
	}
	if err := out.Validate(method); err != nil {
		return err
	}
	if ended {
		out.Length = 0
	}
	for name := range resp.Trailer {
		if !http1.MayTrail(name) {
			continue
		}
		out.Header.Add("Trailer", name)
		if out.Length > 0 {
			out.Length, out.Declared = http1.Chunked, -1 // only then has HTTP/1 a place for it
		}
	}
	return nil
}

// request writes the upstream's request for net/http.
func (h *h2Transport) request(r *request) *http.Request {
	host := h.endpoint.member.hostFor(r)
	out := &http.Request{
		Method: r.Method, Host: host, Header: http.Header{}, ContentLength: r.Length,
		Proto: "HTTP/2.0", ProtoMajor: 2,
		// The opaque form leaves the path as it is. Host is there because net/http wants
		// one; the request has its own.
		URL: &url.URL{Scheme: h.endpoint.member.url.Scheme, Host: h.endpoint.member.host, Opaque: "//" + host + r.target},
	}
	for _, f := range r.header {
		name := strings.ToLower(f.Name)
		out.Header[name] = append(out.Header[name], f.Value)
	}
	delete(out.Header, "trailer")
	if !r.header.Has("User-Agent") {
		out.Header["User-Agent"] = nil // else net/http adds its own
	}
	if r.Trailers {
		out.Header["Te"] = []string{"trailers"}
	}
	if r.Continue {
		out.Header["Expect"] = []string{"100-continue"} // the client waits for the answer
	}
	switch {
	case r.body.stream != nil:
		out.Body = &h2RequestBody{r: r, out: out}
		out.Trailer = http.Header{}
		for value := range r.header.Values("Trailer") {
			for name := range http1.Tokens(value) {
				if len(out.Trailer) == mostTrailers {
					break
				}
				// net/http refuses a request that announces what cannot come.
				if http1.ValidField(name, "") && http1.MayTrail(name) {
					out.Trailer[http.CanonicalHeaderKey(name)] = nil
				}
			}
		}
	case len(r.body.data) > 0:
		out.Body = io.NopCloser(strings.NewReader(string(r.body.data)))
	}
	return out
}

// mostTrailers is how many fields a trailer has at most. A client can announce 30,000.
const mostTrailers = 256

// h2RequestBody is a streamed request body. The transport does not read it
// before it has a connection, so attempts that never got one leave it whole.
type h2RequestBody struct {
	r   *request
	out *http.Request
}

// Read implements io.Reader.
func (b *h2RequestBody) Read(p []byte) (int, error) {
	n, err := b.r.body.stream.Read(p)
	b.r.body.stream.passed.Add(int64(n))
	if errors.Is(err, io.EOF) {
		for _, f := range b.r.body.stream.Trailer() {
			b.out.Trailer.Add(f.Name, f.Value)
		}
	}
	return n, err
}

// Close implements io.Closer. The body is the client's.
func (b *h2RequestBody) Close() error { return nil }

// h2ResponseBody is the body of an HTTP/2 response. It ends the attempt when
// it is silent for too long.
type h2ResponseBody struct {
	from    *http.Response
	attempt *attempt
	ahead   aheadBody
	silence time.Duration // 0 or less for no limit
	timer   *time.Timer
	silent  atomic.Bool
	closed  bool
}

// Read implements io.Reader for one goroutine.
func (b *h2ResponseBody) Read(p []byte) (int, error) {
	if b.silence > 0 {
		if b.timer == nil {
			b.timer = time.AfterFunc(b.silence, func() {
				b.silent.Store(true)
				b.attempt.cancel()
			})
		} else {
			b.timer.Reset(b.silence)
		}
	}
	n, err := b.from.Body.Read(p)
	if b.timer != nil {
		b.timer.Stop()
	}
	if n > 0 {
		b.attempt.came.Store(time.Now().UnixNano())
	}
	if err != nil && !errors.Is(err, io.EOF) && b.silent.Load() {
		err = fmt.Errorf("the response body was silent for %v", b.silence)
	}
	return n, err
}

// readAhead reads a small body whole. An error leaves nothing behind.
func (b *h2ResponseBody) readAhead() error {
	b.ahead.buf = getCopyBuffer()
	b.attempt.came.Store(time.Now().UnixNano())
	n, err := io.ReadFull(b, b.ahead.buf[headRoom:headRoom+int(b.attempt.resp.Length)])
	b.ahead.n = n
	if err != nil {
		_ = b.from.Body.Close() // it broke off
		return err
	}
	b.attempt.resp.ahead = &b.ahead
	return nil
}

// Trailer implements responseBody.
func (b *h2ResponseBody) Trailer() http1.Header { return fromHTTP(b.from.Trailer) }

// Ready implements responseBody.
func (b *h2ResponseBody) Ready() bool { return false }

// Close implements responseBody.
func (b *h2ResponseBody) Close() {
	if b.closed {
		return
	}
	b.closed = true
	_ = b.from.Body.Close() // read to its end, or not wanted
	b.attempt.cancel()
	b.attempt.endpoint.release()
	if b.ahead.buf != nil {
		putCopyBuffer(b.ahead.buf)
		b.ahead.buf = nil
	}
}
