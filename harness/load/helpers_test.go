package load_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/proxychaos/proxychaos/harness/load"
	"github.com/proxychaos/proxychaos/harness/recording"
)

// target is a server that plays the proxy and counts connections.
type target struct {
	*httptest.Server
	mu     sync.Mutex
	opened int
	open   int
}

func serve(t *testing.T, handler http.HandlerFunc) *target {
	t.Helper()
	s := &target{Server: httptest.NewUnstartedServer(handler)}
	s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		s.mu.Lock()
		defer s.mu.Unlock()
		switch state {
		case http.StateNew:
			s.opened++
			s.open++
		case http.StateClosed, http.StateHijacked:
			s.open--
		case http.StateActive, http.StateIdle:
		}
	}
	s.Start()
	t.Cleanup(s.Close)
	return s
}

func (s *target) connections() (opened, open int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.opened, s.open
}

// echo answers like a built-in target of fakealb.
func echo(w http.ResponseWriter, r *http.Request) {
	w.Header().Set(load.NodeHeader, "198.18.1.21")
	w.Header().Set("Server", "nginx")
	fmt.Fprintf(w, "hello seq=%s\n", r.Header.Get(load.SeqHeader))
}

// way is to the root of a server.
func way(s *target) recording.Way {
	return recording.Way{Target: s.URL, Host: "www.example.com", Paths: []string{"/"}}
}

// spec is a short attack of 50 requests by 5 users.
func spec(s *target) load.Spec {
	return load.Spec{Way: way(s), Rate: 200, Duration: 0.25, Timeout: 5, Clients: 5, CheckBody: true}
}

func run(t *testing.T, spec load.Spec) []load.Row {
	t.Helper()
	var rows []load.Row
	if err := load.Run(t.Context(), spec, func(row load.Row) { rows = append(rows, row) }); err != nil {
		t.Fatal(err)
	}
	return rows
}

func outcomes(rows []load.Row) map[string]int {
	count := map[string]int{}
	for _, row := range rows {
		count[row.Outcome]++
	}
	return count
}

// eventually waits for a condition that is sure to come, or fails.
func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	for !condition() {
		select {
		case <-ctx.Done():
			t.Fatalf("10 s passed and still not: %s", what)
		case <-time.After(time.Millisecond):
		}
	}
}
