package targets

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// lone is an http1 to a server, and counts the connections it makes.
func lone(t *testing.T, handler http.HandlerFunc) (h *http1, dialed *atomic.Int32, url string) {
	t.Helper()
	s := httptest.NewServer(handler)
	t.Cleanup(s.Close)
	dialed = &atomic.Int32{}
	h = &http1{idle: time.Minute, hold: &atomic.Bool{}, dial: func(ctx context.Context) (net.Conn, error) {
		dialed.Add(1)
		return (&net.Dialer{}).DialContext(ctx, "tcp", s.Listener.Addr().String())
	}}
	t.Cleanup(h.CloseIdleConnections)
	return h, dialed, s.URL
}

// idle awaits that a connection is idle, and returns how many are.
func idle(h *http1) (n int) {
	for end := time.Now().Add(5 * time.Second); n == 0 && time.Now().Before(end); time.Sleep(time.Millisecond) {
		h.mu.Lock()
		n = len(h.free)
		h.mu.Unlock()
	}
	return n
}

func TestConnectionsAreKeptAfterEachKindOfExchange(t *testing.T) {
	h, dialed, url := lone(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		switch r.URL.Path {
		case "/empty":
			w.WriteHeader(http.StatusNoContent)
		case "/chunks":
			_, _ = io.WriteString(w, "one")
			_ = http.NewResponseController(w).Flush()
		case "/early":
			w.WriteHeader(http.StatusEarlyHints)
		}
		_, _ = io.WriteString(w, "two")
	})
	for _, c := range []struct{ method, path, body string }{
		{http.MethodGet, "/", ""},
		{http.MethodPost, "/", "body"},
		{http.MethodHead, "/", ""},
		{http.MethodGet, "/empty", ""},
		{http.MethodGet, "/chunks", ""},
		{http.MethodGet, "/early", ""},
		{http.MethodPost, "/empty", "body"},
		{http.MethodGet, "/", ""},
	} {
		var body io.Reader
		if c.body != "" {
			body = strings.NewReader(c.body)
		}
		req, err := http.NewRequestWithContext(t.Context(), c.method, url+c.path, body)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := h.RoundTrip(req)
		if err != nil {
			t.Fatalf("%s %s: %v", c.method, c.path, err)
		}
		if _, err := io.Copy(io.Discard, resp.Body); err != nil {
			t.Errorf("%s %s: %v", c.method, c.path, err)
		}
		resp.Body.Close()
		if n := idle(h); n != 1 || dialed.Load() != 1 {
			t.Fatalf("after %s %s: %d idle connections of %d, want one in all", c.method, c.path, n, dialed.Load())
		}
	}
}
