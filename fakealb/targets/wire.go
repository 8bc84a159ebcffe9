package targets

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// Wire is the request as Go's client is to send it to a real server: its target is
// RequestURI byte for byte, where url.URL would write some paths in another way.
// Of a client of HTTP/2 the names of fields are in the case of 2.5.6.
func Wire(req *http.Request, scheme, address string) *http.Request {
	out := new(http.Request)
	*out = *req
	u := *req.URL
	if target := req.RequestURI; strings.HasPrefix(target, "/") && !strings.HasPrefix(target, "//") {
		u = url.URL{Opaque: target}
	}
	u.Scheme, u.Host = scheme, address
	out.URL, out.RequestURI = &u, ""
	if req.ProtoMajor == 2 {
		out.Header = lowerNames(req.Header)
	}
	return out
}

// mixedNames are the fields that reach a target of HTTP/1.1 in mixed case when the
// client spoke HTTP/2 (2.5.6 D). Go's client writes Host and, against the guide,
// Content-Length and Transfer-Encoding so too.
var mixedNames = []string{"X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Port", "X-Amzn-Trace-Id", "Upgrade", "Connection"}

// lowerNames gives the other fields the lower case that they have in HTTP/2.
func lowerNames(h http.Header) http.Header {
	out := make(http.Header, len(h)+1)
	out["User-Agent"] = nil // otherwise Go's client adds its own to user-agent
	for name, values := range h {
		if values != nil && !slices.Contains(mixedNames, name) {
			name = strings.ToLower(name)
		}
		out[name] = values
	}
	return out
}
