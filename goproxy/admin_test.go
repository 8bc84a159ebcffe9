package goproxy

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
)

func TestAdminAddress(t *testing.T) {
	for listen, open := range map[string]bool{":0": false, "127.0.0.1:0": false, "[::1]:0": false, "0.0.0.0:0": true} {
		p := startEcho(t, func(c *Config) { c.Admin = listen })
		bound := netip.MustParseAddrPort(p.AdminAddr().String()).Addr()
		if bound.IsLoopback() == open {
			t.Errorf("%s: listens on %v", listen, bound)
		}
		for host, want := range map[string]int{
			"":                          http.StatusOK,
			"localhost:9901":            http.StatusOK,
			"proxy1:9901":               http.StatusOK,
			"goproxy.example:9901":      http.StatusForbidden, // a page can point such a name at any address
			"127.0.0.1.goproxy.example": http.StatusForbidden,
		} {
			if status, text := admin(t, p, "GET", "/metrics", "", host); status != want || (want != http.StatusOK && !strings.Contains(text, `{"error":{"message":"got Host `)) {
				t.Errorf("%s: called as %q: status %d, %.100s; want %d", listen, host, status, text, want)
			}
		}
	}
}

// A connection on which nothing comes is closed, whatever was begun on it.
func TestAdminClosesWhatIsSilent(t *testing.T) {
	p := startEcho(t, func(c *Config) {
		c.Admin = "127.0.0.1:0"
		c.Clients = Clients{HeaderTimeout: Duration(50 * time.Millisecond), IdleTimeout: Duration(50 * time.Millisecond)}
	})
	for name, text := range map[string]string{
		"nothing":             "",
		"half a head":         "GET /metrics HTTP/1.1\r\nHost: localhost\r\n",
		"half a body":         "PUT /api/members/backend/x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n{",
		"an answered request": "GET /api/members HTTP/1.1\r\nHost: localhost\r\n\r\n",
	} {
		conn, err := net.Dial("tcp", p.AdminAddr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		conn.SetDeadline(time.Now().Add(5 * time.Second))
		if _, err := io.WriteString(conn, text); err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(conn); err != nil {
			t.Errorf("%s: %v after %q, want the end of the connection", name, err, got)
		}
	}
}

// A page of another origin in the operator's browser can change nothing.
func TestAdminRefusesOtherOrigins(t *testing.T) {
	for _, listen := range []string{"127.0.0.1:0", "0.0.0.0:0"} {
		t.Run(listen, func(t *testing.T) { refusesOtherOrigins(t, listen) })
	}
}

func refusesOtherOrigins(t *testing.T, listen string) {
	p := startEcho(t, func(c *Config) { c.Admin = listen })
	address := "http://127.0.0.1:" + strconv.Itoa(p.AdminAddr().(*net.TCPAddr).Port)
	called := false
	p.opts.Reread = func() error { called = true; return nil }
	post := func(headers ...string) int {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, address+"/api/reload", nil)
		if err != nil {
			t.Fatal(err)
		}
		for i := 0; i < len(headers); i += 2 {
			req.Header.Set(headers[i], headers[i+1])
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		return resp.StatusCode
	}
	for _, headers := range [][]string{
		{"Origin", "https://elsewhere.example"},
		{"Origin", "https://elsewhere.example", "Sec-Fetch-Site", "cross-site"},
		{"Origin", "http://127.0.0.1:9", "Sec-Fetch-Site", "same-site"},
		{"Origin", "null"},
	} {
		if status := post(headers...); status != http.StatusForbidden || called {
			t.Errorf("%v: status %d, called %v", headers, status, called)
		}
	}
	for _, headers := range [][]string{nil, {"Origin", address, "Sec-Fetch-Site", "same-origin"}} {
		if called = false; post(headers...) != http.StatusNoContent || !called {
			t.Errorf("%v: refused", headers)
		}
	}
}

// What "goproxy run" serves can be told by its API to read its file again.
func TestRunCommandReloadsByAPI(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	l.Close()
	text := func(upstream string) string {
		return fmt.Sprintf("listen: 127.0.0.1:0\nadmin: %s\naccess_log: off\nroutes: [{upstream: %s}]\nupstreams: {%s: {url: http://127.0.0.1:1}}\n", address, upstream, upstream)
	}
	path := writeConfig(t, text("one"))
	ctx, cancel := context.WithCancel(context.Background())
	ran := make(chan error, 1)
	go func() {
		_, err := execute(ctx, "run", path)
		ran <- err
	}()
	defer func() {
		cancel()
		if err := <-ran; err != nil {
			t.Errorf("run: %v", err)
		}
	}()
	call := func(method, path string) (int, string) {
		req, err := http.NewRequestWithContext(t.Context(), method, "http://"+address+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			return 0, err.Error()
		}
		return resp.StatusCode, body(t, resp)
	}
	eventually(t, 5*time.Second, "the admin API", func() bool {
		_, text := call("GET", "/api/members")
		return strings.Contains(text, `"upstream":"one"`)
	})
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("routes: 1\n")
	if status, text := call("POST", "/api/reload"); status != http.StatusUnprocessableEntity || !strings.Contains(text, path+":1:") {
		t.Errorf("a broken file: %d %s", status, text)
	}
	write(text("two"))
	if status, text := call("POST", "/api/reload"); status != http.StatusNoContent {
		t.Errorf("a good file: %d %s", status, text)
	}
	if _, text := call("GET", "/api/members"); !strings.Contains(text, `"upstream":"two"`) {
		t.Errorf("after the reload: %s", text)
	}
}
