package goproxy

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/proxychaos/proxychaos/goproxy/http1"
)

// request is a client's request with everything that is done for it. It is
// used again for the next one on the same connection, unless goroutines other
// than the client's know it.
type request struct {
	http1.Request // as the client sent it
	record
	client  client
	source  bodyReader // its body, nil without one
	size    int        // bytes of its head, about
	secure  bool       // it came by TLS
	subject string     // of the client's certificate
	unnamed bool       // it came behind a PROXY header that names no client
	version version    // it came by
	path    pathForms  // of Target
	query   string     // of Target with its "?", "" without one
	body    requestBody
	route   *boundRoute
	said    said  // by a trusted proxy
	span    *span // nil where there are no traces

	// What the upstream gets. The Host field is up to the member.
	target string
	header http1.Header

	exchange exchange
}

// client is where a request came from and its response goes. Its methods are
// called by one goroutine at a time.
type client interface {
	// inform passes on a response that comes before the last one (1xx).
	inform(resp *http1.Response) error
	// respond sends the response and reads its body to the end.
	respond(req *request, resp *response) error
	// answer sends a response of the proxy's own.
	answer(req *request, status int, text string) error
	// watch returns a context that ends when the client goes away before its
	// request is over. Every call for a request returns the same one.
	watch() context.Context
}

// reset makes r ready for a request whose head is in r.Request.
func (r *request) reset(c client, start time.Time) {
	r.client, r.route, r.target, r.header = c, nil, "", r.header[:0]
	r.record = record{start: start, remote: r.remote, local: r.local, addresses: r.addresses[:0]}
	r.said, r.span = said{}, nil
	r.body = requestBody{}
	r.path, r.query = pathForms{raw: r.Target}, ""
	if i := strings.IndexByte(r.Target, '?'); i >= 0 {
		r.path.raw, r.query = r.Target[:i], r.Target[i:]
	}
}

// rewrite makes the upstream's request of the client's.
func (r *request) rewrite(route *boundRoute, by *via) error {
	r.route = route
	path, err := r.path.sent(route)
	if err != nil {
		return err
	}
	path = oneSlash(path)
	r.target = r.Target
	if path != r.path.raw {
		r.target = path + r.query
	}
	if err := r.forward(by); err != nil {
		return err
	}
	route.request.apply(&r.header, r)
	if r.source != nil && r.Length == http1.Chunked {
		r.source = &editedBody{r.source, &route.request}
	}
	return nil
}

// forward copies the header and says in it who asked for what. What a client
// says of the hops before it is kept in X-Forwarded-For only.
func (r *request) forward(by *via) error {
	var hops []string
	for _, f := range r.Header {
		if r.said.mute && http1.Forwarded(f.Name) {
			continue
		}
		switch len(f.Name) {
		case len("Via"):
			if http1.EqualFold(f.Name, "via") && by.isIn(f.Value) {
				return errLoop
			}
		case len("Trailer"):
			if r.Length != http1.Chunked && http1.EqualFold(f.Name, "trailer") {
				continue
			}
		case len("Forwarded"):
			if http1.EqualFold(f.Name, "forwarded") {
				continue
			}
		case len("Max-Forwards"):
			if r.Method != http.MethodGet && http1.EqualFold(f.Name, "max-forwards") {
				f.Value = r.oneForwardLess(f.Value)
			}
		case len("X-Forwarded-For"):
			if http1.Alike(f.Name, "x-forwarded-for") {
				if http1.EqualFold(f.Name, "x-forwarded-for") {
					hops = append(hops, f.Value)
				}
				continue
			}
		case len("X-Forwarded-Host"):
			if http1.Alike(f.Name, "x-forwarded-host") {
				continue
			}
		case len("X-Forwarded-Proto"):
			if http1.Alike(f.Name, "x-forwarded-proto") {
				continue
			}
		}
		r.header = append(r.header, f)
	}
	if ip := hostname(r.remote); ip != "" {
		if len(hops) > 0 {
			ip = strings.Join(append(hops, ip), ", ")
		}
		r.header.Add("X-Forwarded-For", ip)
	}
	if host := r.publicHost(); host != "" {
		r.header.Add("X-Forwarded-Host", host)
	}
	r.header.Add("X-Forwarded-Proto", r.scheme())
	r.header.Add("Via", by.values[r.version])
	return nil
}

// hostname is a Host field without its port and without the brackets of an
// IPv6 address.
func hostname(host string) string {
	if i := strings.LastIndexByte(host, ':'); i > strings.LastIndexByte(host, ']') {
		host = host[:i]
	}
	return strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
}

// repeatable reports whether sending the request a second time is safe: an
// idempotent method (RFC 9110, 9.2.2) whose body, if any, was kept. An upgrade
// is not.
func (r *request) repeatable() bool {
	if r.body.stream != nil || r.Upgrade != "" {
		return false
	}
	return slices.Contains(idempotent, r.Method)
}

// idempotent are the methods that can be sent again (RFC 9110, 9.2.2), those in
// the front that are used most. TRACE, which can too, is not served.
var idempotent = []string{http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodPut, http.MethodDelete}
