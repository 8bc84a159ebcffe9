package goproxy

import (
	"context"
	"errors"
	"slices"
	"syscall"
	"time"
)

// Whose fault it is that a request brought no response. Nothing else in the
// package decides that an address has failed, but for the statuses of
// Upstream.FailOnStatus and the outcome of health checks, which ask here too.
//
// What a client did counts for nothing: an upload that is slow or breaks off, a
// request that cannot be sent, or that breaks every address, its going away. Nor does what the proxy itself
// lacks, such as file descriptors.

// culprit is who a failure is blamed on.
type culprit int

const (
	theUpstream culprit = iota
	theClient
	theProxy
)

// lacks are what the system says when this machine has no more of something.
var lacks = []error{syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM, syscall.EADDRNOTAVAIL}

// culpritOf says whom an error blames.
func culpritOf(err error) culprit {
	var fromClient *clientError
	switch {
	case errors.As(err, &fromClient), errors.Is(err, errClientGone):
		return theClient
	case errors.Is(err, errPoolFull), errors.Is(err, errPanicked), isLack(err):
		return theProxy
	}
	return theUpstream
}

func isLack(err error) bool {
	return slices.ContainsFunc(lacks, func(lack error) bool { return errors.Is(err, lack) })
}

// blame keeps the book on the endpoint of a failed attempt. It returns whose
// fault the failure is and, if it is the client's, makes it the request's error.
func (x *exchange) blame(r result) culprit {
	e, body := r.attempt.endpoint, x.req.body.stream
	who := culpritOf(r.err)
	if body != nil && body.failed() != nil {
		// However the attempt came to know of it.
		who, x.lastErr = theClient, body.failed()
	}
	if x.ctx.Err() != nil {
		who, x.lastErr = theClient, context.Cause(x.ctx)
	}
	switch {
	case who == theClient:
		e.unproved()
	case who == theProxy:
		e.unproved()
		x.up.lacking(e, r.err)
	case e.departed.Load():
	case !r.attempt.sent.Load():
		x.up.eject(e, "connect: "+r.err.Error())
	case errors.Is(r.err, errUnprocessed):
		// It is about to end the connection, or has enough to do: it says so in time.
		x.up.nudge()
	case body != nil && !body.ended.Load():
		// An upstream may end a connection because the upload is too slow or too
		// large for it, and its answer can be lost with it.
		x.up.nudge()
	case r.attempt.reused.Load():
		// On a connection that had been idle this is the usual keep-alive
		// race and says nothing; on a fresh one the address is in trouble.
		x.up.nudge()
	default:
		r.attempt.unanswered = "no response on a fresh connection: " + r.err.Error()
		x.up.nudge()
	}
	return who
}

// answered counts against endpoints that they gave no answer to the request, since the
// winner has shown that there is one.
func (x *exchange) answered(winner *attempt) {
	for _, a := range x.attempts {
		if a.unanswered != "" && a.endpoint != winner.endpoint {
			x.up.eject(a.endpoint, a.unanswered)
		}
	}
}

// failing leaves out endpoints that gave a status of Upstream.FailOnStatus. If the answer
// has one too, and more than one endpoint gave it, it is the request that brings it about:
// a client may send such a request again and again.
func (x *exchange) failing(winner *attempt) {
	var failed []*attempt
	for _, a := range x.attempts {
		if a.failed != "" {
			failed = append(failed, a)
		}
	}
	if winner.failed != "" && slices.ContainsFunc(failed, func(a *attempt) bool { return a.endpoint != winner.endpoint }) {
		return
	}
	for _, a := range failed {
		x.up.eject(a.endpoint, a.failed)
	}
}

// unanswerable counts a request that nobody answered against its endpoint, if it was
// with no other. One that two endpoints did not answer is itself what they fail at: a
// client may send such a request again and again.
func (x *exchange) unanswerable() {
	var only *attempt
	for _, a := range x.attempts {
		switch {
		case a.unanswered == "":
		case only == nil:
			only = a
		case only.endpoint != a.endpoint:
			return
		}
	}
	if only != nil {
		x.accuse(only, only.unanswered)
	}
}

// lacking says in the log what the proxy lacks.
func (u *upstream) lacking(e *endpoint, err error) {
	if isLack(err) && e.mayLog(time.Now()) {
		u.log.Warn("the proxy lacks what it needs for another connection", "address", e.addr.String(), "error", err.Error())
	}
}

// waitsSince is since when the endpoint of an attempt, and nobody else, has been
// waited for; the zero time while the client is, or a free place in the pool.
func (x *exchange) waitsSince(a *attempt) time.Time {
	since := a.since.Load()
	if body := x.req.body.stream; since != 0 && body != nil && a.sent.Load() {
		since = body.since.Load()
	}
	if since == 0 {
		return time.Time{}
	}
	return time.Unix(0, since)
}

// silent reports whether an endpoint of this request has answered nobody for so
// long, since the request was with it. Unless copies of the request show whether
// it is the address that is slow or the request, that counts against it.
func (x *exchange) silent(after time.Duration) bool {
	now, one := time.Now(), false
	for _, a := range x.attempts {
		since := x.waitsSince(a)
		if a.finished || since.IsZero() || now.Sub(since) < after || !a.endpoint.silentSince(since) {
			continue
		}
		one = true
		switch {
		case !x.mayCopy:
			x.accuse(a, "silent")
		case x.pinned():
			x.doubt(a.endpoint)
		}
	}
	if one {
		x.up.nudge()
	}
	return one
}

// overtaken counts against endpoints that a copy of the request was answered
// before they said anything, though it was sent much later.
func (x *exchange) overtaken(winner *attempt) {
	after := time.Duration(x.up.cfg.Retries.HedgeAfter)
	for _, a := range x.attempts {
		since := x.waitsSince(a)
		if !a.finished && !since.IsZero() && winner.start.Sub(since) >= after && a.endpoint.silentSince(since) {
			x.accuse(a, "silent")
		}
	}
}

// accuse counts an attempt as evidence that its endpoint answers nobody, once. One that
// is tried anew has no further chance.
func (x *exchange) accuse(a *attempt, reason string) {
	if a.accuses {
		return
	}
	a.accuses = true
	e := a.endpoint
	e.suspectUntil.Store(time.Now().Add(time.Duration(x.up.cfg.Ejection.Retry)).UnixNano())
	if e.unheard.Add(1) >= silentRequests || e.probing.Load() {
		x.up.eject(e, reason)
	}
}

// doubt tries whether a connection can be made to an endpoint that is silent to a
// request which belongs there, and leaves it out if not. No copy can show whether it
// is the address that is slow or the request.
func (x *exchange) doubt(e *endpoint) {
	up := x.up
	if !e.doubted.CompareAndSwap(false, true) {
		return
	}
	go func() {
		defer e.doubted.Store(false)
		if err := e.reach(); err != nil && culpritOf(err) != theProxy {
			up.eject(e, "silent, and connect: "+err.Error())
		}
	}()
}

// silentRequests is to how many requests in a row an address has to give no answer to be
// left out. One alone may just be slow, or what no address can answer, and on a quiet
// proxy there is no other that would be answered meanwhile.
const silentRequests = 2
