package goproxy

import (
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/proxychaos/proxychaos/goproxy/http1"
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
		in := &request{}
		in.Host = "www.example.com"
		route := boundRoute{Route: Route{Path: "/app", RewritePath: "/v1"}}
		header := http1.Header{{Name: "Location", Value: value}, {Name: "Content-Location", Value: value}, {Name: "Refresh", Value: value}, {Name: "Set-Cookie", Value: value}}
		route.reverse(header, served, in)
		for _, f := range header {
			if strings.ContainsAny(f.Value, "\r\n") {
				t.Errorf("%s: %q became %q", f.Name, value, f.Value)
			}
		}
	})
}

// FuzzRoute feeds what a client may ask for. A path that reaches the upstream
// of /public must stay below it once the dots are resolved, and what is sent must be
// the path that routes have seen.
func FuzzRoute(f *testing.F) {
	public := &running{upstream: &upstream{name: "public"}}
	byRegex, err := newBoundRoute(Route{PathRegex: "^/u/(.*)$", RewritePath: "/v1/u/$1"}, public)
	if err != nil {
		f.Fatal(err)
	}
	r := newRouter([]boundRoute{{Route: Route{Path: "/public", RewritePath: "/v1"}, up: public}, byRegex})
	sessions := newSticky(Upstream{StickySession: "S|s"}, []*member{{route: "a"}})
	for _, target := range []string{"/public/x", "/public/../x", "/%70ublic/%2e%2e/", "/public;s=x.a/y", "//public//..", "/public/%2F..", "/u/a%2Fb", "/u/..%2Fx", "/%75//x"} {
		f.Add(target, "S=x.a")
	}
	f.Fuzz(func(t *testing.T, target, cookie string) {
		in := &request{}
		if in.Parse("GET "+target+" HTTP/1.1\r\nHost: h\r\nCookie: "+cookie+"\r\n\r\n") != nil {
			return
		}
		in.reset(nil, time.Time{})
		if _, route := sessions.sessionOf(in); route != "" && route != "a" {
			t.Errorf("route %q is nobody's", route)
		}
		forms, err := formsOf(in.path.raw)
		if err != nil {
			return // it climbs
		}
		whole, err := forms.sent(&boundRoute{})
		if seen, again := formsOf(whole); err != nil || again != nil || seen.dots || seen.clean != forms.clean {
			t.Errorf("routes see %q as %q, and what is sent, %q, as %q: %v, %v", target, forms.clean, whole, seen.clean, err, again)
		}
		route := r.match("h", forms)
		if route == nil {
			return
		}
		out := &request{}
		sent, err := forms.sent(route)
		if err != nil {
			return // a group brought dot segments
		}
		if err := out.Parse("GET " + sent + " HTTP/1.1\r\nHost: h\r\n\r\n"); err != nil {
			t.Fatalf("%q became what is no target: %v", target, err)
		}
		out.reset(nil, time.Time{})
		if got, err := formsOf(out.path.raw); err != nil || got.dots || !pathMatches("/v1", got.clean) {
			t.Errorf("%q became %q, which is %q, %v: outside of /v1, or with dot segments", target, sent, got.clean, err)
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
