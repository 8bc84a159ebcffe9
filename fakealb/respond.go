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

// respond answers request number of a connection of n from the state v, having
// read its body, and returns how much that was.
func (s *Server) respond(n *node, v view, number int, req *http.Request) (response, int64) {
	received, err := io.Copy(io.Discard, req.Body)
	if err != nil {
		// The client did not send the body it promised (2.4.1 D).
		return generated(http.StatusBadRequest, v.lb.ErrorBody), received
	}
	spec := faultSpecs[v.fault.Kind]
	if (spec.answer != nil || spec.cut != nil) && !v.fault.hits(n.requests.Add(1)) {
		spec = faultSpec{}
	}
	if spec.answer != nil {
		return spec.answer(v), received
	}
	r := s.fromTarget(n, v, req, received)
	if spec.cut != nil {
		r.cut = spec.cut(number)
	}
	return r, received
}

// fromTarget has a target of the node's load balancer answer.
func (s *Server) fromTarget(n *node, v view, req *http.Request, received int64) response {
	if v.lb.Targets == 0 {
		return generated(http.StatusServiceUnavailable, v.lb.ErrorBody)
	}
	s.hold(req.Header.Get(HeaderHold))
	target := n.turn.Add(1)%uint64(v.lb.Targets) + 1
	return response{
		status:      http.StatusOK,
		reason:      "OK",
		contentType: "text/plain; charset=utf-8",
		trail: []field{
			{"Server", "fakealb-target"},
			{HeaderNode, n.addr.String()},
			{HeaderLoadBalancer, v.lb.Name},
		},
		body: fmt.Appendf(nil, "fakealb lb=%s node=%s target=t%d received=%d seq=%s\n",
			v.lb.Name, n.addr, target, received, req.Header.Get(HeaderSeq)),
	}
}

// hold waits as HeaderHold says. A value that is no duration is ignored: the
// header is a request of the test, not part of HTTP.
func (s *Server) hold(value string) {
	d, err := time.ParseDuration(value)
	if err != nil || d <= 0 {
		return
	}
	t := time.NewTimer(min(d, maxHold))
	defer t.Stop()
	select {
	case <-t.C:
	case <-s.done:
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
