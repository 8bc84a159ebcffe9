package goproxy

import (
	"math/rand/v2"
	"net/http"
	"net/url"
	"path"
	"strings"
	"testing"
	"time"
)

// readers are what programs behind a proxy make of a path before they look at it.
var readers = map[string]func(string) string{
	"as it is":            func(p string) string { return p },
	"decoded":             decoded,
	"nginx":               func(p string) string { return path.Clean("/" + decoded(p)) },
	"Windows":             func(p string) string { return path.Clean("/" + strings.ReplaceAll(decoded(p), `\`, "/")) },
	"Tomcat":              func(p string) string { return path.Clean("/" + decoded(withoutParameters(p))) },
	"the other way round": func(p string) string { return path.Clean("/" + withoutParameters(decoded(p))) },
	"slashes":             func(p string) string { return "/" + strings.TrimLeft(decoded(p), `/\`) },
	"a reference": func(p string) string {
		if u, err := url.Parse(p); err == nil {
			return u.Path
		}
		return ""
	},
}

// However a path is written, one that is closed reaches no upstream as it, whatever that
// makes of it.
func TestNoWayAroundAClosedRoute(t *testing.T) {
	up := &running{upstream: &upstream{name: "app"}}
	byRegex, err := newBoundRoute(Route{PathRegex: `^/secret(/|$)`, Status: http.StatusForbidden}, nil)
	if err != nil {
		t.Fatal(err)
	}
	r := newRouter([]boundRoute{
		{Route: Route{Path: "/admin", Status: http.StatusForbidden}}, byRegex,
		{Route: Route{Path: "/v1", RewritePath: "/"}, up: up}, {Route: Route{Path: "/u", RewritePath: "/u/"}, up: up}, {up: up},
	})
	pieces := []string{
		"/", "/", "/", "//", "/.", "/..", "admin", "admin", "secret", "%61dmin", "a%64min", "%73ecret", "x", "v1", "u", ".", "..", "%2e", "%2E%2e", "%2f", "%2F", "%5c", `\`,
		";", ";a=b", "%3b", "%3Ba", "?", "%3f", "~", "%7e", "%20", "%0a", "%09",
	}
	random := rand.New(rand.NewPCG(1, 2))
	sent := 0
	for range 300_000 {
		var target strings.Builder
		target.WriteByte('/')
		for range 1 + random.IntN(7) {
			target.WriteString(pieces[random.IntN(len(pieces))])
		}
		in := &request{}
		if in.Parse("GET "+target.String()+" HTTP/1.1\r\nHost: h\r\n\r\n") != nil {
			continue
		}
		in.reset(nil, time.Time{})
		forms, err := formsOf(in.path.raw)
		if err != nil {
			continue
		}
		route := r.match("h", forms)
		if route == nil || route.Status != 0 {
			continue
		}
		out, err := forms.sent(route)
		if err != nil {
			continue
		}
		out = oneSlash(out)
		sent++
		for name, read := range readers {
			for _, closed := range []string{"/admin", "/secret"} {
				if got := read(out); (got == closed || strings.HasPrefix(got, closed+"/")) && route.RewritePath != "/" {
					t.Fatalf("%q is sent as %q, which is %q to %s", target.String(), out, got, name)
				}
			}
		}
	}
	if sent < 100_000 {
		t.Errorf("%d of 300,000 paths were sent, want many", sent)
	}
}
