package goproxy

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/netip"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// reloadedText is the config number i of a series in which routes, upstreams
// and their members all change from one to the next. Its responses have the
// number in X-Config and come from the named backends or from the others.
func reloadedText(i, port int) (text string, named bool) {
	routes := []string{"", ", path: /app", `, host: www.example.test, path_regex: "^/app/."`}
	name, upstream := "app", fmt.Sprintf("url: http://%s:%d", backendName, port)
	switch i % 4 {
	case 1:
		upstream = fmt.Sprintf("balance: byrequests, members: [{url: http://127.94.1.12:%d}, {url: http://127.94.1.13:%d}]", port, port)
	case 2:
		upstream += fmt.Sprintf(", pool: {max_idle: %d}", i)
	case 3:
		name = fmt.Sprintf("app-%d", i)
	}
	return fmt.Sprintf(`
routes: [{upstream: %s%s, headers: {response: {set: {X-Config: "%d"}}}}]
upstreams: {%s: {%s, %s}}
`, name, routes[i%3], i, name, upstream, patient), i%4 != 1
}

// 100,000 requests while the config changes some 200 times, by SIGHUP and by
// Reload in turn: not one fails, and each is answered by a config that was in
// force while it ran.
func TestReloadUnderLoadLosesNothing(t *testing.T) {
	backends, port := startBackends(t, 4)
	d := startDNS(t, 1)
	d.set(backends[0], backends[1])
	first, _ := reloadedText(0, port)
	path := writeConfig(t, first)
	cfg, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	p := startProxy(t, cfg, d)
	hangup := make(chan os.Signal)
	file := &rereader{path: path, log: discardLog}
	go file.actOn(t.Context(), hangup, p.Proxy)

	var asked, inForce atomic.Int64 // numbers of configs
	n := fleetSize()
	f := startFleet(t, n, func(c *fleetClient, number int64) error {
		if err := c.dial(p.Addr().String(), nil); err != nil {
			return err
		}
		oldest := inForce.Load()
		resp, err := c.roundTrip(number, "/app/x")
		if err != nil {
			return err
		}
		i, err := strconv.ParseInt(resp.header.Get("X-Config"), 10, 64)
		if newest := asked.Load(); err != nil || i < oldest || i > newest {
			return fmt.Errorf("an answer of config %q while %d to %d were in force", resp.header.Get("X-Config"), oldest, newest)
		}
		if _, named := reloadedText(int(i), port); named != (strings.Contains(resp.body, "127.94.1.10") || strings.Contains(resp.body, "127.94.1.11")) {
			return fmt.Errorf("config %d was %s", i, resp.body)
		}
		return nil
	})
	i := 0
	for f.running(n / 200) {
		i++
		text, _ := reloadedText(i, port)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		was := p.table.Load()
		asked.Store(int64(i))
		if i%2 == 0 {
			hangup <- syscall.SIGHUP
			eventually(t, time.Minute, "the config of the file", func() bool { return p.table.Load() != was })
		} else if cfg, err := Load(path); err != nil {
			t.Fatal(err)
		} else if err := p.Reload(cfg); err != nil {
			t.Fatal(err)
		}
		inForce.Store(int64(i))
		requireFirstTries(t, p)
	}
	f.requireNoFailure(n)
	t.Logf("%d reloads", i)
	if i < 20 {
		t.Errorf("%d reloads while the load ran, want many", i)
	}
}

// What DNS said last is kept, also if the upstream is built anew.
func TestReloadWhileDNSFails(t *testing.T) {
	backends, port := startBackends(t, 1)
	d := startDNS(t, 1)
	d.set(backends...)
	p := startProxy(t, simpleConfig(port), d)
	send(t, p, http.MethodGet, "")
	d.fail(dns.RcodeServerFailure)
	cfg := simpleConfig(port)
	cfg.Routes[0].Upstream = "other"
	cfg.Upstreams = map[string]Upstream{"other": {URL: cfg.Upstreams["backend"].URL, Pool: Pool{MaxIdle: 3}}}
	if err := p.Reload(cfg); err != nil {
		t.Fatal(err)
	}
	if status, _ := send(t, p, http.MethodGet, ""); status != http.StatusOK {
		t.Errorf("status %d", status)
	}
	d.fail(dns.RcodeSuccess)
	d.set()
	backends[0].addr = netip.MustParseAddr("127.94.1.99")
	d.set(backends...)
	eventually(t, 5*time.Second, "the name is followed again", func() bool {
		all := p.table.Load().upstreams["other"].set.Load().endpoints
		return len(all) == 1 && all[0].addr.Addr() == backends[0].addr
	})
}

// A request that waits for the first address of its upstream gets it, also when
// a reload has done away with that upstream.
func TestReloadWhileARequestWaitsForDNS(t *testing.T) {
	backends, port := startBackends(t, 1)
	d := startDNS(t, 1)
	d.set(backends...)
	d.fail(dns.RcodeServerFailure)
	cfg := simpleConfig(port)
	cfg.Upstreams["backend"] = Upstream{URL: cfg.Upstreams["backend"].URL, Retries: Retries{Window: Duration(30 * time.Second)}}
	p := startProxy(t, cfg, d)
	status := make(chan int, 1)
	go func() {
		got, _ := send(t, p, http.MethodGet, "")
		status <- got
	}()
	eventually(t, 3*time.Second, "the request waits", func() bool {
		stacks := make([]byte, 1<<20)
		return strings.Contains(string(stacks[:runtime.Stack(stacks, true)]), "(*exchange).run")
	})
	cfg.Routes = []Route{{Upstream: "other"}}
	cfg.Upstreams = map[string]Upstream{"other": {URL: "http://127.0.0.1:1"}}
	if err := p.Reload(cfg); err != nil {
		t.Fatal(err)
	}
	d.fail(dns.RcodeSuccess)
	if got := <-status; got != http.StatusOK {
		t.Errorf("status %d", got)
	}
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
	file := &rereader{path: path, log: slog.New(slog.NewTextHandler(logs, nil))}
	go file.actOn(t.Context(), hangup, p.Proxy)
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
		return strings.Contains(logs.String(), "the present config remains in force") && strings.Contains(logs.String(), path+":1:")
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

// A proxy that ends starts nothing more, whenever it is told to reload.
func TestReloadWhileTheProxyEnds(t *testing.T) {
	backends, port := startBackends(t, 1)
	entered, release := make(chan struct{}), make(chan struct{})
	backends[0].handle(func(http.ResponseWriter, *http.Request) {
		close(entered)
		<-release
	})
	d := startDNS(t, 1)
	d.set(backends...)
	cfg := simpleConfig(port)
	cfg.DrainTimeout = Duration(time.Minute)
	p, err := New(cfg, Options{Listen: "127.0.0.1:0", Resolvers: []netip.AddrPort{d.addr}, AccessLog: io.Discard})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ran := make(chan error, 1)
	go func() { ran <- p.Run(ctx) }()
	answered := make(chan error, 1)
	go func() {
		resp, err := http.Post("http://"+p.Addr().String(), "", nil)
		if err == nil {
			resp.Body.Close()
		}
		answered <- err
	}()
	await(t, entered, "the request is on the backend")
	next := simpleConfig(port)
	next.Upstreams["other"] = next.Upstreams["backend"]
	if err := p.Reload(next); err != nil {
		t.Fatal(err)
	}
	stop()
	eventually(t, 10*time.Second, "Reload is refused while requests drain", func() bool {
		err := p.Reload(next)
		return err != nil && strings.Contains(err.Error(), "the proxy is ending")
	})
	close(release)
	if err := <-answered; err != nil {
		t.Error(err)
	}
	if err := <-ran; err != nil {
		t.Error(err)
	}
	if err := p.Reload(next); err == nil {
		t.Error("Reload was taken after Run")
	}

	never, err := New(simpleConfig(port), Options{Listen: "127.0.0.1:0", Resolvers: []netip.AddrPort{d.addr}, AccessLog: io.Discard})
	if err != nil {
		t.Fatal(err)
	}
	if err := never.Close(); err != nil {
		t.Fatal(err)
	}
	if err := never.Reload(next); err == nil {
		t.Error("Reload was taken after Close")
	}
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
		"no such address":             {"PUT", "/api/endpoints/backend/10.9.9.9:1", `{"disabled":true}`, "", 404},
		"no such name":                {"PUT", "/api/endpoints/b/" + state[0].Address, `{"disabled":true}`, "", 404},
		"no address":                  {"PUT", "/api/endpoints/backend/x", `{"disabled":true}`, "", 400},
		"no body":                     {"PUT", path, ``, "", 400},
		"unknown field":               {"PUT", path, `{"disable":true}`, "", 400},
		"method":                      {"DELETE", path, ``, "", 405},
		"foreign host":                {"GET", "/", "", "rebound.example.com", 403},
		"foreign host, which changes": {"PUT", path, `{"disabled":true}`, "rebound.example.com", 403},
		"localhost":                   {"GET", "/", "", "localhost", 200},
	} {
		if status, text := admin(t, p, test.method, test.path, test.body, test.host); status != test.want {
			t.Errorf("%s: status %d %s, want %d", what, status, text, test.want)
		}
	}
	const counted = `goproxy_request_duration_seconds_count{upstream="backend"} 30`
	var metrics string
	eventually(t, 5*time.Second, "30 requests, each counted once its answer is sent", func() bool {
		_, metrics = admin(t, p, "GET", "/metrics", "", "")
		return strings.Contains(metrics, counted+"\n")
	})
	for _, want := range []string{
		`goproxy_requests_total{status="200",upstream="backend"} 30`,
		`goproxy_attempts_total{reason="first",upstream="backend"} 30`,
		fmt.Sprintf(`goproxy_endpoint_usable{address=%q,member=%q,upstream="backend"} 0`, state[0].Address, fmt.Sprint(backendName, ":", port)),
		fmt.Sprintf(`goproxy_endpoint_usable{address=%q,member=%q,upstream="backend"} 1`, state[1].Address, fmt.Sprint(backendName, ":", port)),
		fmt.Sprintf(`goproxy_dns_changes_total{member=%q,name=%q,upstream="backend"} 1`, fmt.Sprint(backendName, ":", port), backendName),
	} {
		if !strings.Contains(metrics, want+"\n") {
			t.Errorf("no line %s in\n%s", want, metrics)
		}
	}
}
