package targets

import (
	"context"
	"errors"
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
func lone(t *testing.T, handler http.HandlerFunc) (h *http1, dialed *atomic.Int32, s *httptest.Server) {
	t.Helper()
	s = httptest.NewServer(handler)
	t.Cleanup(s.Close)
	dialed = &atomic.Int32{}
	h = &http1{idle: time.Minute, kept: time.Minute, hold: &atomic.Bool{}, dial: func(ctx context.Context) (net.Conn, error) {
		dialed.Add(1)
		return (&net.Dialer{}).DialContext(ctx, "tcp", s.Listener.Addr().String())
	}}
	t.Cleanup(h.CloseIdleConnections)
	return h, dialed, s
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
	h, dialed, s := lone(t, func(w http.ResponseWriter, r *http.Request) {
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
		req, err := http.NewRequestWithContext(t.Context(), c.method, s.URL+c.path, body)
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

// fetch sends a request without a body and returns the result.
func (h *http1) fetch(t *testing.T, ctx context.Context, url string) (*http.Response, string, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := h.RoundTrip(req)
	if err != nil {
		return nil, "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return resp, string(body), err
}

// A connection that the target has ended while it was idle is not used again, and
// one whose end is held is.
func TestEndedConnections(t *testing.T) {
	h, dialed, s := lone(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "fine") })
	for round := range 3 {
		held := h.hold.Load()
		_, _, err := h.fetch(t, t.Context(), s.URL)
		if (err != nil) != held {
			t.Fatalf("round %d: got %v", round, err)
		}
		if held {
			break
		}
		idle(h)
		h.mu.Lock()
		c := h.free[0].Conn
		h.mu.Unlock()
		h.hold.Store(round == 1)
		s.CloseClientConnections()
		for limit := time.Now().Add(5 * time.Second); !ended(c) && time.Now().Before(limit); time.Sleep(time.Millisecond) {
		}
	}
	if n := dialed.Load(); n != 2 {
		t.Errorf("got %d connections, want a second one, and none in place of the one that was held", n)
	}
}

func TestTheHeadOfAResponseHasALimit(t *testing.T) { // 2.1.3 D
	h, _, s := lone(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Long", strings.Repeat("x", maxResponseHeader-len(r.URL.Path)*100))
		_, _ = io.WriteString(w, strings.Repeat("y", 2*maxResponseHeader))
	})
	if _, _, err := h.fetch(t, t.Context(), s.URL+"/"); !errors.Is(err, errHeadTooLong) {
		t.Errorf("beyond the limit: got %v", err)
	}
	if _, body, err := h.fetch(t, t.Context(), s.URL+"/within"); err != nil || len(body) != 2*maxResponseHeader {
		t.Errorf("within the limit: got a body of %d bytes, %v", len(body), err)
	}
}

func TestTheEndOfTheContextEndsTheExchange(t *testing.T) {
	left := make(chan struct{})
	h, _, s := lone(t, func(_ http.ResponseWriter, r *http.Request) {
		<-r.Context().Done()
		close(left)
	})
	ctx, cancel := context.WithCancelCause(t.Context())
	why := errors.New("why")
	time.AfterFunc(10*time.Millisecond, func() { cancel(why) })
	if _, _, err := h.fetch(t, ctx, s.URL); !errors.Is(err, why) {
		t.Errorf("got %v, want the context's cause", err)
	}
	select {
	case <-left:
	case <-time.After(10 * time.Second):
		t.Error("the target was not told")
	}
}

func TestIdleConnectionsEnd(t *testing.T) {
	h, _, s := lone(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "fine") })
	h.kept = 100 * time.Millisecond
	begin := time.Now()
	if _, _, err := h.fetch(t, t.Context(), s.URL); err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
		h.mu.Lock()
		n := len(h.free)
		h.mu.Unlock()
		if n == 0 && time.Since(begin) >= h.kept {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("after 10 s %d connections are idle", n)
		}
	}
}
