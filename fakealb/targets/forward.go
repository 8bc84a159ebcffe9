package targets

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// grpcType is the beginning of the content type of gRPC.
const grpcType = "application/grpc"

// Result is what became of a request.
type Result struct {
	// Status is 0 if the target answered, and else what the load balancer answers
	// in its stead: 502, 503 or 504 (2.4.1 D).
	Status  int
	Target  string // its ID; empty if there is none that could get it
	BuiltIn bool
	Tried   []string  // the targets that were tried before it
	SentAt  time.Time // when a connection to it was had; zero if none was
	// Idle is how long that connection had lain idle; 0 for a new one.
	Idle time.Duration
	// FailedOpen says that too few targets were healthy, so that this one got it
	// regardless of its health.
	FailedOpen bool
	// TLSFailed says that the TLS handshake with the target failed.
	TLSFailed bool
	Response  *http.Response // nil unless Status is 0; its body must be closed
}

// Forward sends req to one target and returns when the head of its response is
// there. The target is the preferred one, if that is not empty and requests may go
// there. There is no second attempt unless the group has Retries (3.1.6 O). The
// request's URL and Host are those for the target, except for the scheme and
// address, which Forward sets.
func (p *Pool) Forward(req *http.Request, preferred string) (Result, error) {
	var excluded []*target
	var tried []string
	if req.Body != nil {
		body := &retriedBody{ReadCloser: req.Body}
		defer body.release()
		req = req.WithContext(req.Context())
		req.Body = body
	}
	for {
		c, ok := p.pick(preferred, excluded)
		if !ok {
			if req.Body != nil {
				_ = req.Body.Close()
			}
			return Result{Status: http.StatusServiceUnavailable}, nil
		}
		r, err := p.send(c, req)
		r.FailedOpen, r.Tried = c.failedOpen, tried
		late := c.group.norms.RetriesLate && r.Status == http.StatusGatewayTimeout && (req.Body == nil || req.Body == http.NoBody)
		if err == nil || !r.SentAt.IsZero() && !late || req.Context().Err() != nil || len(tried) >= c.group.Retries || c.others == 0 {
			return r, err
		}
		excluded, tried = append(excluded, c.target), append(tried, r.Target)
	}
}

// send sends req to one target.
func (p *Pool) send(c choice, req *http.Request) (Result, error) {
	t := c.target
	r := Result{Target: t.id, BuiltIn: t.builtIn != nil}
	var tlsFailed atomic.Bool // a handshake may go on after its request was given up
	trace := &httptrace.ClientTrace{
		GotConn:          func(info httptrace.GotConnInfo) { r.SentAt, r.Idle = time.Now(), info.IdleTime },
		TLSHandshakeDone: func(_ tls.ConnectionState, err error) { tlsFailed.Store(err != nil) },
	}
	ctx, cancel := context.WithCancelCause(httptrace.WithClientTrace(req.Context(), trace))
	forget := context.AfterFunc(t.gone, func() { cancel(ErrDeregistered) })
	inTime := func() {}
	if c.whole > 0 {
		timer := time.AfterFunc(c.whole, func() { cancel(errStalled) })
		inTime = func() { timer.Stop() }
	}
	done := sync.OnceFunc(func() {
		inTime()
		forget()
		cancel(nil)
		p.mu.Lock()
		t.outstanding--
		p.mu.Unlock()
	})
	var resp *http.Response
	var err error
	if t.builtIn != nil {
		r.SentAt = time.Now()
		resp, err = t.builtIn.respond(req.WithContext(ctx), c.idle) //nolint:bodyclose // likewise
	} else {
		resp, err = c.http.RoundTrip(outgoing(req.WithContext(ctx), t, c.group)) //nolint:bodyclose // the caller closes it
	}
	if err != nil {
		cause := context.Cause(ctx)
		done()
		if req.Context().Err() == nil {
			p.observe(t, true)
		}
		r.Status, r.TLSFailed = statusOf(err, cause), r.SentAt.IsZero() && tlsFailed.Load()
		return r, err
	}
	p.observe(t, resp.StatusCode >= 500)
	if both, ok := resp.Body.(io.ReadWriteCloser); ok && resp.StatusCode == http.StatusSwitchingProtocols {
		inTime()
		resp.Body = &upgradedBody{ReadWriteCloser: both, done: done, ended: context.AfterFunc(t.gone, func() { _ = both.Close() })}
	} else {
		resp.Body = &patientBody{ReadCloser: resp.Body, limit: c.idle, cancel: cancel, done: done}
	}
	r.Response = resp
	return r, nil
}

// outgoing is the request for that target.
func outgoing(out *http.Request, t *target, group Group) *http.Request {
	out = Wire(out, strings.ToLower(group.Protocol), t.id)
	out.GetBody = nil
	if group.overHTTP2() && (out.Body == nil || out.Body == http.NoBody) {
		// Go's transport would repeat a request without a body on another connection.
		out.Body = io.NopCloser(eof{})
	}
	return out
}

// statusOf says how an ALB answers for a target that failed: 504 for what took
// too long, 502 for the rest.
func statusOf(err, cause error) int {
	var timeout net.Error
	switch {
	case errors.Is(cause, ErrDeregistered):
		return http.StatusBadGateway
	case errors.Is(err, errStalled), errors.Is(cause, errStalled), errors.Is(err, os.ErrDeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return http.StatusGatewayTimeout
	}
	return http.StatusBadGateway
}

// retriedBody is a request's body that outlasts connections that were not made:
// the transport closes it with each of them.
type retriedBody struct {
	io.ReadCloser
	mu     sync.Mutex
	closed bool // by the transport
	final  bool // there will be no further attempt
}

// Close is called by the transport.
func (b *retriedBody) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = true
	if b.final {
		return b.ReadCloser.Close()
	}
	return nil
}

// release passes on a close, past or to come.
func (b *retriedBody) release() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.final = true; b.closed {
		_ = b.ReadCloser.Close()
	}
}

type eof struct{}

func (eof) Read([]byte) (int, error) { return 0, io.EOF }

// errStalled ends a response that stopped coming.
var errStalled = errors.New("the target sent nothing for the idle timeout")

// patientBody waits for each piece of a body no longer than limit.
type patientBody struct {
	io.ReadCloser
	limit  time.Duration
	cancel context.CancelCauseFunc
	done   func()
}

func (b *patientBody) Read(p []byte) (int, error) {
	t := time.AfterFunc(b.limit, func() { b.cancel(errStalled) })
	defer t.Stop()
	return b.ReadCloser.Read(p)
}

func (b *patientBody) Close() error {
	defer b.done()
	return b.ReadCloser.Close()
}

// upgradedBody is the target's side of another protocol.
type upgradedBody struct {
	io.ReadWriteCloser
	done  func()
	ended func() bool
}

func (b *upgradedBody) Close() error {
	b.ended()
	defer b.done()
	return b.ReadWriteCloser.Close()
}
