package goproxy

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

func TestReloadKeepsWhatDidNotChange(t *testing.T) {
	p := startEcho(t, nil)
	was := p.table.Load()
	cfg := was.cfg
	cfg.Routes = []Route{{Upstream: "backend", Headers: Headers{Response: HeaderChange{Set: map[string]string{"X-Config": "1"}}}}}
	if err := p.Reload(cfg); err != nil {
		t.Fatal(err)
	}
	if p.table.Load().upstreams["backend"] != was.upstreams["backend"] {
		t.Error("a reload that kept the upstream built it, and its pools, anew")
	}
	if got := rawRequest(t, p, plainGET).Header.Get("X-Config"); got != "1" {
		t.Errorf("the response is of config %q", got)
	}
}

// Whether files of an upstream's TLS have changed is a matter of what is in them.
func TestReloadKeepsAnUpstreamWithTheSameFiles(t *testing.T) {
	ca := newCA(t)
	pair, _ := ca.issue(t, "client", nil)
	cfg := Config{
		Routes: []Route{{Upstream: "app"}},
		Upstreams: map[string]Upstream{"app": {
			Members: []Member{{URL: "https://127.0.0.1:1", Route: "r0"}},
			TLS:     UpstreamTLS{CA: ca.file, Cert: pair.Cert, Key: pair.Key},
		}},
		Admin: "127.0.0.1:0",
	}
	p := startProxy(t, cfg, nil)
	if status, text := admin(t, p, "PUT", "/api/members/app/r0", `{"state": "disabled", "loadfactor": 7}`, ""); status != http.StatusOK {
		t.Fatalf("%d %s", status, text)
	}
	was := p.table.Load().upstreams["app"]
	if err := p.Reload(cfg); err != nil {
		t.Fatal(err)
	}
	if p.table.Load().upstreams["app"] != was || p.Members()[0].State != "disabled" {
		t.Errorf("a reload that changed nothing built the upstream anew; the member is %s, want disabled", p.Members()[0].State)
	}
	for _, name := range []string{ca.file, pair.Cert, pair.Key} {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, append(data, '\n'), 0o600); err != nil {
			t.Fatal(err)
		}
		was := p.table.Load().upstreams["app"]
		if err := p.Reload(cfg); err != nil {
			t.Fatal(err)
		}
		up := p.table.Load().upstreams["app"]
		if up == was {
			t.Errorf("%s has changed, and the upstream is the same", filepath.Base(name))
		}
		// What an operator says of a member lasts until the upstream's part of the config
		// changes, and certificates are renewed at any time.
		if m, e := p.Members()[0], up.set.Load().endpoints[0]; m.State != "disabled" || m.LoadFactor != 7 || e.weight.Load() != 7*shareUnit {
			t.Errorf("%s has changed, and the member is %s with a load factor of %d, want disabled and 7", filepath.Base(name), m.State, m.LoadFactor)
		}
	}
}

// An address that an operator has taken out, or that health checks have found
// unhealthy, gets no request because some other setting of its upstream changed.
func TestReloadKeepsWhatIsSaidOfAddresses(t *testing.T) {
	backends, port := startBackends(t, 3)
	var checks atomic.Int32
	backends[1].handle(func(w http.ResponseWriter, r *http.Request) {
		if checks.Add(1) > 1 {
			<-r.Context().Done() // what a later check finds is not known yet
		}
		w.WriteHeader(http.StatusServiceUnavailable)
	})
	cfg := Config{Routes: []Route{{Upstream: "app"}}, Admin: "127.0.0.1:0", DrainTimeout: Duration(2 * time.Second)}
	set := func(path string, idle int) {
		up := Upstream{Pool: Pool{MaxIdle: idle}, HealthCheck: &HealthCheck{
			Path: path, Interval: Duration(time.Hour), Timeout: Duration(time.Minute), UnhealthyThreshold: 1,
		}}
		for _, b := range backends {
			up.Members = append(up.Members, Member{URL: fmt.Sprintf("http://%v:%d", b.addr, port)})
		}
		cfg.Upstreams = map[string]Upstream{"app": up}
	}
	set("/health", 10)
	p := startProxy(t, cfg, nil)
	path := "/api/endpoints/app/" + backends[0].Addr().String()
	if status, text := admin(t, p, "PUT", path, `{"disabled": true}`, ""); status != http.StatusNoContent {
		t.Fatalf("%d %s", status, text)
	}
	states := func() (out [3]string) {
		for i, e := range p.Endpoints() {
			out[i] = e.State
		}
		return out
	}
	eventually(t, 10*time.Second, "one is disabled, one unhealthy", func() bool {
		return states() == [3]string{"disabled", "unhealthy", "ok"}
	})
	set("/health", 20)
	if err := p.Reload(cfg); err != nil {
		t.Fatal(err)
	}
	if got := states(); got != [3]string{"disabled", "unhealthy", "ok"} {
		t.Errorf("after a reload that changed the pool: %v", got)
	}
	set("/other", 20)
	if err := p.Reload(cfg); err != nil {
		t.Fatal(err)
	}
	if got := states(); got != [3]string{"disabled", "ok", "ok"} {
		t.Errorf("after a reload that changed the check: %v", got)
	}
}

// What was read first is not put in force last: the file has the newer config.
func TestRereadsComeInOrder(t *testing.T) {
	p := startEcho(t, nil)
	port := p.table.Load().upstreams["backend"].members[0].port
	text := func(value string) string {
		return fmt.Sprintf("routes: [{upstream: backend, headers: {response: {set: {X-Config: %s}}}}]\nupstreams: {backend: {url: 'http://%s:%d'}}\n", value, backendName, port)
	}
	path := filepath.Join(t.TempDir(), "goproxy.yaml")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	file := &rereader{path: path, log: discardLog}
	reread := func() chan error {
		done := make(chan error, 1)
		go func() { done <- file.reread(p.Proxy) }()
		return done
	}
	first := reread()
	slow, err := os.OpenFile(path, os.O_WRONLY, 0) // returns when it is being read
	if err != nil {
		t.Fatal(err)
	}
	newer := writeConfig(t, text("new"))
	if err := os.Rename(newer, path); err != nil {
		t.Fatal(err)
	}
	second := reread()
	select {
	case err := <-second:
		t.Errorf("the second one was done while the first one read: %v", err)
		second <- err
	case <-time.After(100 * time.Millisecond): // that it waits is the condition
	}
	if _, err := slow.WriteString(text("old")); err != nil {
		t.Fatal(err)
	}
	if err := slow.Close(); err != nil {
		t.Fatal(err)
	}
	for _, done := range []chan error{first, second} {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	if got := rawRequest(t, p, plainGET).Header.Get("X-Config"); got != "new" {
		t.Errorf("the config in force is %q, and the file has the new one", got)
	}
}

// What an operator says of a member ends with the upstream's part of the config.
func TestAnotherConfigOfAnUpstreamBeginsAnew(t *testing.T) {
	cfg := Config{
		Routes:    []Route{{Upstream: "app"}},
		Upstreams: map[string]Upstream{"app": {Members: []Member{{URL: "http://127.0.0.1:1", Route: "r0"}}}},
		Admin:     "127.0.0.1:0",
	}
	p := startProxy(t, cfg, nil)
	if status, text := admin(t, p, "PUT", "/api/members/app/r0", `{"state": "drain"}`, ""); status != http.StatusOK {
		t.Fatalf("%d %s", status, text)
	}
	cfg.Upstreams = map[string]Upstream{"app": {Members: []Member{{URL: "http://127.0.0.1:1", Route: "r0"}, {URL: "http://127.0.0.1:2", Route: "r1"}}}}
	if err := p.Reload(cfg); err != nil {
		t.Fatal(err)
	}
	if got := p.Members()[0].State; got != "enabled" {
		t.Errorf("the member is %s, want enabled", got)
	}
}
