package goproxy

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// send makes one request with a 3 s timeout and returns status and body.
func send(t *testing.T, p *testProxy, method, body string, header ...string) (int, string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
	defer cancel()
	var reader io.Reader
	if body != "" {
		reader = strings.NewReader(body)
	}
	req, err := http.NewRequestWithContext(ctx, method, p.url+"/x", reader)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		t.Fatalf("%s: %v", method, err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatalf("%s: read body: %v", method, err)
	}
	return resp.StatusCode, string(data)
}

// startPair is a proxy before two backends that DNS names.
func startPair(t *testing.T) (a, b *backend, d *dnsServer, p *testProxy) {
	t.Helper()
	backends, port := startBackends(t, 2)
	d = startDNS(t, 1)
	d.set(backends...)
	return backends[0], backends[1], d, startProxy(t, simpleConfig(port), d)
}

// abort answers like a backend that dies with the request in hand.
func abort(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }

func TestPOSTIsNeverSentTwice(t *testing.T) {
	for name, header := range map[string][]string{"plain": nil, "with an idempotency key": {"Idempotency-Key", "k1"}} {
		for _, body := range []string{"", "small", strings.Repeat("x", bufferedRequest+1)} {
			t.Run(fmt.Sprintf("%s, body of %d", name, len(body)), func(t *testing.T) {
				a, b, _, p := startPair(t)
				// Warm connections on both: the reset then comes on a reused
				// one, where net/http would repeat by itself.
				for a.requestsAfter(time.Time{}) == 0 || b.requestsAfter(time.Time{}) == 0 {
					if status, _ := send(t, p, http.MethodPost, body); status != http.StatusOK {
						t.Fatalf("status %d", status)
					}
				}
				a.handle(abort)
				b.handle(abort)
				start := time.Now()
				status, _ := send(t, p, http.MethodPost, body, header...)
				if status != http.StatusBadGateway {
					t.Errorf("status %d, want 502", status)
				}
				if n := a.requestsAfter(start) + b.requestsAfter(start); n != 1 {
					t.Errorf("the POST was sent %d times, want once", n)
				}
			})
		}
	}
}

func TestPOSTMovesOnWhenNothingWasSent(t *testing.T) {
	a, b, _, p := startPair(t)
	a.refuse()
	for range 20 {
		if status, body := send(t, p, http.MethodPost, strings.Repeat("x", bufferedRequest+1)); status != http.StatusOK || !strings.Contains(body, b.addr.String()) {
			t.Fatalf("got %d %q", status, body)
		}
	}
}

func TestIdempotentRequestsAreSentAgain(t *testing.T) {
	for _, method := range []string{"GET", "HEAD", "OPTIONS", "PUT", "DELETE"} {
		t.Run(method, func(t *testing.T) {
			a, _, _, p := startPair(t)
			a.handle(abort)
			body := ""
			if method == http.MethodPut {
				body = "state"
			}
			start := time.Now()
			for i := 0; a.requestsAfter(start) == 0; i++ {
				if status, _ := send(t, p, method, body); status != http.StatusOK {
					t.Fatalf("status %d", status)
				}
				if i == 100 {
					t.Fatal("the broken backend was never tried")
				}
			}
		})
	}
}

func TestTruncatedResponseIsFetchedAgain(t *testing.T) {
	a, _, _, p := startPair(t)
	var truncated atomic.Int64
	a.handle(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "1000")
		io.WriteString(w, "only this")
		w.(http.Flusher).Flush()
		truncated.Add(1)
		panic(http.ErrAbortHandler)
	})
	for i := 0; truncated.Load() == 0; i++ {
		if status, body := send(t, p, http.MethodGet, ""); status != http.StatusOK || !strings.HasPrefix(body, "served by") {
			t.Fatalf("got %d %q", status, body)
		}
		if i == 100 {
			t.Fatal("the truncating backend was never tried")
		}
	}
}

func TestSilentAddressThatStaysInDNS(t *testing.T) {
	a, _, _, p := startPair(t)
	results := load(p, moveRate, 4*time.Second)
	eventually(t, 3*time.Second, "A serves", func() bool { return a.requestsAfter(time.Time{}) > 20 })
	a.freeze(t)
	requireNoFailure(t, <-results, 4*moveRate)
}

func TestAddressThatRefusesAndStaysInDNS(t *testing.T) {
	a, _, _, p := startPair(t)
	results := load(p, moveRate, 4*time.Second)
	eventually(t, 3*time.Second, "A serves", func() bool { return a.requestsAfter(time.Time{}) > 20 })
	a.refuse()
	requireNoFailure(t, <-results, 4*moveRate)
}

func TestStalePooledConnectionIsReplaced(t *testing.T) {
	backends, port := startBackends(t, 1)
	d := startDNS(t, 1)
	d.set(backends...)
	p := startProxy(t, simpleConfig(port), d)
	for range 20 {
		if status, _ := send(t, p, http.MethodGet, ""); status != http.StatusOK {
			t.Fatalf("status %d", status)
		}
		backends[0].mu.Lock()
		for c := range backends[0].conns {
			c.SetLinger(0)
			c.TCPConn.Close()
			delete(backends[0].conns, c)
		}
		backends[0].mu.Unlock()
	}
}

func TestDNSFailuresKeepTheLastGoodAnswer(t *testing.T) {
	for name, breakDNS := range map[string]func(*dnsServer){
		"SERVFAIL": func(d *dnsServer) { d.fail(dns.RcodeServerFailure) },
		"NXDOMAIN": func(d *dnsServer) { d.fail(dns.RcodeNameError) },
		"REFUSED":  func(d *dnsServer) { d.fail(dns.RcodeRefused) },
		"NODATA":   func(d *dnsServer) { d.set() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, _, d, p := startPair(t)
			if status, _ := send(t, p, http.MethodGet, ""); status != http.StatusOK {
				t.Fatalf("status %d", status)
			}
			breakDNS(d)
			asked := d.queries.Load()
			eventually(t, 10*time.Second, "four failed questions", func() bool { return d.queries.Load() >= asked+4 })
			if status, _ := send(t, p, http.MethodGet, ""); status != http.StatusOK {
				t.Errorf("status %d after DNS failed", status)
			}
		})
	}
}

func TestNoAddressGives503(t *testing.T) {
	t.Parallel()
	d := startDNS(t, 1)
	cfg := simpleConfig(1)
	cfg.Upstreams["backend"] = Upstream{URL: cfg.Upstreams["backend"].URL, Retries: Retries{Window: Duration(time.Second)}}
	p := startProxy(t, cfg, d)
	if status, _ := send(t, p, http.MethodGet, ""); status != http.StatusServiceUnavailable {
		t.Errorf("status %d, want 503", status)
	}
}

func TestNameThatAppearsLaterIsServed(t *testing.T) {
	backends, port := startBackends(t, 1)
	d := startDNS(t, 1)
	p := startProxy(t, simpleConfig(port), d)
	eventually(t, 3*time.Second, "a question", func() bool { return d.queries.Load() > 0 })
	time.AfterFunc(300*time.Millisecond, func() { d.set(backends...) })
	if status, _ := send(t, p, http.MethodGet, ""); status != http.StatusOK {
		t.Errorf("status %d, want the request to wait for the name", status)
	}
}

func TestResponseTimeoutGives504(t *testing.T) {
	backends, port := startBackends(t, 1)
	d := startDNS(t, 1)
	d.set(backends...)
	cfg := simpleConfig(port)
	cfg.Upstreams["backend"] = Upstream{URL: cfg.Upstreams["backend"].URL, Timeouts: Timeouts{Response: Duration(200 * time.Millisecond)}}
	p := startProxy(t, cfg, d)
	release := make(chan struct{})
	defer close(release)
	backends[0].handle(func(http.ResponseWriter, *http.Request) { <-release })
	if status, _ := send(t, p, http.MethodPost, "x"); status != http.StatusGatewayTimeout {
		t.Errorf("status %d, want 504", status)
	}
}

func TestAccessLogLine(t *testing.T) {
	a, b, _, p := startPair(t)
	a.refuse()
	for i := 0; ; i++ {
		send(t, p, http.MethodGet, "")
		var line struct {
			Time         time.Time
			Method       string
			Host         string
			Path         string
			Status       int
			Upstream     string
			UpstreamAddr string `json:"upstream_addr"`
			Attempts     int
			DurationMS   float64 `json:"duration_ms"`
			HeaderMS     float64 `json:"header_ms"`
		}
		lines := func() []string { return strings.Split(strings.TrimSpace(p.access.String()), "\n") }
		eventually(t, time.Second, "an access log line", func() bool { return len(lines()) > i && lines()[i] != "" })
		if err := json.Unmarshal([]byte(lines()[i]), &line); err != nil {
			t.Fatalf("%q: %v", lines()[i], err)
		}
		if line.Method != "GET" || line.Path != "/x" || line.Status != 200 || line.Upstream != "backend" || line.Time.IsZero() || line.DurationMS <= 0 || line.HeaderMS <= 0 || line.HeaderMS > line.DurationMS || line.Host == "" {
			t.Fatalf("got %+v", line)
		}
		if line.Attempts == 2 {
			addrs := strings.Split(line.UpstreamAddr, ",")
			if len(addrs) != 2 || !strings.HasPrefix(addrs[0], a.addr.String()+":") || !strings.HasPrefix(addrs[1], b.addr.String()+":") {
				t.Errorf("upstream_addr %q, want first A, then B", line.UpstreamAddr)
			}
			return
		}
		if i == 100 {
			t.Fatal("no request was tried twice")
		}
	}
}

func TestDrainFinishesRunningRequests(t *testing.T) {
	backends, port := startBackends(t, 1)
	d := startDNS(t, 1)
	d.set(backends...)
	entered, release := make(chan struct{}), make(chan struct{})
	backends[0].handle(func(w http.ResponseWriter, _ *http.Request) {
		close(entered)
		<-release
		io.WriteString(w, "late")
	})
	cfg := simpleConfig(port)
	cfg.DrainTimeout = Duration(10 * time.Second)
	p := startProxy(t, cfg, d)
	done := make(chan string, 1)
	go func() {
		_, body := send(t, p, http.MethodPost, "x")
		done <- body
	}()
	<-entered
	p.Close()
	eventually(t, time.Second, "new connections are refused", func() bool {
		conn, err := net.Dial("tcp", p.Addr().String())
		if err == nil {
			conn.Close()
		}
		return err != nil
	})
	close(release)
	if body := <-done; body != "late" {
		t.Errorf("got %q", body)
	}
}

func TestSilenceInsideABodyEndsTheResponse(t *testing.T) {
	backends, port := startBackends(t, 1)
	d := startDNS(t, 1)
	d.set(backends...)
	cfg := simpleConfig(port)
	cfg.Upstreams["backend"] = Upstream{URL: cfg.Upstreams["backend"].URL, Timeouts: Timeouts{Body: Duration(200 * time.Millisecond)}}
	p := startProxy(t, cfg, d)
	release := make(chan struct{})
	defer close(release)
	backends[0].handle(func(w http.ResponseWriter, _ *http.Request) {
		for range 4 { // slower in all than the limit, never silent for so long
			io.WriteString(w, "part ")
			w.(http.Flusher).Flush()
			time.Sleep(100 * time.Millisecond)
		}
		<-release
	})
	resp := rawRequest(t, p, "GET / HTTP/1.1\r\nHost: h\r\n\r\n")
	data, err := io.ReadAll(resp.Body)
	if err == nil || string(data) != "part part part part " {
		t.Errorf("got %q, %v: want the four parts and an error", data, err)
	}
	eventually(t, time.Second, "the reason in the access log", func() bool {
		return strings.Contains(p.access.String(), "silent for 200ms")
	})
}
