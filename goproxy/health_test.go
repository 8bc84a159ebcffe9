package goproxy

import (
	"crypto/tls"
	"fmt"
	"net/http"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestHealthThresholds(t *testing.T) {
	cfg := &HealthCheck{HealthyThreshold: 2, UnhealthyThreshold: 3}
	var h health
	sick := ""
	for _, result := range "++--+---+-++-++" {
		h.checked(result == '+', cfg)
		sick += map[bool]string{true: "s", false: "w"}[h.sick.Load()]
	}
	if want := "wwwwwwwsssswwww"; sick != want {
		t.Errorf("states %s, want %s", sick, want)
	}
	if h.passed.Load() != 8 || h.failed.Load() != 7 {
		t.Errorf("%d passed and %d failed, want 8 and 7", h.passed.Load(), h.failed.Load())
	}
}

func TestParseStatuses(t *testing.T) {
	s, err := parseStatuses("200, 204,300-399")
	if err != nil {
		t.Fatal(err)
	}
	for status, want := range map[int]bool{200: true, 201: false, 204: true, 299: false, 300: true, 399: true, 400: false} {
		if s.has(status) != want {
			t.Errorf("%d: got %v", status, !want)
		}
	}
	for _, text := range []string{"", "ok", "199", "600", "300-200", "200-", "200,"} {
		if _, err := parseStatuses(text); err == nil {
			t.Errorf("%q was taken", text)
		}
	}
}

func TestHealthChecks(t *testing.T) {
	var sick atomic.Bool
	sick.Store(true)
	backends, port := startBackends(t, 2)
	heads := make(chan string, 1)
	for i, b := range backends {
		b.handle(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/health" {
				fmt.Fprintf(w, "served by %v\n", b.addr)
				return
			}
			select {
			case heads <- fmt.Sprintf("%s %s %s %s", r.Method, r.RequestURI, r.Host, r.UserAgent()):
			default:
			}
			if i == 0 && sick.Load() {
				w.WriteHeader(http.StatusServiceUnavailable)
			}
		})
	}
	d := startDNS(t, 1)
	d.set(backends...)
	cfg := simpleConfig(port)
	cfg.Admin = "127.0.0.1:0"
	up := cfg.Upstreams["backend"]
	up.HealthCheck = &HealthCheck{Path: "/health?deep=1", Interval: Duration(20 * time.Millisecond), Timeout: Duration(10 * time.Second), Status: "200"}
	cfg.Upstreams["backend"] = up
	p := startProxy(t, cfg, d)
	eventually(t, 10*time.Second, "one address is unhealthy", func() bool {
		return len(p.Endpoints()) == 2 && p.Endpoints()[0].State == "unhealthy"
	})
	if got, want := <-heads, fmt.Sprintf("GET /health?deep=1 %s:%d goproxy-health-check", backendName, port); got != want {
		t.Errorf("the check was %s, want %s", got, want)
	}
	for range 20 {
		if _, body := send(t, p, http.MethodPost, ""); !strings.Contains(body, backends[1].addr.String()) {
			t.Fatalf("%q although its health checks fail", body)
		}
	}
	_, metrics := admin(t, p, "GET", "/metrics", "", "")
	for _, want := range []string{
		fmt.Sprintf(`goproxy_endpoint_usable{address=%q,member=%q,upstream="backend"} 0`, backends[0].Addr(), fmt.Sprint(backendName, ":", port)),
		fmt.Sprintf(`goproxy_health_checks_total{address=%q,member=%q,result="failed",upstream="backend"} `, backends[0].Addr(), fmt.Sprint(backendName, ":", port)),
	} {
		if !strings.Contains(metrics, want) {
			t.Errorf("no line %s in\n%s", want, metrics)
		}
	}
	sick.Store(false)
	eventually(t, 10*time.Second, "it serves again", func() bool {
		_, body := send(t, p, http.MethodGet, "")
		return strings.Contains(body, backends[0].addr.String())
	})
	// An address that comes later is checked too, and one that leaves is not.
	d.set(backends[1])
	eventually(t, 10*time.Second, "one address has left", func() bool { return len(p.Endpoints()) == 1 })
	sick.Store(true)
	d.set(backends...)
	eventually(t, 10*time.Second, "the new endpoint is unhealthy", func() bool {
		return len(p.Endpoints()) == 2 && p.Endpoints()[0].State == "unhealthy"
	})
	d.set(backends[1])
	eventually(t, 10*time.Second, "no more checks", func() bool {
		since := time.Now()
		time.Sleep(100 * time.Millisecond)
		return backends[0].requestsAfter(since) == 0
	})
}

func TestHealthChecksByTLS(t *testing.T) {
	ca := newCA(t)
	_, pair := ca.issue(t, backendName, nil)
	for name, test := range map[string]struct {
		settings UpstreamTLS
		protocol string
		want     string
	}{
		"verified":     {UpstreamTLS{CA: ca.file}, protocolHTTP1, "ok"},
		"HTTP/2":       {UpstreamTLS{CA: ca.file}, protocolH2, "ok"},
		"not verified": {UpstreamTLS{}, protocolHTTP1, "unhealthy"},
	} {
		t.Run(name, func(t *testing.T) {
			port, _ := startTLSBackend(t, "127.94.1.10:0", &tls.Config{Certificates: []tls.Certificate{pair}, NextProtos: []string{"h2", "http/1.1"}})
			d := startDNS(t, 60)
			d.mu.Lock()
			d.addrs = []netip.Addr{netip.MustParseAddr("127.94.1.10")}
			d.mu.Unlock()
			p := startProxy(t, Config{
				Routes: []Route{{Upstream: "backend"}},
				Upstreams: map[string]Upstream{"backend": {
					URL: fmt.Sprintf("https://%s:%d", backendName, port), TLS: test.settings, Protocol: test.protocol,
					HealthCheck: &HealthCheck{Path: "/", Interval: Duration(20 * time.Millisecond), Timeout: Duration(10 * time.Second)},
				}},
			}, d)
			eventually(t, 10*time.Second, "three checks", func() bool {
				e := p.table.Load().upstreams["backend"].set.Load().endpoints
				return len(e) == 1 && e[0].health.passed.Load()+e[0].health.failed.Load() >= 3
			})
			eventually(t, 10*time.Second, test.want, func() bool { return p.Endpoints()[0].State == test.want })
		})
	}
}

func TestAllUnhealthyFailsOpen(t *testing.T) {
	u := members(t, 2, nil)
	for _, e := range u.set.Load().endpoints {
		e.health.sick.Store(true)
	}
	if u.pick(wish{}) != nil || u.pick(wish{anyway: true}) == nil {
		t.Error("want an unhealthy address, and only where there is no other")
	}
}

func TestPanic(t *testing.T) {
	u := members(t, 4, func(u *Upstream) { u.PanicPercent = 50 })
	picked := func() int {
		seen := map[*endpoint]bool{}
		for range 200 {
			seen[u.pick(wish{})] = true
		}
		return len(seen)
	}
	u.at(1).health.sick.Store(true)
	u.at(2).eject(time.Now())
	if n := picked(); n != 2 || u.panicking.Load() {
		t.Errorf("%d addresses are used with half of them healthy, want 2", n)
	}
	u.at(3).eject(time.Now())
	if n := picked(); n != 4 || !u.panicking.Load() {
		t.Errorf("%d addresses are used with a quarter of them healthy, want all", n)
	}
	u.at(2).alive()
	if n := picked(); n != 2 || u.panicking.Load() {
		t.Errorf("%d addresses are used after the panic, want 2", n)
	}
}

func TestEjectionIsCapped(t *testing.T) {
	for percent, want := range map[int]int{1: 1, 40: 1, 50: 2, 99: 3, 100: 4} {
		u := members(t, 4, func(u *Upstream) { u.Ejection.MaxPercent = percent })
		out := 0
		for _, e := range u.set.Load().endpoints {
			u.eject(e, "test")
			if e.ejected(time.Now()) {
				out++
			}
		}
		if out != want || u.ejections.Load() != uint64(want) {
			t.Errorf("at most %d %%: %d of 4 are left out, %d counted; want %d", percent, out, u.ejections.Load(), want)
		}
	}
}

func TestEjectionTimes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := members(t, 2, func(u *Upstream) {
			u.Ejection = Ejection{Retry: Duration(3 * time.Second), RetryMax: Duration(10 * time.Second)}
		})
		for _, want := range []time.Duration{3 * time.Second, 6 * time.Second, 10 * time.Second, 10 * time.Second} {
			u.eject(u.at(1), "test")
			until := time.Unix(0, u.at(1).ejectedUntil.Load())
			if got := time.Until(until); got != want {
				t.Errorf("left out for %v, want %v", got, want)
			}
			time.Sleep(time.Until(until))
			for u.pick(wish{mayCopy: true}) != u.at(1) {
			} // the probe
		}
	})
}
