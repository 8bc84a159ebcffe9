package goproxy

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"sync"
	"sync/atomic"
	"time"
)

// bufferedResponse is the largest response that is read whole before it is
// passed on, where the request can be repeated: a connection that breaks in
// the middle of it then costs a retry and not a failed request.
const bufferedResponse = 32 << 10

// reason is why an attempt was made.
type reason int

const (
	firstTry reason = iota
	retry           // the attempt before failed
	hedge           // the attempts so far are silent
	rescue          // the attempts so far wait on addresses that have left
	reasons         // how many there are
)

// String is the label in metrics.
func (r reason) String() string {
	return [reasons]string{"first", "retry", "hedge", "rescue"}[r]
}

// attempt is one try of a request at one endpoint.
type attempt struct {
	endpoint *endpoint
	start    time.Time
	cancel   context.CancelFunc
	sent     atomic.Bool // a connection was there: bytes may have left
	reused   atomic.Bool // the connection had carried a request before
	finished bool        // owned by exchange.run
}

// launch starts an attempt at e and reports whether there was one to start.
func (x *exchange) launch(e *endpoint, why reason) bool {
	if e == nil || len(x.attempts) >= maxAttempts {
		return false
	}
	ctx, cancel := context.WithCancel(x.req.Context())
	a := &attempt{endpoint: e, start: time.Now(), cancel: cancel}
	x.attempts = append(x.attempts, a)
	x.record.tried(e.addr)
	x.up.attempts[why].Add(1)
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GotConn: func(info httptrace.GotConnInfo) {
			a.reused.Store(info.Reused)
			a.sent.Store(true)
		},
	})
	req := x.req.WithContext(ctx)
	e.member.address(req, x.preserveHost)
	x.body.attach(req)
	e.acquire()
	go func() {
		resp, err := x.roundTrip(a, req) //nolint:bodyclose // run returns it, or discards it
		if err != nil {
			e.release()
			cancel()
		}
		x.deliver(result{a, resp, err})
	}()
	return true
}

// roundTrip is one attempt up to its response header, or up to the end of a
// small response.
func (x *exchange) roundTrip(a *attempt, req *http.Request) (*http.Response, error) {
	resp, err := a.endpoint.transport.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	a.endpoint.heard()
	if !x.up.fail[resp.StatusCode] {
		a.endpoint.alive()
	}
	if x.repeatable && resp.Body != http.NoBody && resp.ContentLength > 0 && resp.ContentLength <= bufferedResponse {
		data := make([]byte, resp.ContentLength)
		_, err := io.ReadFull(resp.Body, data)
		if err == nil {
			// The transport frees the connection when it sees the end.
			_, err = resp.Body.Read(make([]byte, 1))
			if errors.Is(err, io.EOF) {
				err = nil
			}
		}
		_ = resp.Body.Close() // read whole, or broken
		if err != nil {
			return nil, err
		}
		resp.Body = io.NopCloser(bytes.NewReader(data))
	}
	resp.Body = a.watch(resp.Body, x.record, time.Duration(x.up.cfg.Timeouts.Body))
	return resp, nil
}

// watch wraps a response body so that the attempt is counted out when it is
// closed, and ended when the body is silent for too long. The body of an
// upgraded connection can also be written, and be silent.
func (a *attempt) watch(body io.ReadCloser, rec *record, silence time.Duration) io.ReadCloser {
	watched := &responseBody{ReadCloser: body, attempt: a}
	if w, ok := body.(io.Writer); ok {
		return struct {
			*responseBody
			io.Writer
		}{watched, w}
	}
	// The record of an upgraded connection may be written down before the
	// goroutines that copy it end; here the handler itself reads.
	watched.record = rec
	watched.silence = silence
	return watched
}

type responseBody struct {
	io.ReadCloser
	attempt *attempt
	record  *record       // nil for an upgraded connection
	silence time.Duration // 0 or less for no limit
	timer   *time.Timer
	silent  atomic.Bool
	once    sync.Once
}

// Read implements io.Reader for one goroutine.
func (b *responseBody) Read(p []byte) (int, error) {
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
	n, err := b.ReadCloser.Read(p)
	if b.timer != nil {
		b.timer.Stop()
	}
	if err != nil && !errors.Is(err, io.EOF) {
		if b.silent.Load() {
			err = fmt.Errorf("the response body was silent for %v", b.silence)
		}
		if b.record != nil {
			b.record.err = err
		}
	}
	return n, err
}

// Close implements io.Closer.
func (b *responseBody) Close() error {
	err := b.ReadCloser.Close()
	b.once.Do(func() {
		b.attempt.cancel()
		b.attempt.endpoint.release()
	})
	return err
}
