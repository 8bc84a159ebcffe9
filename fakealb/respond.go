package fakealb

import (
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"
)

// maxHold bounds HeaderHold.
const maxHold = 60 * time.Second

// response is what a node sends, with the order of its header fields. A writer
// puts Date, Content-Type, Content-Length and Connection between lead and trail.
type response struct {
	status      int
	reason      string
	lead        []field
	contentType string
	trail       []field
	body        []byte
	close       bool // the connection ends after it
	cut         *cut // by a fault; nil for a whole response
}

type field struct{ name, value string }

// respond answers a request from the state it began with, having read its body.
func (s *Server) respond(x *exchange) response {
	var err error
	if x.received, err = io.Copy(io.Discard, x.req.Body); err != nil {
		// The client did not send the body it promised (2.4.1 D).
		return generated(http.StatusBadRequest, x.v.lb.ErrorBody)
	}
	fault, n := x.v.fault, x.c.node
	spec := faultSpecs[fault.Kind]
	if (spec.answer != nil || spec.cut != nil) && !fault.hits(n.requests.Add(1)) {
		spec = faultSpec{}
	}
	var r response
	switch {
	case spec.answer != nil:
		r = spec.answer(x.v)
	case x.refused != 0:
		r = generated(x.refused, x.v.lb.ErrorBody)
	case x.v.lb.Targets == 0:
		r = generated(http.StatusServiceUnavailable, x.v.lb.ErrorBody)
	default:
		r = s.builtIn(x)
	}
	if spec.cut != nil {
		r.cut = spec.cut(x.number)
	}
	return r
}

// builtIn is the answer of a built-in target.
func (s *Server) builtIn(x *exchange) response {
	if !s.hold(x) {
		return response{status: statusClientGone}
	}
	n := x.c.node
	target := n.turn.Add(1)%uint64(x.v.lb.Targets) + 1
	return response{
		status:      http.StatusOK,
		reason:      "OK",
		contentType: "text/plain; charset=utf-8",
		trail: []field{
			{"Server", "fakealb-target"},
			{HeaderNode, n.addr.String()},
			{HeaderLoadBalancer, x.v.lb.Name},
		},
		body: fmt.Appendf(nil, "fakealb lb=%s node=%s target=t%d received=%d seq=%s\n",
			x.v.lb.Name, n.addr, target, x.received, x.req.Header.Get(HeaderSeq)),
	}
}

// hold waits as HeaderHold says, and reports whether the client waited too. A
// value that is no duration is ignored: the header is not part of HTTP.
func (s *Server) hold(x *exchange) bool {
	d, err := time.ParseDuration(x.req.Header.Get(HeaderHold))
	if err != nil || d <= 0 {
		return true
	}
	x.pending()
	t := time.NewTimer(min(d, maxHold))
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-s.done:
		return true
	case <-x.ctx.Done():
		return false
	}
}

// head writes the status line and header fields of HTTP/1.1.
func (r *response) head(now time.Time) []byte {
	b := make([]byte, 0, 512+len(r.body))
	b = append(b, "HTTP/1.1 "...)
	b = strconv.AppendInt(b, int64(r.status), 10)
	b = append(b, ' ')
	b = append(b, r.reason...)
	b = append(b, "\r\n"...)
	for _, f := range r.lead {
		b = f.append(b)
	}
	b = append(b, "Date: "...)
	b = now.UTC().AppendFormat(b, http.TimeFormat)
	b = append(b, "\r\n"...)
	if r.contentType != "" {
		b = field{"Content-Type", r.contentType}.append(b)
	}
	b = append(b, "Content-Length: "...)
	b = strconv.AppendInt(b, int64(len(r.body)), 10)
	b = append(b, "\r\n"...)
	if r.close {
		b = append(b, "Connection: close\r\n"...)
	} else {
		b = append(b, "Connection: keep-alive\r\n"...)
	}
	for _, f := range r.trail {
		b = f.append(b)
	}
	return append(b, "\r\n"...)
}

func (f field) append(b []byte) []byte {
	b = append(b, f.name...)
	b = append(b, ": "...)
	b = append(b, f.value...)
	return append(b, "\r\n"...)
}
