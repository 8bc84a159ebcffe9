package goproxy

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/proxychaos/proxychaos/goproxy/http1"
)

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
	cancel   context.CancelFunc // ends it
	since    atomic.Int64       // unix ns; the endpoint is waited for since then, 0: a place in its pool is
	sent     atomic.Bool        // a connection was there: bytes may have left
	reused   atomic.Bool        // the connection had carried a request before
	came     atomic.Int64       // unix ns; the last of a body that is read ahead came, 0: none is
	finished bool               // owned by exchange.run
	accuses  bool               // likewise: it counted as evidence against its endpoint
	// unanswered says, likewise, how a fresh connection ended without a response; "" if
	// none did.
	unanswered string
	failed     string     // likewise: the status of Upstream.FailOnStatus that it brought, "" if none
	resp       response   // what it brought
	h1         h1Response // its reader, from an HTTP/1 upstream
}

// response is an upstream's response.
type response struct {
	http1.Response
	// ahead is the whole body where it was read before the response is passed
	// on; nil else.
	ahead *aheadBody
	body  responseBody // never nil
}

// responseBody is the body of a response, and what has to be done when the
// response is over.
type responseBody interface {
	bodyReader
	// Close ends the attempt, whether or not the body was read. It may be
	// called again.
	Close()
}

// transport gets one response for one attempt.
type transport interface {
	// roundTrip waits for the response's head, or for the end of a small
	// response, and leaves it in a.resp. An error leaves nothing behind.
	roundTrip(ctx context.Context, x *exchange, a *attempt) error
	// closeIdle closes idle connections, and others when they become idle.
	closeIdle()
	// wake tells those who wait in the client's goroutine that the endpoint
	// has departed.
	wake()
}

// begin counts an attempt in. Whoever ends it calls endpoint.release.
func (x *exchange) begin(a *attempt, why reason) {
	a.since.Store(a.start.UnixNano())
	x.attempts = append(x.attempts, a)
	x.req.tried(a.endpoint.addr)
	x.up.attempts[why].Add(1)
	a.endpoint.acquire()
}

// launch starts an attempt at e in a goroutine of its own and reports whether
// there was one to start.
func (x *exchange) launch(e *endpoint, why reason) bool {
	if e == nil || len(x.attempts) >= maxAttempts {
		return false
	}
	ctx, cancel := context.WithCancel(x.ctx)
	a := &attempt{endpoint: e, start: time.Now(), cancel: cancel}
	x.begin(a, why)
	go x.finish(a, func() error { return e.transport.roundTrip(ctx, x, a) })
	return true
}

// finish delivers what a piece of an attempt's work brings.
func (x *exchange) finish(a *attempt, work func() error) {
	err := x.try(work)
	if err != nil {
		a.endpoint.release()
		a.cancel()
	}
	x.deliver(result{a, err})
}

// try makes a panic the failure of the attempt.
func (x *exchange) try(work func() error) (err error) {
	defer caught(x.up.log, func() { err = errPanicked })
	return work()
}
