package goproxy

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/proxychaos/proxychaos/goproxy/http1"
)

// statusClientGone is what the access log says when the client went away
// before the response (nginx's number; nothing is sent).
const statusClientGone = 499

var errClientGone = errors.New("the client went away")

// serve gets a response for a request and sends it. An error means that the
// response did not reach the client whole.
func (p *Proxy) serve(req *request) error {
	if p.tracer != nil {
		p.tracer.begin(req)
	}
	err := p.route(req)
	if err != nil && req.err == nil {
		req.err = err
	}
	p.finish(req)
	return err
}

func (p *Proxy) route(req *request) error {
	if why := notServed(req.Method); why != "" {
		return req.client.answer(req, http.StatusMethodNotAllowed, why)
	}
	table := p.table.Load()
	table.trust.identify(req)
	if done, err := req.endsHere(); done {
		return err
	}
	var err error
	if req.path, err = formsOf(req.path.raw); err != nil {
		return refuse(req, err)
	}
	route := table.router.match(req.Host, req.path)
	if route == nil {
		return req.client.answer(req, http.StatusNotFound, "no route for this host and path")
	}
	if route.Status != 0 {
		return req.client.answer(req, route.Status, http.StatusText(route.Status))
	}
	req.upstream = route.up.name
	if err := req.rewrite(route, p.via); err != nil {
		return refuse(req, err)
	}
	if req.span != nil {
		req.span.passOn(&req.header)
	}
	resp, err := route.up.get(req)
	if err != nil {
		return fail(req, err)
	}
	req.answered = time.Since(req.start)
	rewriteResponse(req, resp)
	req.status = resp.Status
	err = req.client.respond(req, resp)
	resp.body.Close()
	return err
}

// notServed says why a method is for no upstream, or "". Some upstreams take a
// method in lower case for the same.
func notServed(method string) string {
	switch {
	case http1.EqualFold(method, http.MethodConnect):
		return "this is a reverse proxy: CONNECT is not served"
	case http1.EqualFold(method, http.MethodTrace):
		// The answer shows whoever asks what proxies add to a request, such as
		// credentials and addresses (RFC 9110, 9.3.8).
		return "TRACE is not served"
	}
	return ""
}

// rewriteResponse makes the client's response of the upstream's.
func rewriteResponse(req *request, resp *response) {
	req.route.reverse(resp.Header, req.served, req)
	req.route.up.sticky.answered(&resp.Header, req)
	if resp.Status != http.StatusSwitchingProtocols && !resp.Header.Has("Date") {
		resp.Header.Add("Date", httpDate(time.Now()))
	}
	req.route.response.apply(&resp.Header, req)
}

// finish writes down a request that is over.
func (p *Proxy) finish(req *request) {
	took := time.Since(req.start)
	if req.span != nil {
		req.span.end(req)
	}
	p.metrics.request(req.upstream, req.status, took)
	if req.served != nil {
		req.served.carried(req.body.passed() + req.sent + req.bytes)
	}
	if p.accessLog != nil {
		req.log(p.accessLog, took)
	}
}

// refuse answers a request that is not passed on because of what it says.
func refuse(req *request, err error) error {
	req.err = err
	return req.client.answer(req, http1.StatusOf(err), err.Error())
}

// fail answers a request for which no response could be had.
func fail(req *request, err error) error {
	req.err = err
	var fromClient *clientError
	status := http.StatusBadGateway
	switch {
	case errors.Is(err, errClientGone), errors.Is(err, context.Canceled) && req.client.watch().Err() != nil:
		req.status = statusClientGone
		return err
	case errors.As(err, &fromClient):
		status = clientStatus(fromClient.err)
	case errors.Is(err, errPanicked):
		status = http.StatusInternalServerError
	case errors.Is(err, errNoAddress), culpritOf(err) == theProxy:
		status = http.StatusServiceUnavailable
	case errors.Is(err, errTimeout):
		status = http.StatusGatewayTimeout
	}
	return req.client.answer(req, status, http.StatusText(status))
}

// clientStatus is the status for a client whose request could not be read.
func clientStatus(err error) int {
	if isTimeout(err) {
		return http.StatusRequestTimeout
	}
	return http1.StatusOf(err)
}
