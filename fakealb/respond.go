package fakealb

import (
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"strconv"
	"time"

	"github.com/proxychaos/proxychaos/fakealb/cloud"
)

// maxHold bounds HeaderHold.
const maxHold = 60 * time.Second

// respond answers a request from the state it began with.
func (s *Server) respond(x *exchange) response {
	fault, n := x.v.fault, x.c.node
	spec := faultSpecs[fault.Kind]
	if (spec.answer != nil || spec.cut != nil || spec.slowResponse || spec.slowBody) && !fault.hits(n.requests.Add(1)) {
		spec = faultSpec{}
	}
	if fault.Ends && x.c.opened.Before(x.v.since) {
		spec = faultSpec{} // it had the request in hand, and ends
	}
	var r response
	var k *cut
	if spec.cut != nil {
		k = spec.cut(x.number)
	}
	switch {
	case k != nil && k.race:
		// The node has closed the connection: nobody reads the request.
	case spec.answer != nil:
		r = x.own(func() response { return spec.answer(x.v) })
	case x.refused != 0:
		r = x.own(func() response { return x.v.lb.refused(x.refused) })
	default:
		r = s.route(x)
	}
	if !r.foreign {
		x.v.lb.Attributes.modify(&r)
	}
	if x.targetStatus != 0 {
		r.trail = append(r.trail, fieldsOf(cloud.Of(x.v.lb.Cloud).Adds)...)
	}
	r.cut = k
	if spec.slowBody {
		s.slowDown(x, &r)
	}
	if spec.slowResponse && r.status != cloud.StatusClientGone {
		if x.sending == nil {
			x.pending()
		}
		if !s.wait(x.context(), time.Duration(fault.Delay)) {
			r.discard()
			return response{status: cloud.StatusClientGone}
		}
	}
	return r
}

// own reads the request's body, which goes to no target, and then answers.
func (x *exchange) own(answer func() response) response {
	var err error
	if x.received, err = io.Copy(io.Discard, x.req.Body); err != nil {
		return x.missingBody(err)
	}
	return answer()
}

// missingBody is the answer to a request whose body did not come: 504 if the load
// balancer waited for it in vain, 400 if the client ended it (2.4.1 D).
func (x *exchange) missingBody(err error) response {
	status := http.StatusBadRequest
	if errors.Is(err, os.ErrDeadlineExceeded) {
		status = http.StatusGatewayTimeout
	}
	r := x.v.lb.refused(status)
	r.close = true
	return r
}

// builtIn is the answer of a built-in target.
func (s *Server) builtIn(x *exchange) response {
	if !s.hold(x) {
		return response{status: cloud.StatusClientGone}
	}
	n := x.c.node
	x.builtIn = int(n.turn.Add(1)%uint64(x.v.lb.Targets)) + 1
	x.targetStatus, x.sentAt, x.headAt = http.StatusOK, x.start, time.Now()
	if wantsSocket(x.req) {
		if r, ok := s.builtInSocket(x); ok {
			x.targetStatus = r.status
			return r
		}
	}
	r := response{
		status:      http.StatusOK,
		reason:      "OK",
		contentType: "text/plain; charset=utf-8",
		trail: []field{
			{"Server", "fakealb-target"},
			{HeaderNode, n.name},
			{HeaderLoadBalancer, x.v.lb.Name},
		},
		body: x.builtInBody(),
	}
	if cookie, begins := x.v.session(x.req); begins {
		r.trail = append(r.trail, cookie)
	}
	return r
}

// builtInBody is "fakealb lb=blue node=198.18.0.21 target=t1 received=0 seq=7".
func (x *exchange) builtInBody() []byte {
	b := append(x.text[:0], "fakealb lb="...)
	b = append(b, x.v.lb.Name...)
	b = append(append(b, " node="...), x.c.node.name...)
	b = strconv.AppendInt(append(b, " target=t"...), int64(x.builtIn), 10)
	b = strconv.AppendInt(append(b, " received="...), x.received, 10)
	b = append(append(b, " seq="...), x.req.Header.Get(HeaderSeq)...)
	return append(b, '\n')
}

// hold waits as HeaderHold says, and reports whether the client waited too. A
// value that is no duration is ignored: the header is not part of HTTP.
func (s *Server) hold(x *exchange) bool {
	d, err := time.ParseDuration(x.req.Header.Get(HeaderHold))
	if err != nil || d <= 0 {
		return true
	}
	x.pending()
	return s.wait(x.context(), min(d, maxHold))
}

// wait waits for d, or for the end of the server. It returns false, at once, when
// ctx ends.
func (s *Server) wait(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-s.done:
	case <-ctx.Done():
		return false
	}
	return true
}
