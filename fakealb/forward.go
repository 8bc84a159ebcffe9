package fakealb

import (
	"cmp"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/proxychaos/proxychaos/fakealb/cloud"
	"github.com/proxychaos/proxychaos/fakealb/targets"
)

// fromGroup is the answer of a target of one of the load balancer's target groups,
// or the load balancer's own if that fails.
func (s *Server) fromGroup(x *exchange, group string) response {
	x.group = x.v.lb.groupName(group)
	version := x.v.lb.groupVersion(group)
	if mismatched(x.req, version) {
		return x.protocolMismatch()
	}
	out := x.targetRequest()
	keepTrailers(out, x.req, version)
	if x.req.ContentLength != 0 {
		x.sending = newSentBody(x.req.Body, x.pending)
		out.Body = x.sending
	} else {
		x.pending()
	}
	session := s.session(x, group)
	result, err := x.v.pools[group].Forward(out, session.target())
	x.peers = len(x.v.groups[group].Targets)
	x.target, x.inProcess, x.tried = result.Target, result.BuiltIn, result.Tried
	x.sentAt, x.targetIdle, x.failedOpen, x.tlsFailed = result.SentAt, result.Idle, result.FailedOpen, result.TLSFailed
	if !x.sentAt.IsZero() && x.context().Err() == nil {
		x.headAt = time.Now()
	}
	switch {
	case err != nil && x.context().Err() != nil:
		return response{status: cloud.StatusClientGone}
	case err != nil && x.sending.failure() != nil:
		return x.missingBody(x.sending.failure())
	case result.Status == http.StatusServiceUnavailable && version == targets.VersionGRPC:
		return noTargetGRPC()
	case result.Response == nil:
		return x.v.lb.own(causeOf(result), result.Status)
	}
	x.targetStatus = result.Response.StatusCode
	if r, ok := upgraded(result.Response); ok {
		return r
	}
	r := passedOn(result.Response)
	session.keep(&r, result.Response.Header)
	return r
}

// causeOf is why there is no response of a target.
func causeOf(r targets.Result) cloud.Cause {
	switch {
	case r.Status == http.StatusServiceUnavailable:
		return cloud.NoTarget
	case r.SentAt.IsZero():
		return cloud.Unreachable
	case r.Status == http.StatusGatewayTimeout:
		return cloud.Late
	}
	return cloud.NoAnswer
}

// passedOn is a target's response without what concerns its connection only.
func passedOn(resp *http.Response) response {
	r := response{
		status:      resp.StatusCode,
		contentType: resp.Header.Get("Content-Type"),
		date:        resp.Header.Get("Date"),
		length:      resp.ContentLength,
		stream:      resp.Body,
		trailer:     func() http.Header { return resp.Trailer },
	}
	_, r.reason, _ = strings.Cut(resp.Status, " ")
	for name, values := range resp.Header {
		if isHopByHop(name) || name == "Content-Type" || name == "Date" || name == "Content-Length" {
			continue
		}
		for _, v := range values {
			r.trail = append(r.trail, field{name, v})
		}
	}
	// The order in which the target sent them is lost in net/http's map.
	slices.SortStableFunc(r.trail, func(a, b field) int { return cmp.Compare(a.name, b.name) })
	return r
}

// sentBody is a request's body on its way to a target. It knows when the
// transport has done with it: until then nobody else may read from the client.
type sentBody struct {
	from    io.Reader
	pending func() // called at the end of the body
	done    chan struct{}
	once    sync.Once

	mu  sync.Mutex
	n   int64
	err error // what ended it; io.EOF if it was whole
}

func newSentBody(from io.Reader, pending func()) *sentBody {
	return &sentBody{from: from, pending: pending, done: make(chan struct{})}
}

// Read reads from the client.
func (b *sentBody) Read(p []byte) (int, error) {
	n, err := b.from.Read(p)
	b.mu.Lock()
	b.n += int64(n)
	if err != nil {
		b.err = err
	}
	b.mu.Unlock()
	if errors.Is(err, io.EOF) {
		b.pending()
	}
	return n, err
}

// Close is called by the transport when it will read no more.
func (b *sentBody) Close() error {
	b.once.Do(func() { close(b.done) })
	return nil
}

// failure is why reading from the client failed, nil if it did not.
func (b *sentBody) failure() error {
	if b == nil {
		return nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if errors.Is(b.err, io.EOF) {
		return nil
	}
	return b.err
}

// settle waits until the transport has done with the body, and reports how much
// of it was read and whether that was all. A target may answer before it has the
// whole body; then interrupt ends the reading.
func (b *sentBody) settle(interrupt func()) (n int64, whole bool) {
	if b == nil {
		return 0, true
	}
	select {
	case <-b.done:
	case <-time.After(settleTime):
		interrupt()
		<-b.done
	}
	return b.progress()
}

// progress is how much was read so far, and whether that is all.
func (b *sentBody) progress() (n int64, whole bool) {
	if b == nil {
		return 0, true
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.n, errors.Is(b.err, io.EOF)
}

// settleTime is how long the rest of a request body is still passed on after its
// response.
const settleTime = 50 * time.Millisecond
