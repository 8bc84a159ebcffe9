package goproxy

import (
	"net/http"
	"strings"
	"testing"
)

// Connection takes away fields of one hop. What the proxy says itself, or a config has it
// say, is not taken away by what a client or an upstream writes there.
func TestConnectionTakesNothingOfTheProxysAway(t *testing.T) {
	backends, port := startBackends(t, 1)
	backends[0].handle(func(w http.ResponseWriter, r *http.Request) {
		w.Header()["Connection"] = []string{"x-frame-options, date, via, server, x-up, content-length, set-cookie"}
		w.Header()["X-Up"] = []string{"1"}
		w.Header()["Server"] = []string{"theirs"}
		echoHead(w, r)
	})
	d := startDNS(t, 60)
	d.set(backends...)
	cfg := simpleConfig(port)
	cfg.Routes[0].Headers = Headers{
		Request:  HeaderChange{Set: map[string]string{"X-Role": "user"}, Add: map[string]string{"X-Env": "prod"}, Remove: []string{"X-Debug"}},
		Response: HeaderChange{Set: map[string]string{"X-Frame-Options": "DENY"}, Add: map[string]string{"X-Added": "1"}, Remove: []string{"Server"}},
	}
	p := startProxy(t, cfg, d)
	for _, options := range []string{
		"x-role, X-ENV, x-debug, host, x-forwarded-for, x-forwarded-host, x-forwarded-proto, via, content-length, transfer-encoding, te, upgrade, connection, keep-alive, close",
		"close\r\nConnection: x-role\r\nConnection: via, x-env",
		", ,x-role,,X-Env ,\tx-forwarded-for",
	} {
		resp := rawRequest(t, p, "POST / HTTP/1.1\r\nHost: h\r\nX-Role: admin\r\nX-Debug: 1\r\nX-Env: test\r\nX-Forwarded-For: 6.6.6.6\r\nContent-Length: 2\r\nConnection: "+options+"\r\n\r\nok")
		got := body(t, resp)
		for _, want := range []string{"POST /\n", "X-Role: user\r\n", "X-Env: prod\r\n", "X-Forwarded-For: 6.6.6.6, 127.0.0.1\r\n", "X-Forwarded-Host: h\r\n", "X-Forwarded-Proto: http\r\n", "Via: 1.1 goproxy-"} {
			if !strings.Contains(got, want) {
				t.Errorf("%q: no %q in\n%s", options, want, got)
			}
		}
		for _, gone := range []string{"admin", "X-Debug", "test\r\n", "Connection:"} {
			if strings.Contains(got, gone) {
				t.Errorf("%q: %q in\n%s", options, gone, got)
			}
		}
		h := resp.Header
		if h.Get("X-Frame-Options") != "DENY" || h.Get("X-Added") != "1" || h.Get("Date") == "" || h.Get("X-Up") != "" || h.Get("Server") != "" {
			t.Errorf("%q: the client got %v", options, h)
		}
	}
}
