package goproxy

import (
	"errors"
	"net/http"
	"time"
)

// When a request is sent again. Whose fault a failure is, is in blame.go.

// maxAttempts bounds everything sent for one request, first try, retries, hedges and
// rescues, and the tries before it waits for a while.
const maxAttempts = 16

// maxHedges bounds the further copies of a request that wait at the same time.
const maxHedges = 2

type verdict int

const (
	keepWaiting verdict = iota
	retryNow
	retryLater
	giveUp
)

// afterFailure decides what follows an attempt without a response. As long as another one
// may bring it, also from an address that has left, the request is not given up.
func (x *exchange) afterFailure(r result) verdict {
	if x.blame(r) == theClient {
		return giveUp
	}
	if x.hopeful() {
		return keepWaiting
	}
	again := x.mayTryAgain(r)
	switch {
	case again && len(x.attempts) < maxAttempts && x.launch(x.next(r.attempt), retry):
		return retryNow
	case x.waiting() > 0:
		return keepWaiting
	case !again:
		return giveUp
	case errors.Is(r.err, errPanicked), errors.Is(r.err, errPoolFull) && !r.attempt.endpoint.departed.Load():
		return giveUp // a defect does not pass, and for a place it has waited already
	}
	// Every present address has failed: the answer to an early question, or
	// a moment of patience, may help.
	x.up.nudge()
	return retryLater
}

// mayTryAgain reports whether a request may be tried again after a failed attempt. If that
// was sent, the next one counts as a repeat.
func (x *exchange) mayTryAgain(r result) bool {
	switch {
	case x.late():
		return false
	case !r.attempt.sent.Load():
		return true // and if that was often, after a pause
	case !x.repeatable && !(errors.Is(r.err, errUnprocessed) && x.req.body.whole()),
		x.expired() || x.resent+1 >= x.up.cfg.Retries.Attempts,
		!r.attempt.endpoint.departed.Load() && !x.up.budget.spend(time.Now()):
		return false
	}
	x.resent++
	return true
}

// next chooses the endpoint for the attempt after a failed one. That a connection ended
// which had been idle says nothing about its address: a request that belongs there is
// tried there once more.
func (x *exchange) next(failed *attempt) *endpoint {
	e := failed.endpoint
	remains := x.pinned() && failed.sent.Load() && failed.reused.Load() && len(x.attempts) == 1
	if remains && !e.departed.Load() && !e.disabled.Load() && !e.member.refuses(x.route) && !e.leftOut(time.Now()) {
		return e
	}
	return x.pick(false)
}

// retryStatus tries another endpoint than one that gave a status of failonstatus,
// where that may help. Else the response is the answer.
func (x *exchange) retryStatus(r result) bool {
	r.attempt.failed = http.StatusText(r.attempt.resp.Status)
	if !x.repeatable || x.resent+1 >= x.up.cfg.Retries.Attempts || x.expired() {
		return false
	}
	e := x.pick(false)
	if e == nil || !x.up.budget.spend(time.Now()) || !x.launch(e, retry) {
		return false
	}
	x.resent++
	r.discard()
	return true
}

// expired reports whether it is too late, or too often, to try again.
func (x *exchange) expired() bool { return len(x.attempts) >= maxAttempts || x.late() }

// late reports whether it is too late to try again.
func (x *exchange) late() bool { return time.Since(x.start) >= time.Duration(x.up.cfg.Retries.Window) }

// pause is 50, 100, 200 and then 400 ms.
func (x *exchange) pause() time.Duration {
	d := 50 * time.Millisecond << min(x.pauses, 3)
	x.pauses++
	return d
}

// hedge runs when the newest attempts have been silent for a while.
func (x *exchange) hedge(after time.Duration) {
	silent := x.silent(after)
	if n := x.waiting(); !x.mayCopy || n == 0 || n > maxHedges {
		return
	}
	w := x.wish(false)
	if x.pinned() && x.hopeful() {
		// Another member knows nothing of the session: its answer is faster, and wrong.
		if x.route == "" {
			return
		}
		w.only = true
	}
	e := x.up.pick(w)
	if e == nil {
		return
	}
	// An address that is silent to everyone is saved from without a budget;
	// one that answers others is only slow, and slow times must not double
	// the load.
	if !silent && !x.up.budget.spend(time.Now()) {
		return
	}
	x.launch(e, hedge)
}

// pinned reports whether the request is of a session, or has a key, so that it belongs
// to one member or address as long as that is in use.
func (x *exchange) pinned() bool { return x.route != "" || x.hash != 0 }

// rescue sends a request again that waits only on addresses that have left.
func (x *exchange) rescue() bool {
	if !x.mayCopy || x.waiting() == 0 {
		return false
	}
	for _, a := range x.attempts {
		if !a.finished && !a.endpoint.departed.Load() {
			return false
		}
	}
	return x.launch(x.pick(true), rescue)
}

// waiting counts the attempts that may still bring a response.
func (x *exchange) waiting() int {
	n := 0
	for _, a := range x.attempts {
		if !a.finished {
			n++
		}
	}
	return n
}

// hopeful reports whether an attempt still waits on an address that is in use.
func (x *exchange) hopeful() bool {
	now := time.Now()
	for _, a := range x.attempts {
		if !a.finished && !a.endpoint.departed.Load() && !a.endpoint.leftOut(now) {
			return true
		}
	}
	return false
}
