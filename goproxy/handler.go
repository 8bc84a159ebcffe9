package goproxy

import (
	"context"
	"errors"
	"log"
	"net/http"
	"net/http/httputil"
	"time"
)

// statusClientGone is what the access log says when the client went away
// before the response (nginx's number; nothing is sent).
const statusClientGone = 499

// table is one loaded configuration at work.
type table struct {
	router    *router
	upstreams map[string]*upstream
	stop      context.CancelFunc
	forward   map[*upstream]*httputil.ReverseProxy
}

// newForwarder builds the part that net/http/httputil does well: hop-by-hop
// headers, trailers, 1xx, upgrades, flushing.
func (p *Proxy) newForwarder(up *upstream) *httputil.ReverseProxy {
	return &httputil.ReverseProxy{
		Transport:    up,
		BufferPool:   p.buffers,
		ErrorHandler: p.fail,
		ErrorLog:     log.New(debugWriter{up.log}, "", 0),
		Rewrite: func(r *httputil.ProxyRequest) {
			r.Out.URL.Scheme = up.url.Scheme
			r.Out.URL.Host = up.url.Host
			r.Out.URL.RawQuery = r.In.URL.RawQuery // untouched, also what cannot be parsed
			r.Out.Host = up.host
			if routeOf(r.In.Context()).PreserveHost {
				r.Out.Host = r.In.Host
			}
			r.Out.Header["X-Forwarded-For"] = r.In.Header["X-Forwarded-For"]
			r.SetXForwarded()
			if r.Out.Header.Get("User-Agent") == "" {
				r.Out.Header["User-Agent"] = nil // else the transport adds its own
			}
			if !repeatable(r.Out, &requestBody{kept: true}) {
				hideIdempotencyKey(r.Out.Header)
			}
		},
	}
}

type routeKey struct{}

func routeOf(ctx context.Context) *boundRoute {
	return ctx.Value(routeKey{}).(*boundRoute)
}

// ServeHTTP implements http.Handler.
func (p *Proxy) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	rec := &record{start: time.Now()}
	sw := &statusWriter{ResponseWriter: w}
	if p.accessLog != nil {
		defer rec.log(p.accessLog, req, sw)
	}
	t := p.table.Load()
	route := t.router.match(req.Host, req.URL.Path)
	if route == nil {
		http.Error(sw, "no route for this host and path", http.StatusNotFound)
		return
	}
	rec.upstream = route.up.name
	ctx := context.WithValue(context.WithValue(req.Context(), recordKey{}, rec), routeKey{}, route)
	t.forward[route.up].ServeHTTP(sw, req.WithContext(ctx))
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
