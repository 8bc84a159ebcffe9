package goproxy

import (
	"strings"
	"testing"
)

// A route with a status closes its paths in every spelling.
func TestRouteStatus(t *testing.T) {
	p := startEcho(t, func(c *Config) {
		c.Routes = []Route{
			{PathRegex: `/my docs/`, Status: 403},
			{PathRegex: `/\.git`, Status: 404},
			{PathRegex: `^/i n.*s$`, Status: 404},
			{PathRegex: `;|//`, Status: 405},
			{Path: "/admin/", Status: 403},
			{Upstream: "backend"},
		}
	})
	for target, want := range map[string]int{
		"/": 200, "/admin": 200, "/admin/": 403, "/admin/x": 403, "/%2e//admin/x": 405, "/a/../admin/x": 403,
		"/%61dmin/": 403, "/admin%2Fx": 403, "/admin/.": 403, "/admin/x/..": 403, "/admin/%2e": 403,
		"/a/.git/config": 404, "/a/%2egit": 404, "/a%2f.git": 404, "/my%20docs/x": 403, "/my%20docs%2fx": 403,
		"/i%20ns": 404, "/i%20n/x%0as": 404, "/i%20ns%0a": 404, "/%0ai%20ns": 200, "/a;b": 405, "/a%3bb": 405, "/a//": 405, "/a/": 200,
	} {
		if resp := rawRequest(t, p, "GET "+target+" HTTP/1.1\r\nHost: h\r\n\r\n"); resp.StatusCode != want {
			t.Errorf("%s: status %d, want %d", target, resp.StatusCode, want)
		}
	}
}

func TestRouteStatusIsChecked(t *testing.T) {
	for name, test := range map[string]struct {
		route Route
		want  string
	}{
		"low":      {Route{Status: 200}, "routes.0.status: 200: want 400 to 599"},
		"high":     {Route{Status: 600}, "routes.0.status: 600: want 400 to 599"},
		"upstream": {Route{Status: 403, Upstream: "a"}, "asks no upstream"},
		"rewrite":  {Route{Status: 403, RewritePath: "/x"}, "asks no upstream"},
	} {
		cfg := Config{Routes: []Route{test.route}, Upstreams: map[string]Upstream{"a": {URL: "http://127.0.0.1"}}}
		if err := cfg.Validate(); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got %v, want %s", name, err, test.want)
		}
	}
}
