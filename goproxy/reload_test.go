package goproxy

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestReloadUnderLoadLosesNothing(t *testing.T) {
	backends, port := startBackends(t, 2)
	d := startDNS(t, 1)
	d.set(backends...)
	p := startProxy(t, simpleConfig(port), d)
	results := load(p, moveRate, 3*time.Second)
	eventually(t, 3*time.Second, "20 requests", func() bool { return backends[0].requestsAfter(time.Time{}) >= 20 })
	was := p.table.Load().upstreams["backend"]
	for i := range 50 {
		cfg := simpleConfig(port)
		cfg.Routes[0].Headers.Response.Set = map[string]string{"X-Config": fmt.Sprint(i)}
		if i%10 == 9 {
			// Another upstream altogether: its pools are built anew.
			cfg.Upstreams["backend"] = Upstream{URL: cfg.Upstreams["backend"].URL, Pool: Pool{MaxIdle: i}}
		}
		if err := p.Reload(cfg); err != nil {
			t.Fatal(err)
		}
		if i == 8 {
			if p.table.Load().upstreams["backend"] != was {
				t.Error("nine reloads that kept the upstream built it, and its pools, anew")
			}
		}
		resp := rawRequest(t, p, "GET / HTTP/1.1\r\nHost: h\r\n\r\n")
		if got := resp.Header.Get("X-Config"); got != fmt.Sprint(i) {
			t.Fatalf("after reload %d the response is of config %q", i, got)
		}
	}
	requireNoFailure(t, <-results, 3*moveRate)
}

func TestReloadRefusesWhatItCannotDo(t *testing.T) {
	p := startEcho(t, nil)
	cfg := simpleConfig(1)
	cfg.Listen = "127.0.0.1:1"
	if err := p.Reload(cfg); err == nil || !strings.Contains(err.Error(), "listen: ") {
		t.Errorf("got %v", err)
	}
	cfg = simpleConfig(1)
	cfg.Routes[0].Upstream = "absent"
	if err := p.Reload(cfg); err == nil {
		t.Error("a config with a problem was taken")
	}
	if resp := rawRequest(t, p, "GET / HTTP/1.1\r\nHost: h\r\n\r\n"); resp.StatusCode != http.StatusOK {
		t.Errorf("status %d: the present config must stay", resp.StatusCode)
	}
}

func TestSIGHUPReadsTheFileAgain(t *testing.T) {
	p := startEcho(t, nil)
	port := p.table.Load().upstreams["backend"].members[0].port
	text := func(value string) string {
		return fmt.Sprintf("routes: [{upstream: backend, headers: {response: {set: {X-Config: %s}}}}]\nupstreams: {backend: {url: 'http://%s:%d'}}\n", value, backendName, port)
	}
	path := writeConfig(t, text("one"))
	logs := &syncBuffer{}
	hangup := make(chan os.Signal)
	go reloadOn(t.Context(), hangup, p.Proxy, path, slog.New(slog.NewTextHandler(logs, nil)))
	answer := func() string {
		return rawRequest(t, p, "GET / HTTP/1.1\r\nHost: h\r\n\r\n").Header.Get("X-Config")
	}
	hangup <- syscall.SIGHUP
	eventually(t, 3*time.Second, "the config of the file", func() bool { return answer() == "one" })
	if err := os.WriteFile(path, []byte("routes: 1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	hangup <- syscall.SIGHUP
	eventually(t, 3*time.Second, "an error in the log", func() bool {
		return strings.Contains(logs.String(), "the present config stays") && strings.Contains(logs.String(), path+":1:")
	})
	if got := answer(); got != "one" {
		t.Errorf("after a broken file the config is %q", got)
	}
	if err := os.WriteFile(path, []byte(text("two")), 0o600); err != nil {
		t.Fatal(err)
	}
	hangup <- syscall.SIGHUP
	eventually(t, 3*time.Second, "the repaired config", func() bool { return answer() == "two" })
}

func admin(t *testing.T, p *testProxy, method, path, body string, host string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, "http://"+p.AdminAddr().String()+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if host != "" {
		req.Host = host
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(data)
}

func TestAdmin(t *testing.T) {
	backends, port := startBackends(t, 2)
	d := startDNS(t, 1)
	d.set(backends...)
	cfg := simpleConfig(port)
	cfg.Admin = "127.0.0.1:0"
	p := startProxy(t, cfg, d)
	for range 10 {
		send(t, p, http.MethodGet, "")
	}
	var state []EndpointState
	_, text := admin(t, p, "GET", "/api/endpoints", "", "")
	if err := json.Unmarshal([]byte(text), &state); err != nil {
		t.Fatal(err)
	}
	if len(state) != 2 || state[0].Upstream != "backend" || state[0].State != "ok" || state[0].Outstanding != 0 {
		t.Errorf("got %+v", state)
	}
	path := "/api/endpoints/backend/" + state[0].Address
	if status, text := admin(t, p, "PUT", path, `{"disabled": true}`, ""); status != http.StatusNoContent {
		t.Fatalf("got %d %s", status, text)
	}
	since := time.Now()
	for range 20 {
		if status, _ := send(t, p, http.MethodGet, ""); status != http.StatusOK {
			t.Fatalf("status %d", status)
		}
	}
	if n := backends[0].requestsAfter(since); n != 0 {
		t.Errorf("the disabled address got %d requests", n)
	}
	if _, page := admin(t, p, "GET", "/", "", ""); !strings.Contains(page, state[0].Address) || !strings.Contains(page, "disabled") {
		t.Errorf("the page does not show it:\n%s", page)
	}
	for what, test := range map[string]struct {
		method, path, body, host string
		want                     int
	}{
		"no such address": {"PUT", "/api/endpoints/backend/10.9.9.9:1", `{"disabled":true}`, "", 404},
		"no such name":    {"PUT", "/api/endpoints/b/" + state[0].Address, `{"disabled":true}`, "", 404},
		"no address":      {"PUT", "/api/endpoints/backend/x", `{"disabled":true}`, "", 400},
		"no body":         {"PUT", path, ``, "", 400},
		"unknown field":   {"PUT", path, `{"disable":true}`, "", 400},
		"method":          {"DELETE", path, ``, "", 405},
		"foreign host":    {"GET", "/", "", "rebound.example.com", 403},
		"localhost":       {"GET", "/", "", "localhost", 200},
	} {
		if status, text := admin(t, p, test.method, test.path, test.body, test.host); status != test.want {
			t.Errorf("%s: status %d %s, want %d", what, status, text, test.want)
		}
	}
	_, metrics := admin(t, p, "GET", "/metrics", "", "")
	for _, want := range []string{
		`goproxy_requests_total{status="200",upstream="backend"} 30`,
		`goproxy_request_duration_seconds_count{upstream="backend"} 30`,
		`goproxy_attempts_total{reason="first",upstream="backend"} 30`,
		fmt.Sprintf(`goproxy_endpoint_usable{address=%q,upstream="backend"} 0`, state[0].Address),
		fmt.Sprintf(`goproxy_endpoint_usable{address=%q,upstream="backend"} 1`, state[1].Address),
		fmt.Sprintf(`goproxy_dns_changes_total{name=%q,upstream="backend"} 1`, backendName),
	} {
		if !strings.Contains(metrics, want+"\n") {
			t.Errorf("no line %s in\n%s", want, metrics)
		}
	}
}
