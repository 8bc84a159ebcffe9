package goproxy

import (
	"context"
	"io"
	"net/http"
	"net/netip"
	"runtime"
	"sync"
	"testing"
	"time"
)

// After Run nothing of the proxy may be left: no goroutine, no connection.
func TestNothingIsLeftAfterRun(t *testing.T) {
	backends, port := startBackends(t, 4)
	d := startDNS(t, 1)
	d.set(backends[0], backends[1])
	for _, b := range backends {
		b.handle(func(w http.ResponseWriter, _ *http.Request) {
			time.Sleep(20 * time.Millisecond)
			io.WriteString(w, "done")
		})
	}
	before := runtime.NumGoroutine()

	cfg := simpleConfig(port)
	cfg.Upstreams["backend"] = Upstream{URL: cfg.Upstreams["backend"].URL, Retries: Retries{HedgeAfter: Duration(10 * time.Millisecond)}}
	p, err := New(cfg, Options{Listen: "127.0.0.1:0", Resolvers: []netip.AddrPort{d.addr}, AccessLog: io.Discard})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ran := make(chan error, 1)
	go func() { ran <- p.Run(ctx) }()

	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 10 * time.Second}
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for i := range 60 {
				resp, err := client.Get("http://" + p.Addr().String())
				if err != nil {
					t.Error(err)
					return
				}
				resp.Body.Close()
				if i == 10 {
					d.set(backends[2], backends[3])
				}
				if i == 20 {
					next := simpleConfig(port)
					next.Upstreams["backend"] = Upstream{URL: next.Upstreams["backend"].URL, Pool: Pool{MaxIdle: 3}}
					if err := p.Reload(next); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	all.Wait()
	cancel()
	if err := <-ran; err != nil {
		t.Error(err)
	}
	eventually(t, 5*time.Second, "no connection to any backend", func() bool {
		for _, b := range backends {
			if b.openConns() != 0 {
				return false
			}
		}
		return true
	})
	for deadline := time.Now().Add(5 * time.Second); runtime.NumGoroutine() > before; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			buf := make([]byte, 1<<20)
			t.Fatalf("%d goroutines before, %d after:\n%s", before, runtime.NumGoroutine(), buf[:runtime.Stack(buf, true)])
		}
	}
}
