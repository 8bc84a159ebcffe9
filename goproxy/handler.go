package goproxy

import (
	"context"
	"errors"
	"log"
	"net/http"
	"net/http/httputil"
	"path"
	"strings"
	"time"
)

// statusClientGone is what the access log says when the client went away
// before the response (nginx's number; nothing is sent).
const statusClientGone = 499

// newForwarder builds the part that net/http/httputil does well: hop-by-hop
// headers, trailers, 1xx, upgrades, flushing.
func (p *Proxy) newForwarder(up *upstream) *httputil.ReverseProxy {
	return &httputil.ReverseProxy{
		Transport:      up,
		BufferPool:     p.buffers,
		ErrorHandler:   p.fail,
		ErrorLog:       log.New(debugWriter{up.log}, "", 0),
		Rewrite:        rewriteRequest,
		ModifyResponse: up.rewriteResponse,
	}
}

// rewriteRequest makes the upstream's request of the client's. The member that
// gets it sets scheme and host.
func rewriteRequest(r *httputil.ProxyRequest) {
	route := routeOf(r.In.Context())
	r.Out.URL.RawQuery = r.In.URL.RawQuery // untouched, also what cannot be parsed
	route.rewritePath(r.Out.URL, cleanPath(r.In.URL.Path))
	r.Out.Host = r.In.Host
	r.Out.Header["X-Forwarded-For"] = r.In.Header["X-Forwarded-For"]
	r.SetXForwarded()
	if r.Out.Header.Get("User-Agent") == "" {
		r.Out.Header["User-Agent"] = nil // else the transport adds its own
	}
	route.Headers.Request.apply(r.Out.Header)
	if !repeatable(r.Out, &requestBody{kept: true}) {
		hideIdempotencyKey(r.Out.Header)
	}
}

// rewriteResponse makes the client's response of the upstream's.
func (u *upstream) rewriteResponse(resp *http.Response) error {
	ctx := resp.Request.Context()
	route, rec := routeOf(ctx), recordOf(ctx)
	route.reverse(resp, rec.served, rec.in)
	u.sticky.mark(resp, rec)
	route.Headers.Response.apply(resp.Header)
	return nil
}

type routeKey struct{}

func routeOf(ctx context.Context) *boundRoute {
	return ctx.Value(routeKey{}).(*boundRoute)
}

// cleanPath resolves what backends resolve too (//, /./, /../), so that a
// request cannot reach an upstream by a path that its route does not have.
func cleanPath(p string) string {
	if !strings.Contains(p, "/.") && !strings.Contains(p, "//") {
		return p
	}
	clean := path.Clean(p)
	if strings.HasSuffix(p, "/") && clean != "/" {
		clean += "/"
	}
	return clean
}

// ServeHTTP implements http.Handler.
func (p *Proxy) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	rec := &record{start: time.Now(), in: req}
	sw := &statusWriter{ResponseWriter: w}
	defer p.finish(rec, sw) //nolint:contextcheck // a log line outlives its request
	if req.Method == http.MethodConnect {
		http.Error(sw, "this is a reverse proxy: CONNECT is not served", http.StatusMethodNotAllowed)
		return
	}
	route := p.table.Load().router.match(req.Host, cleanPath(req.URL.Path))
	if route == nil {
		http.Error(sw, "no route for this host and path", http.StatusNotFound)
		return
	}
	rec.upstream = route.up.name
	ctx := context.WithValue(context.WithValue(req.Context(), recordKey{}, rec), routeKey{}, route)
	route.up.forward.ServeHTTP(sw, req.WithContext(ctx))
}

// finish writes down a request that is over.
func (p *Proxy) finish(rec *record, w *statusWriter) {
	took := time.Since(rec.start)
	p.metrics.request(rec.upstream, w.status, took)
	if p.accessLog != nil {
		rec.log(p.accessLog, took, w)
	}
}

// fail answers a request for which no response could be had.
func (p *Proxy) fail(w http.ResponseWriter, req *http.Request, err error) {
	recordOf(req.Context()).err = err
	var fromClient *clientError
	status := http.StatusBadGateway
	switch {
	case req.Context().Err() != nil:
		if sw, ok := w.(*statusWriter); ok {
			sw.status = statusClientGone
		}
		return
	case errors.As(err, &fromClient):
		status = http.StatusBadRequest
	case errors.Is(err, errNoAddress):
		status = http.StatusServiceUnavailable
	case errors.Is(err, errTimeout):
		status = http.StatusGatewayTimeout
	}
	http.Error(w, http.StatusText(status), status)
}
