package goproxy

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
)

// defective panics where it is called.
type defective struct{ calls atomic.Int64 }

func (d *defective) Write(p []byte) (int, error) {
	if d.calls.Add(1)%2 == 1 {
		panic("a defect in writing " + string(p[:1]))
	}
	return len(p), nil
}

func (d *defective) roundTrip(context.Context, *exchange, *attempt) error {
	d.calls.Add(1)
	panic("a defect in an attempt")
}
func (*defective) closeIdle() {}
func (*defective) wake()      {}

// A defect costs the connection or the request that it is in, not the process.
func TestPanicEndsOneConnection(t *testing.T) {
	backends, port := startBackends(t, 1)
	d := startDNS(t, 1)
	d.set(backends...)
	cfg := simpleConfig(port)
	cfg.H2C = true
	logs := &syncBuffer{}
	p, err := New(cfg, Options{Listen: "127.0.0.1:0", Resolvers: []netip.AddrPort{d.addr}, AccessLog: &defective{}, Log: slog.New(slog.NewTextHandler(logs, nil))})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ran := make(chan error, 1)
	go func() { ran <- p.Run(ctx) }()
	defer func() {
		cancel()
		if err := <-ran; err != nil {
			t.Error(err)
		}
	}()
	running := &testProxy{Proxy: p, url: "http://" + p.Addr().String()}
	for range 3 {
		c := dialProxy(t, running)
		c.send(plainGET)
		if head := c.head(); !strings.HasPrefix(head, "HTTP/1.1 200 ") { // the line is written after the response
			t.Errorf("got %q", head)
		}
		if _, err := io.Copy(io.Discard, c.Reader); err == nil {
			t.Error("the connection ended in good order")
		}
		c = dialProxy(t, running)
		c.send("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
		if all, err := io.ReadAll(c.Reader); err != nil || !strings.HasPrefix(string(all), "HTTP/1.1 200 ") {
			t.Errorf("the next connection got %q, %v", all, err)
		}
	}
	protocols := &http.Protocols{}
	protocols.SetUnencryptedHTTP2(true)
	h2 := &http.Transport{Protocols: protocols}
	defer h2.CloseIdleConnections()
	failed := 0
	for range 4 {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, running.url, nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := h2.RoundTrip(req)
		if err == nil {
			_, err = io.Copy(io.Discard, resp.Body)
			resp.Body.Close()
		}
		if err != nil {
			failed++
		}
	}
	if failed != 2 {
		t.Errorf("%d of 4 requests by HTTP/2 failed, want each second one", failed)
	}
	if n := strings.Count(logs.String(), "a defect in writing {"); n != 5 || !strings.Contains(logs.String(), "panic_test.go") {
		t.Errorf("%d panics in the log, want 5 with their stacks:\n%s", n, logs)
	}
}

func TestPanicInAnAttempt(t *testing.T) {
	_, p := startMembers(t, 2, func(u *Upstream) { u.Retries.Attempts = 1 })
	u, d := p.table.Load().upstreams["app"], &defective{}
	useTransport(u.upstream, d)
	for range 3 {
		if status, _ := send(t, p, http.MethodPost, "x"); status != http.StatusInternalServerError {
			t.Errorf("status %d, want 500", status)
		}
	}
	for _, e := range p.Endpoints() {
		if e.State != "ok" || e.Outstanding != 0 {
			t.Errorf("%+v", e)
		}
	}
}
