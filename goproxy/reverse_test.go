package goproxy

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestRewritePath(t *testing.T) {
	for _, test := range []struct{ path, to, in, want string }{
		{"/app", "/", "/app/x%2Fy", "/x%2Fy"},
		{"/app", "/", "/app", "/"},
		{"/app", "/", "/app/", "/"},
		{"/app/", "/", "/app/x", "/x"},
		{"/app", "/v1/base", "/app/x", "/v1/base/x"},
		{"/app", "/v1/base/", "/app/x/", "/v1/base/x/"},
		{"", "/base", "/x", "/base/x"},
		{"/app", "/", "/%61pp/x", "/x"},
		{"/app", "/", "/y/../app/x", "/x"},
		{"/app", "", "/app//x/y", "/app//x/y"},
		{"/app", "", "/app//x/../y", "/app/y"},
		{"/app", "", "/x/..;v=1/app/y/.", "/app/y/"},
		{"/app", "/v1", "/app;v=1/x;s=1", "/v1/x"},
		{"/app", "/v1", "/app/x;s=1/y", "/v1/x;s=1/y"},
		{"/app", "/v1", "/app/y/../x", "/v1/x"},
		{"/app", "/v1", "/app/%2e%2e/app/..%2fapp/x", "/v1/x"},
		{"/app", "/v1", `/app\y\..\x`, "/v1/x"},
		{"/a b", "/v1", "/a%20b/c%20d", "/v1/c%20d"},
		{"/", "/public", "/x/../private", "/public/private"},
	} {
		var err error
		in := &request{}
		in.Target = test.in
		in.reset(nil, time.Time{})
		route := boundRoute{Route: Route{Path: test.path, RewritePath: test.to}}
		if in.path, err = formsOf(in.path.raw); err != nil {
			t.Errorf("%s: %v", test.in, err)
			continue
		}
		if err := in.rewrite(&route, newVia()); err != nil {
			t.Errorf("%s: %v", test.in, err)
		}
		if got := in.target; got != test.want {
			t.Errorf("%s -> %q: %s became %s, want %s", test.path, test.to, test.in, got, test.want)
		}
	}
}

func TestResponsesPointAtTheProxy(t *testing.T) {
	backends, port := startBackends(t, 1)
	d := startDNS(t, 1)
	d.set(backends...)
	cfg := simpleConfig(port)
	cfg.Routes = []Route{{Upstream: "backend", Path: "/app", RewritePath: "/v1"}}
	p := startProxy(t, cfg, d)
	own := fmt.Sprintf("http://%s:%d", backendName, port)
	for _, test := range []struct{ header, value, want string }{
		{"Location", own + "/v1/login?a=b;c#f", "http://www.example.com/app/login?a=b;c#f"},
		{"Location", own + "/v1", "http://www.example.com/app"},
		{"Location", own + "/other", "http://www.example.com/other"},
		{"Location", "/v1/x%2Fy", "/app/x%2Fy"},
		{"Location", "/v10/x", "/v10/x"},
		{"Location", "relative", "relative"},
		{"Location", "//cdn.example.com/v1/x", "//cdn.example.com/v1/x"},
		{"Location", "https://elsewhere.example.com/v1/x", "https://elsewhere.example.com/v1/x"},
		{"Location", fmt.Sprintf("http://%s:%d/v1/x", backendName, port+1), fmt.Sprintf("http://%s:%d/v1/x", backendName, port+1)},
		{"Content-Location", own + "/v1/doc", "http://www.example.com/app/doc"},
		{"Refresh", "5; URL='" + own + "/v1/next'", "5; URL=http://www.example.com/app/next"},
		{"Refresh", "0;url=/v1/", "0;url=/app/"},
		{"Refresh", "5", "5"},
		{"Set-Cookie", "a=b; Path=/v1; HttpOnly", "a=b; Path=/app; HttpOnly"},
		{"Set-Cookie", "a=b; path=/v1/x", "a=b; path=/app/x"},
		{"Set-Cookie", "a=b; Path=/", "a=b; Path=/"},
		{"Set-Cookie", "a=b", "a=b"},
		{"Set-Cookie", "a=b;Path=/v1;Domain=." + backendName, "a=b; Path=/app; Domain=www.example.com"},
		{"Set-Cookie", "a=b; Domain=elsewhere.example.com; Secure", "a=b; Domain=elsewhere.example.com; Secure"},
	} {
		backends[0].handle(func(w http.ResponseWriter, _ *http.Request) { w.Header().Set(test.header, test.value) })
		resp := rawRequest(t, p, "GET /app/ HTTP/1.1\r\nHost: www.example.com\r\n\r\n")
		if got := resp.Header.Get(test.header); got != test.want {
			t.Errorf("%s: %s became %s, want %s", test.header, test.value, got, test.want)
		}
	}
}

// A path of the upstream becomes no other host, to which a browser would go.
func TestLocationRemainsAtTheProxy(t *testing.T) {
	backends, port := startBackends(t, 1)
	d := startDNS(t, 1)
	d.set(backends...)
	for _, path := range []string{"", "/"} {
		cfg := simpleConfig(port)
		cfg.Routes = []Route{{Upstream: "backend", Path: path, RewritePath: "/v1"}}
		p := startProxy(t, cfg, d)
		for location, want := range map[string]string{
			"/v1//evil.example/x":   "/evil.example/x",
			"/v1///evil.example":    "/evil.example",
			"/v1/%2fevil.example/x": "/%2fevil.example/x",
			"/v1/a//b":              "/a//b",
		} {
			backends[0].handle(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Location", location)
				w.Header().Set("Set-Cookie", "a=b; Path="+location)
			})
			resp := rawRequest(t, p, "GET / HTTP/1.1\r\nHost: www.example.com\r\n\r\n")
			if got := resp.Header.Get("Location"); got != want {
				t.Errorf("path %q: %s became %s, want %s", path, location, got, want)
			}
			if got := resp.Header.Get("Set-Cookie"); got != "a=b; Path="+want {
				t.Errorf("path %q: %s became %s, want the path %s", path, location, got, want)
			}
		}
	}
}

func TestHeadersAreChanged(t *testing.T) {
	p := startEcho(t, func(c *Config) {
		c.Routes[0].Headers = Headers{
			Request:  HeaderChange{Remove: []string{"x-debug"}, Set: map[string]string{"X-Env": "prod"}},
			Response: HeaderChange{Remove: []string{"Date"}, Set: map[string]string{"X-Frame-Options": "DENY"}},
		}
	})
	resp := rawRequest(t, p, "GET / HTTP/1.1\r\nHost: h\r\nX-Debug: 1\r\nX-Env: test\r\n\r\n")
	got := body(t, resp)
	if strings.Contains(got, "X-Debug") || !strings.Contains(got, "X-Env: prod\r\n") || strings.Contains(got, "X-Env: test") {
		t.Errorf("the backend saw\n%s", got)
	}
	if resp.Header.Get("X-Frame-Options") != "DENY" {
		t.Errorf("the client saw %v", resp.Header)
	}
}

func TestPathCannotLeaveItsRoute(t *testing.T) {
	backends, port := startBackends(t, 1)
	d := startDNS(t, 1)
	d.set(backends...)
	cfg := simpleConfig(port)
	cfg.Routes[0].Path = "/public"
	p := startProxy(t, cfg, d)
	for target, want := range map[string]int{
		"/public/x": 200, "/public/../admin": 404, "/public/%2e%2e/admin": 404, "/public/..%2Fadmin": 404, "/x/../public/y": 200, "/..;/public": 400, "/../public/x": 400, "/public/%2e%2e/%2e%2e/public": 400, "/public/..;x=1/admin": 404, `/public/..\admin`: 404, "/public;x=1": 200, "//public": 200, "/publicity": 404,
	} {
		if resp := rawRequest(t, p, "GET "+target+" HTTP/1.1\r\nHost: h\r\n\r\n"); resp.StatusCode != want {
			t.Errorf("%s: status %d, want %d", target, resp.StatusCode, want)
		}
	}
}

// A client that names no host, as HTTP/1.0 allows, gets a path.
func TestLocationForAClientThatNamesNoHost(t *testing.T) {
	backends, port := startBackends(t, 1)
	d := startDNS(t, 1)
	d.set(backends...)
	own := fmt.Sprintf("http://%s:%d", backendName, port)
	for _, route := range []Route{{Upstream: "backend"}, {Upstream: "backend", Path: "/app", RewritePath: "/"}} {
		cfg := simpleConfig(port)
		cfg.Routes = []Route{route}
		p := startProxy(t, cfg, d)
		for location, want := range map[string]string{
			own:                          route.Path + "/",
			own + "?q":                   route.Path + "/?q",
			own + "/x%2Fy?q#f":           route.Path + "/x%2Fy?q#f",
			own + "//evil.example":       route.Path + "/evil.example",
			"http://other.example/x":     "http://other.example/x",
			"https://" + backendName:     "https://" + backendName,
			"mailto:someone@example.com": "mailto:someone@example.com",
		} {
			backends[0].handle(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Location", location)
				w.Header().Set("Set-Cookie", "a=b; Domain="+backendName)
			})
			resp := rawRequest(t, p, "GET /app/ HTTP/1.0\r\n\r\n")
			if got := resp.Header.Get("Location"); got != want {
				t.Errorf("%+v: %s became %q, want %q", route, location, got, want)
			}
			if got := resp.Header.Get("Set-Cookie"); got != "a=b" {
				t.Errorf("%+v: the cookie became %q, want it without a domain", route, got)
			}
		}
	}
}
