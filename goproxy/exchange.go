package goproxy

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/proxychaos/proxychaos/goproxy/http1"
)

// Errors that end a request, each with the status it gives the client.
var (
	errNoAddress = errors.New("the upstream has no address that is known and enabled") // 503
	errTimeout   = errors.New("no response header in time")                            // 504
)

// exchange gets one response for one request out of an upstream, over as many
// attempts as it takes and the rules allow.
type exchange struct {
	up  *upstream
	req *request

	repeatable bool   // may be sent again after it was sent
	mayCopy    bool   // may be sent again while it is still waited for
	session    string // that the client asks for, "" for none
	route      string // member that holds it, "" for none
	hash       uint64 // of the request's hash key, 0 for none
	start      time.Time
	set        *endpointSet // the one that has been looked at
	attempts   []*attempt
	first      attempt // the direct one
	resent     int     // times it was sent again after a failure
	pauses     int
	lastErr    error

	place    *place          // in the room; nil until it waits
	door     <-chan struct{} // closed when it is let in; nil while it does not wait
	wasLetIn bool

	shared  bool                 // goroutines other than the client's know it
	ctx     context.Context      // ends when the client goes away; nil until shared
	results chan result          // nil until shared
	informs chan *http1.Response // likewise; 1xx responses

	mu     sync.Mutex
	closed bool // nobody reads results any more
}

// result is how an attempt ended.
type result struct {
	attempt *attempt
	err     error
}

// get returns the response for req.
func (u *upstream) get(req *request) (*response, error) {
	if req.source != nil {
		if err := req.body.read(&req.Request, req.source); err != nil {
			return nil, err
		}
	}
	x := &req.exchange
	x.up, x.req, x.start = u, req, time.Now()
	x.attempts, x.resent, x.pauses, x.lastErr = x.attempts[:0], 0, 0, nil
	x.place, x.door, x.wasLetIn = nil, nil, false
	x.repeatable = req.repeatable()
	x.mayCopy = x.repeatable && slices.Contains(u.cfg.Retries.HedgeMethods, req.Method)
	x.session, x.route = u.sticky.sessionOf(req)
	x.hash = u.hashOf(req)
	u.budget.earn()
	x.set = u.set.Load()
	e := x.pick(true)
	a, err := x.direct(e)
	if a != nil && err == nil && !u.fail[a.resp.Status] {
		req.served = a.endpoint
		return &a.resp, nil
	}
	x.share()
	switch {
	case a == nil:
		if !x.launch(e, firstTry) {
			x.lastErr = errNoAddress
			u.nudge()
		}
	case errors.Is(err, errHandOver):
		x.handOver(a)
	default:
		x.results <- result{a, err}
	}
	defer x.abandon()
	return x.run()
}

// share prepares for goroutines other than the client's.
func (x *exchange) share() {
	x.shared = true
	x.ctx = x.req.client.watch()
	x.results = make(chan result, maxAttempts)
	x.informs = make(chan *http1.Response, maxInformed)
}

// run is the life of the request until a response is there, where that takes
// more than a moment.
func (x *exchange) run() (*response, error) {
	deadline := time.NewTimer(time.Duration(x.up.cfg.Timeouts.Response) - time.Since(x.start))
	defer deadline.Stop()
	patience := newPatience(time.Duration(x.up.cfg.Retries.HedgeAfter), x.start)
	defer patience.stop()
	again := time.NewTimer(time.Hour) // a retry that waits for better times
	defer again.Stop()

	if len(x.attempts) == 0 {
		if !x.await(again) {
			return nil, x.lastErr
		}
	} else if x.rescue() {
		patience.restart()
	}
	for {
		select {
		case r := <-x.results:
			r.attempt.finished = true
			if r.err == nil {
				if x.up.fail[r.attempt.resp.Status] && x.retryStatus(r) {
					patience.restart()
					continue
				}
				x.won(r.attempt)
				if err := x.passInforms(); err != nil {
					r.discard()
					return nil, err
				}
				return &r.attempt.resp, nil
			}
			x.lastErr = r.err
			switch x.afterFailure(r) {
			case giveUp:
				return nil, x.lastErr
			case retryLater:
				if !x.await(again) {
					return nil, x.lastErr
				}
			case retryNow:
				patience.restart()
			case keepWaiting:
			}
		case resp := <-x.informs:
			if err := x.tell(resp); err != nil {
				return nil, err
			}
		case <-again.C:
			if x.waiting() > 0 {
				continue
			}
			x.forget()
			if x.expired() {
				return nil, x.lastErr
			}
			why := retry
			if len(x.req.addresses) == 0 {
				why = firstTry
			}
			e := x.pick(true)
			if e == nil {
				x.lastErr = errNoAddress
			}
			if x.launch(e, why) {
				patience.restart()
			} else if !x.await(again) {
				return nil, x.lastErr
			}
		case <-x.door:
			x.door = nil
			if x.waiting() == 0 {
				x.goIn(again)
			}
		case <-patience.fired():
			if !patience.late() {
				x.hedge(patience.after)
			}
			patience.restart()
		case <-x.set.replaced:
			x.set = x.up.set.Load()
			if x.rescue() {
				patience.restart()
			}
		case <-deadline.C:
			if left := x.left(); left > 0 {
				deadline.Reset(left)
				continue
			}
			if x.waiting() == 0 && x.lastErr != nil {
				return nil, x.lastErr // nothing is silent
			}
			return nil, errTimeout
		case <-x.ctx.Done():
			return nil, context.Cause(x.ctx)
		}
	}
}

// left is how much longer the upstream may be silent when Timeouts.Response has passed:
// the request's body may still be coming in, which is not its delay, or the body of a
// response, which has begun.
func (x *exchange) left() time.Duration {
	limit, body := time.Duration(x.up.cfg.Timeouts.Response), time.Duration(x.up.cfg.Timeouts.Body)
	left := x.req.body.stream.left(limit)
	for _, a := range x.attempts {
		switch came := a.came.Load(); {
		case a.finished || came == 0:
		case body <= 0:
			left = max(left, limit)
		default:
			left = max(left, body-time.Since(time.Unix(0, came)))
		}
	}
	return left
}

// pick chooses the endpoint for the next attempt.
func (x *exchange) pick(anyway bool) *endpoint { return x.up.pick(x.wish(anyway)) }

func (x *exchange) wish(anyway bool) wish {
	return wish{
		tried:   x.attempts,
		route:   x.route,
		hash:    x.hash,
		only:    x.up.cfg.NoFailover,
		mayCopy: x.mayCopy,
		anyway:  anyway,
	}
}

// won ends the other attempts.
func (x *exchange) won(winner *attempt) {
	x.req.served = winner.endpoint
	x.overtaken(winner)
	x.answered(winner)
	x.failing(winner)
	for _, a := range x.attempts {
		if a != winner {
			a.cancel()
		}
	}
}

// abandon lets go of everything but a response already returned.
func (x *exchange) abandon() {
	x.mu.Lock()
	x.closed = true
	x.mu.Unlock()
	if x.req.served == nil {
		x.unanswerable()
	}
	if x.place != nil {
		x.up.room.leave(x.place)
	}
	for _, a := range x.attempts {
		if a.finished {
			continue
		}
		a.cancel()
		if x.ctx.Err() != nil {
			a.endpoint.unproved()
		}
	}
	for {
		select {
		case r := <-x.results:
			r.discard()
		default:
			return
		}
	}
}

// deliver hands a result to run, or drops it when run has ended.
func (x *exchange) deliver(r result) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.closed {
		r.discard()
		return
	}
	x.results <- r // never blocks: as roomy as maxAttempts
}

// discard ends an attempt whose response nobody wants.
func (r result) discard() {
	if r.err == nil {
		r.attempt.resp.body.Close()
	}
}

// inform passes a 1xx response on, whichever attempt it comes from. HTTP/1.0
// has none. Only the client's goroutine writes to the client, and nobody waits for
// that: it may be the reader of a connection that others' requests share.
func (x *exchange) inform(resp *http1.Response) error {
	switch {
	case x.req.Minor == 0:
		return nil
	case !x.shared:
		return x.tell(resp)
	}
	own := &http1.Response{Status: resp.Status, Reason: resp.Reason, Header: slices.Clone(resp.Header)}
	select {
	case x.informs <- own:
	default: // the client takes them too slowly
	}
	return nil
}

// passInforms passes on what came before the response.
func (x *exchange) passInforms() error {
	for {
		select {
		case resp := <-x.informs:
			if err := x.tell(resp); err != nil {
				return err
			}
		default:
			return nil
		}
	}
}

// tell writes a 1xx response to the client.
func (x *exchange) tell(resp *http1.Response) error {
	x.req.route.response.withhold(&resp.Header)
	if err := x.req.client.inform(resp); err != nil {
		return fmt.Errorf("%w: %w", errClientGone, err)
	}
	return nil
}
