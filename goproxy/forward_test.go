package goproxy

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// rawRequest sends bytes as they are and returns the response.
func rawRequest(t *testing.T, p *testProxy, text string) *http.Response {
	t.Helper()
	conn, err := net.Dial("tcp", p.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return requestOn(t, conn, text)
}

func requestOn(t *testing.T, conn net.Conn, text string) *http.Response {
	t.Helper()
	conn.SetDeadline(time.Now().Add(3 * time.Second))
	if _, err := io.WriteString(conn, text); err != nil {
		t.Fatal(err)
	}
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	return resp
}

// echoHead answers with the request line and header as the backend saw them.
func echoHead(w http.ResponseWriter, r *http.Request) {
	fmt.Fprintf(w, "%s %s\nHost: %s\n", r.Method, r.RequestURI, r.Host)
	r.Header.Write(w)
}

func startEcho(t *testing.T, change func(*Config)) *testProxy {
	t.Helper()
	backends, port := startBackends(t, 1)
	backends[0].handle(echoHead)
	d := startDNS(t, 1)
	d.set(backends...)
	cfg := simpleConfig(port)
	if change != nil {
		change(&cfg)
	}
	return startProxy(t, cfg, d)
}

func body(t *testing.T, resp *http.Response) string {
	t.Helper()
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestRequestTargetIsUntouched(t *testing.T) {
	p := startEcho(t, nil)
	for _, target := range []string{"/", "/a%2Fb?x=%20&y=a;b&z", "/a//b/c", "/a;x=1/b", "/%7Euser/caf%C3%A9", "/x?a=b?c=d", "/?q=%zz"} {
		got := body(t, rawRequest(t, p, "GET "+target+" HTTP/1.1\r\nHost: h\r\n\r\n"))
		if want := "GET " + target + "\n"; !strings.HasPrefix(got, want) {
			t.Errorf("sent %s, the backend saw %s", target, strings.SplitN(got, "\n", 2)[0])
		}
	}
}

// Several slashes at the beginning are sent as one: they would begin a host in a
// reference.
func TestPathsThatBeginLikeHosts(t *testing.T) {
	for _, rewrite := range []string{"", "/"} {
		p := startEcho(t, func(c *Config) { c.Routes[0].RewritePath = rewrite })
		for target, want := range map[string]string{
			"//evil/admin": "/evil/admin", "///evil//x": "/evil//x", `/\evil/admin`: "/evil/admin", `/\/\evil`: "/evil", "//": "/",
			"//evil?a=//b": "/evil?a=//b", "http://h//evil/x": "/evil/x", "/a//b": "/a//b", "/": "/",
		} {
			got := body(t, rawRequest(t, p, "GET "+target+" HTTP/1.1\r\nHost: h\r\n\r\n"))
			if line, _, _ := strings.Cut(got, "\n"); line != "GET "+want {
				t.Errorf("rewrite_path %q, %s: the backend saw %s, want %s", rewrite, target, line, want)
			}
		}
	}
}

func TestForwardedHeaders(t *testing.T) {
	p := startEcho(t, nil)
	got := body(t, rawRequest(t, p, "GET / HTTP/1.1\r\nHost: www.example.com\r\nX-Forwarded-For: 192.0.2.7\r\nX-Forwarded-Proto: gopher\r\nConnection: X-Secret\r\nX-Secret: 1\r\nTE: gzip\r\n\r\n"))
	for _, want := range []string{
		"Host: " + backendName + ":", "X-Forwarded-For: 192.0.2.7, 127.0.0.1\r\n", "X-Forwarded-Host: www.example.com\r\n", "X-Forwarded-Proto: http\r\n",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
	for _, unwanted := range []string{"X-Secret", "gopher", "User-Agent", "Accept-Encoding", "Te:"} {
		if strings.Contains(got, unwanted) {
			t.Errorf("%q in\n%s", unwanted, got)
		}
	}
}

func TestPreserveHost(t *testing.T) {
	p := startEcho(t, func(c *Config) { c.Routes[0].PreserveHost = true })
	got := body(t, rawRequest(t, p, "GET / HTTP/1.1\r\nHost: www.example.com:81\r\n\r\n"))
	if !strings.Contains(got, "\nHost: www.example.com:81\n") {
		t.Errorf("got\n%s", got)
	}
}

func TestAmbiguousRequestsAreRefused(t *testing.T) {
	p := startEcho(t, nil)
	for name, text := range map[string]string{
		"two lengths":        "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
		"length and chunked": "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nTransfer-Encoding: chunked, x\r\n\r\n0\r\n\r\n",
		"two hosts":          "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
		"no host":            "GET / HTTP/1.1\r\n\r\n",
		"space before colon": "GET / HTTP/1.1\r\nHost: h\r\nX : y\r\n\r\n",
	} {
		if resp := rawRequest(t, p, text); resp.StatusCode < 400 {
			t.Errorf("%s: status %d", name, resp.StatusCode)
		}
	}
}

func TestWebSocketPasses(t *testing.T) {
	backends, port := startBackends(t, 1)
	backends[0].handle(func(w http.ResponseWriter, r *http.Request) {
		c, err := websocket.Accept(w, r, &websocket.AcceptOptions{InsecureSkipVerify: true})
		if err != nil {
			return
		}
		defer c.CloseNow()
		kind, data, err := c.Read(r.Context())
		if err == nil {
			c.Write(r.Context(), kind, append([]byte("echo "), data...))
		}
		c.Read(r.Context())
	})
	d := startDNS(t, 1)
	d.set(backends...)
	p := startProxy(t, simpleConfig(port), d)
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
	defer cancel()
	c, _, err := websocket.Dial(ctx, p.url, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer c.CloseNow()
	if err := c.Write(ctx, websocket.MessageText, []byte("hello")); err != nil {
		t.Fatal(err)
	}
	if _, data, err := c.Read(ctx); err != nil || string(data) != "echo hello" {
		t.Errorf("got %q, %v", data, err)
	}
	// The drain does not wait for it, but ends it on both sides.
	p.Close()
	if _, _, err := c.Read(ctx); err == nil || ctx.Err() != nil {
		t.Errorf("after the drain: %v, want the connection closed", err)
	}
	eventually(t, 2*time.Second, "the backend's side is closed", func() bool { return backends[0].openConns() == 0 })
}

func TestStreamIsNotHeldBack(t *testing.T) {
	backends, port := startBackends(t, 1)
	release := make(chan struct{})
	backends[0].handle(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		io.WriteString(w, "data: 1\n\n")
		w.(http.Flusher).Flush()
		<-release
	})
	d := startDNS(t, 1)
	d.set(backends...)
	p := startProxy(t, simpleConfig(port), d)
	resp := rawRequest(t, p, "GET / HTTP/1.1\r\nHost: h\r\n\r\n")
	buf := make([]byte, 9)
	if _, err := io.ReadFull(resp.Body, buf); err != nil || string(buf) != "data: 1\n\n" {
		t.Errorf("got %q, %v before the stream ended", buf, err)
	}
	close(release)
}

func TestRouting(t *testing.T) {
	up := map[string]*running{}
	for _, name := range []string{"any", "api", "apiv2", "www", "wild", "deep"} {
		up[name] = &running{upstream: &upstream{name: name}}
	}
	r := newRouter([]boundRoute{
		{Route: Route{}, up: up["any"]},
		{Route: Route{Path: "/api"}, up: up["api"]},
		{Route: Route{Path: "/api/v2/"}, up: up["apiv2"]},
		{Route: Route{Host: "*.example.com"}, up: up["wild"]},
		{Route: Route{Host: "*.deep.example.com"}, up: up["deep"]},
		{Route: Route{Host: "www.example.com"}, up: up["www"]},
	})
	for _, test := range []struct{ host, path, want string }{
		{"x", "/", "any"},
		{"x", "/api", "api"},
		{"x", "/api/1", "api"},
		{"x", "/apix", "any"},
		{"x", "/api/v2/x", "apiv2"},
		{"x", "/api/v2", "api"},
		{"WWW.example.com:8080", "/api", "www"},
		{"a.example.com", "/", "wild"},
		{"a.b.example.com", "/", "wild"},
		{"example.com", "/", "any"},
		{"a.deep.example.com", "/", "deep"},
		{".example.com", "/", "any"},
		{"www.example.com.", "/", "www"},
		{"www.example.com.:80", "/", "www"},
	} {
		if got := r.match(test.host, pathForms{raw: test.path, clean: test.path}); got == nil || got.up.name != test.want {
			t.Errorf("%s%s: got %v, want %s", test.host, test.path, got, test.want)
		}
	}
	if newRouter([]boundRoute{{Route: Route{Host: "a"}, up: up["any"]}}).match("b", pathForms{raw: "/", clean: "/"}) != nil {
		t.Error("a host without a route was matched")
	}
}
