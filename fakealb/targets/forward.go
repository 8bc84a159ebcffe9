package targets

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/netip"
	"os"
	"strings"
	"time"
)

// Result is what became of a request.
type Result struct {
	// Status is 0 if the target answered, and else what the load balancer answers
	// in its stead: 502, 503 or 504 (2.4.1 D).
	Status int
	Target netip.AddrPort // none if there is none registered
	SentAt time.Time      // when a connection to it was had; zero if none was
	// FailedOpen says that no target was healthy and this one got it all the same.
	FailedOpen bool
	Response   *http.Response // nil unless Status is 0; its body must be closed
}

// Forward sends req to one target and returns when the head of its response is
// there. There is no second attempt (3.1.6 O). The request's URL and Host are
// those for the target, except for the scheme and address, which Forward sets.
func (p *Pool) Forward(req *http.Request) (Result, error) {
	addr, protocol, failedOpen, ok := p.pick()
	if !ok {
		return Result{Status: http.StatusServiceUnavailable}, nil
	}
	var sentAt time.Time
	ctx, cancel := context.WithCancelCause(httptrace.WithClientTrace(req.Context(), &httptrace.ClientTrace{
		GotConn: func(httptrace.GotConnInfo) { sentAt = time.Now() },
	}))
	out := req.WithContext(ctx)
	u := *req.URL
	u.Scheme, u.Host = strings.ToLower(protocol), addr.String()
	out.URL = &u
	out.RequestURI = ""
	out.GetBody = nil
	if out.Body == nil || out.Body == http.NoBody {
		// Go's transport would repeat a request without a body on another connection.
		out.Body = io.NopCloser(eof{})
	}
	resp, err := p.transport.RoundTrip(out) //nolint:bodyclose // the caller closes it
	if err != nil {
		cancel(nil)
		return Result{Status: statusOf(err), Target: addr, FailedOpen: failedOpen, SentAt: sentAt}, err
	}
	if both, ok := resp.Body.(io.ReadWriteCloser); ok && resp.StatusCode == http.StatusSwitchingProtocols {
		resp.Body = &upgradedBody{ReadWriteCloser: both, cancel: cancel}
		return Result{Target: addr, FailedOpen: failedOpen, SentAt: sentAt, Response: resp}, nil
	}
	resp.Body = &patientBody{ReadCloser: resp.Body, limit: p.scaled(p.idle), cancel: cancel}
	return Result{Target: addr, FailedOpen: failedOpen, SentAt: sentAt, Response: resp}, nil
}

// statusOf says how an ALB answers for a target that failed: 504 for what took
// too long, 502 for the rest.
func statusOf(err error) int {
	var timeout net.Error
	if errors.Is(err, os.ErrDeadlineExceeded) || errors.As(err, &timeout) && timeout.Timeout() {
		return http.StatusGatewayTimeout
	}
	return http.StatusBadGateway
}

type eof struct{}

func (eof) Read([]byte) (int, error) { return 0, io.EOF }

// errStalled ends a response body that stopped coming.
var errStalled = errors.New("the target sent nothing for the idle timeout")

// patientBody waits for each piece of a body no longer than limit.
type patientBody struct {
	io.ReadCloser
	limit  time.Duration
	cancel context.CancelCauseFunc
}

func (b *patientBody) Read(p []byte) (int, error) {
	t := time.AfterFunc(b.limit, func() { b.cancel(errStalled) })
	defer t.Stop()
	return b.ReadCloser.Read(p)
}

// upgradedBody is the target's side of another protocol.
type upgradedBody struct {
	io.ReadWriteCloser
	cancel context.CancelCauseFunc
}

func (b *upgradedBody) Close() error {
	defer b.cancel(nil)
	return b.ReadWriteCloser.Close()
}

func (b *patientBody) Close() error {
	defer b.cancel(nil)
	return b.ReadCloser.Close()
}
