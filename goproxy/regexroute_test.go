package goproxy

import (
	"strings"
	"testing"
)

func TestPathRegex(t *testing.T) {
	p := startEcho(t, func(c *Config) {
		c.Routes = []Route{
			{PathRegex: `^/u/([0-9]+)(/.*)?$`, RewritePath: "/users/$1/profile$2", Upstream: "backend"},
			{PathRegex: `\.php$`, RewritePath: "/legacy", Upstream: "backend"},
			{PathRegex: `^/x([a-z])([a-z])`, RewritePath: "/$2$1x$0", Upstream: "backend"},
			{PathRegex: `^/files/(.*)$`, Upstream: "backend"},
			{PathRegex: `^/t-(.*)$`, RewritePath: "/tenants/$1", Upstream: "backend"},
			{Path: "/u/7/plain", RewritePath: "/never", Upstream: "backend"},
			{Path: "/other", RewritePath: "/o", Upstream: "backend"},
		}
	})
	for target, want := range map[string]string{
		"/u/42":              "/users/42/profile",
		"/u/42?a=1&b=%20;c":  "/users/42/profile?a=1&b=%20;c",
		"/u/42/a%2Fb":        "/users/42/profile/a%2Fb",
		"/u/42/a%2fb%7Ec%20": "/users/42/profile/a%2Fb~c%20",
		"/%75/42":            "/users/42/profile",
		"/z/../u/42":         "/users/42/profile",
		"/u/7/plain":         "/users/7/profile/plain",
		"/xab":               "/bax/xab",
		"/a/b.php?q":         "/legacy?q",
		"/files/a%2Fb/c%20d": "/files/a%2Fb/c%20d",
		"/u/42/a;s=1":        "/users/42/profile/a;s=1",
		"/u/42;s=1/a":        "/users/42/profile/a",
		"/a/b.php;x.html":    "/legacy",
		"/other/x":           "/o/x",
	} {
		got := body(t, rawRequest(t, p, "GET "+target+" HTTP/1.1\r\nHost: h\r\n\r\n"))
		if !strings.HasPrefix(got, "GET "+want+"\n") {
			t.Errorf("%s became %s, want %s", target, strings.SplitN(got, "\n", 2)[0], want)
		}
	}
	for _, target := range []string{"/t-..", "/t-%2e%2e", "/t-..;s=1/x"} {
		if resp := rawRequest(t, p, "GET "+target+" HTTP/1.1\r\nHost: h\r\n\r\n"); resp.StatusCode != 400 {
			t.Errorf("%s: status %d, want 400", target, resp.StatusCode)
		}
	}
	for _, target := range []string{"/u/x", "/u/42/../../admin", "/u/%2e%2e/42", "/users/42"} {
		if resp := rawRequest(t, p, "GET "+target+" HTTP/1.1\r\nHost: h\r\n\r\n"); resp.StatusCode != 404 {
			t.Errorf("%s: status %d, want 404", target, resp.StatusCode)
		}
	}
}

func TestHeaderVariables(t *testing.T) {
	p := startEcho(t, func(c *Config) {
		c.Routes[0].Headers = Headers{
			Request: HeaderChange{
				Set: map[string]string{"X-Real-IP": "%{client_ip}", "X-Empty": "%{header:X-None}", "X-Tag": "a"},
				Add: map[string]string{"X-Tag": "%{cookie:tag}"},
			},
			Response: HeaderChange{
				Set: map[string]string{"X-Served-By": "%{upstream}/%{upstream_addr}"},
				Add: map[string]string{"Set-Cookie": "seen=%{host}"},
			},
		}
	})
	resp := rawRequest(t, p, "GET / HTTP/1.1\r\nHost: www.example.com\r\nX-Empty: x\r\nCookie: tag=b\r\n\r\n")
	got := body(t, resp)
	for _, want := range []string{"X-Real-Ip: 127.0.0.1\r\n", "X-Tag: a\r\nX-Tag: b\r\n"} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
	if strings.Contains(got, "X-Empty") {
		t.Errorf("an empty header was sent:\n%s", got)
	}
	if by := resp.Header.Get("X-Served-By"); !strings.HasPrefix(by, "backend/127.94.1.10:") {
		t.Errorf("X-Served-By: %s", by)
	}
	if got := resp.Header.Get("Set-Cookie"); got != "seen=www.example.com" {
		t.Errorf("Set-Cookie: %s", got)
	}
}

// A Domain cannot be an IP address.
func TestCookieDomainBehindAnAddress(t *testing.T) {
	in := &request{}
	in.Host = "192.0.2.1:8080"
	m := &member{}
	var err error
	if m.url, err = parseURL("http://app.example.com"); err != nil {
		t.Fatal(err)
	}
	r := &boundRoute{}
	if got := r.reverseCookie("a=b; Domain=app.example.com; Path=/", &endpoint{member: m}, in); got != "a=b; Path=/" {
		t.Errorf("got %q", got)
	}
}
