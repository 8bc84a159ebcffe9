package goproxy

import (
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// startPool is a proxy before one backend, with settings of the pool.
func startPool(t *testing.T, pool Pool) (*backend, *testProxy) {
	t.Helper()
	backends, port := startBackends(t, 1)
	d := startDNS(t, 60)
	d.set(backends...)
	cfg := simpleConfig(port)
	up := cfg.Upstreams["backend"]
	up.Pool = pool
	up.Retries.HedgeAfter = Off
	cfg.Upstreams["backend"] = up
	return backends[0], startProxy(t, cfg, d)
}

func TestPoolMax(t *testing.T) {
	b, p := startPool(t, Pool{Max: 2, Acquire: Duration(time.Minute)})
	var running, most atomic.Int64
	b.handle(func(http.ResponseWriter, *http.Request) {
		n := running.Add(1)
		for {
			was := most.Load()
			if n <= was || most.CompareAndSwap(was, n) {
				break
			}
		}
		time.Sleep(2 * time.Millisecond)
		running.Add(-1)
	})
	var clients sync.WaitGroup
	for range 10 {
		clients.Go(func() {
			for range 10 {
				if status, _ := send(t, p, http.MethodGet, ""); status != http.StatusOK {
					t.Errorf("status %d", status)
				}
			}
		})
	}
	clients.Wait()
	if n := b.acceptsAfter(time.Time{}); most.Load() != 2 || n != 2 {
		t.Errorf("%d requests at a time on %d connections, want 2 on 2", most.Load(), n)
	}
	// A connection that breaks makes room for another one.
	b.handle(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	send(t, p, http.MethodPost, "")
	send(t, p, http.MethodPost, "")
	b.handle(func(http.ResponseWriter, *http.Request) {})
	for range 3 {
		eventually(t, 10*time.Second, "a request is served", func() bool {
			status, _ := send(t, p, http.MethodGet, "")
			return status == http.StatusOK
		})
	}
}

func TestPoolFullIs503(t *testing.T) {
	b, p := startPool(t, Pool{Max: 1, Acquire: Duration(20 * time.Millisecond)})
	release, held := make(chan struct{}), make(chan struct{})
	b.handle(func(http.ResponseWriter, *http.Request) { close(held); <-release })
	first := make(chan int)
	go func() {
		status, _ := send(t, p, http.MethodPost, "")
		first <- status
	}()
	<-held
	resp := rawRequest(t, p, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n")
	if resp.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("status %d, want 503", resp.StatusCode)
	}
	if p.Endpoints()[0].State != "ok" {
		t.Error("a full pool took the address out")
	}
	close(release)
	if status := <-first; status != http.StatusOK {
		t.Errorf("the request that had the connection got %d", status)
	}
	if n := b.requestsAfter(time.Time{}); n != 1 {
		t.Errorf("the backend got %d requests, want 1", n)
	}
}

// occupy makes n connections and leaves them idle.
func occupy(t *testing.T, b *backend, p *testProxy, n int) {
	t.Helper()
	var all sync.WaitGroup
	all.Add(n)
	b.handle(func(http.ResponseWriter, *http.Request) { all.Done(); all.Wait() })
	var clients sync.WaitGroup
	for range n {
		clients.Go(func() { send(t, p, http.MethodPost, "") })
	}
	clients.Wait()
	b.handle(func(http.ResponseWriter, *http.Request) {})
	if got := b.acceptsAfter(time.Time{}); got != n {
		t.Fatalf("%d connections, want %d", got, n)
	}
}

func TestPoolSMax(t *testing.T) {
	b, p := startPool(t, Pool{SMax: 2, TTL: Duration(50 * time.Millisecond)})
	occupy(t, b, p, 6)
	eventually(t, 10*time.Second, "two connections are left", func() bool { return b.openConns() == 2 })
	// They stay: the next request finds one of them.
	send(t, p, http.MethodGet, "")
	if n := b.acceptsAfter(time.Time{}); n != 6 {
		t.Errorf("%d connections were made, want no more than 6", n)
	}
}

func TestPoolTTLWithoutSMax(t *testing.T) {
	b, p := startPool(t, Pool{TTL: Duration(20 * time.Millisecond)})
	occupy(t, b, p, 3)
	eventually(t, 10*time.Second, "no connection is left", func() bool { return b.openConns() == 0 })
}

func TestPoolMaxAge(t *testing.T) {
	b, p := startPool(t, Pool{MaxAge: Duration(time.Nanosecond)})
	for range 5 {
		send(t, p, http.MethodGet, "")
	}
	if n := b.acceptsAfter(time.Time{}); n != 5 {
		t.Errorf("%d connections for 5 requests, want one each", n)
	}
	b, p = startPool(t, Pool{MaxAge: Duration(time.Hour)})
	for range 5 {
		send(t, p, http.MethodGet, "")
	}
	if n := b.acceptsAfter(time.Time{}); n != 1 {
		t.Errorf("%d connections for 5 requests, want 1", n)
	}
}
