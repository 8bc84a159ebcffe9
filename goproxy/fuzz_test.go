package goproxy

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"
)

// FuzzReverse feeds what an upstream may say. Nothing may panic, and a header
// must stay one line.
func FuzzReverse(f *testing.F) {
	target, err := url.Parse("http://backend.example.com:8080")
	if err != nil {
		f.Fatal(err)
	}
	served := &endpoint{member: &member{url: target}}
	for _, v := range []string{"http://backend.example.com:8080/v1/x?y#z", "/v1", "5; url=/v1/x", "a=b; Path=/v1/", "http://[::1", "//h/%zz", "http:opaque", "\u0130\u0130;url="} {
		f.Add(v)
	}
	f.Fuzz(func(t *testing.T, value string) {
		if strings.ContainsAny(value, "\r\n\x00") {
			return // net/http does not let these in
		}
		in := httptest.NewRequest(http.MethodGet, "http://www.example.com/app", nil)
		route := boundRoute{Route: Route{Path: "/app", RewritePath: "/v1"}}
		resp := &http.Response{Header: http.Header{"Location": {value}, "Content-Location": {value}, "Refresh": {value}, "Set-Cookie": {value}}}
		route.reverse(resp, served, in)
		for name := range resp.Header {
			if strings.ContainsAny(resp.Header.Get(name), "\r\n") {
				t.Errorf("%s: %q became %q", name, value, resp.Header.Get(name))
			}
		}
	})
}

// FuzzRoute feeds what a client may ask for. A path that reaches the upstream
// of /public must stay below it once the dots are resolved.
func FuzzRoute(f *testing.F) {
	public := &running{upstream: &upstream{name: "public"}}
	r := newRouter([]boundRoute{{Route{Path: "/public", RewritePath: "/v1"}, public}})
	sessions := newSticky("S|s", false, []*member{{route: "a"}})
	for _, target := range []string{"/public/x", "/public/../x", "/%70ublic/%2e%2e/", "/public;s=x.a/y", "//public//..", "/public/%2F.."} {
		f.Add(target, "S=x.a")
	}
	f.Fuzz(func(t *testing.T, target, cookie string) {
		u, err := url.ParseRequestURI(target)
		if err != nil || !strings.HasPrefix(u.Path, "/") {
			return
		}
		if route := sessions.routeOf(&http.Request{URL: u, Header: http.Header{"Cookie": {cookie}}}); route != "" && route != "a" {
			t.Errorf("route %q is nobody's", route)
		}
		clean := cleanPath(u.Path)
		route := r.match("h", clean)
		if route == nil {
			return
		}
		route.rewritePath(u, clean)
		if got := cleanPath(u.Path); !pathMatches("/v1", got) {
			t.Errorf("%q became %q, which is %q: outside of /v1", target, u.Path, got)
		}
	})
}

// FuzzURL feeds upstream urls.
func FuzzURL(f *testing.F) {
	f.Add("http://h:80")
	f.Add("https://[2001:db8::1]")
	f.Fuzz(func(t *testing.T, text string) {
		u, err := parseURL(text)
		if err != nil {
			return
		}
		if u.Port() == "" || u.Hostname() == "" || u.Path != "" {
			t.Errorf("%q gave %v", text, u)
		}
		if addr, err := netip.ParseAddr(u.Hostname()); err == nil && !addr.IsValid() {
			t.Errorf("%q gave the address %v", text, addr)
		}
	})
}
