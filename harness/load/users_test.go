package load_test

import (
	"net/http"
	"reflect"
	"slices"
	"sync"
	"testing"

	"github.com/proxychaos/proxychaos/harness/recording"
)

// perConnection counts the requests of each client connection, by its port,
// and notes the count at which the client said Connection: close.
type perConnection struct {
	mu       sync.Mutex
	order    []string
	requests map[string]int
	closedAt map[string]int
}

func (p *perConnection) serve(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	if p.requests[r.RemoteAddr] == 0 {
		p.order = append(p.order, r.RemoteAddr)
	}
	p.requests[r.RemoteAddr]++
	if r.Close {
		p.closedAt[r.RemoteAddr] = p.requests[r.RemoteAddr]
	}
	p.mu.Unlock()
	echo(w, r)
}

func count() *perConnection {
	return &perConnection{requests: map[string]int{}, closedAt: map[string]int{}}
}

func TestUsersRotateAndKeepTheirConnections(t *testing.T) {
	seen := count()
	server := serve(t, seen.serve)
	s := spec(server)
	rows := run(t, s)
	if got := outcomes(rows)[recording.OK]; got != 50 {
		t.Fatalf("got %d ok, want 50", got)
	}
	// A slow machine may make a user wait and one more user come: every
	// request is on a connection, and the 5 users took turns.
	if len(seen.requests) < 5 {
		t.Errorf("got %d connections, want one for each of 5 users", len(seen.requests))
	}
	if len(seen.requests) == 5 {
		for peer, n := range seen.requests {
			if n != 10 {
				t.Errorf("the user at %s sent %d requests, want 10 of 50", peer, n)
			}
		}
	}
	if len(seen.closedAt) != 0 {
		t.Errorf("without a limit a user announced the end of its connection: %v", seen.closedAt)
	}
	eventually(t, "all connections closed", func() bool { _, open := server.connections(); return open == 0 })
}

func TestConnectionsAreReplacedCleanly(t *testing.T) {
	seen := count()
	s := spec(serve(t, seen.serve))
	s.Clients, s.RequestsPerConnection = 1, 10
	rows := run(t, s)
	if got := outcomes(rows)[recording.OK]; got != 50 {
		t.Fatalf("got %d ok, want 50", got)
	}
	if len(seen.requests) == 5 { // no second user had to help
		for peer, n := range seen.requests {
			if n != 10 || seen.closedAt[peer] != 10 {
				t.Errorf("%s: %d requests, closed at %d, want 10 and 10", peer, n, seen.closedAt[peer])
			}
		}
	}
	if len(seen.requests) < 5 {
		t.Errorf("got %d connections for 50 requests, want one for each 10", len(seen.requests))
	}
	for peer, at := range seen.closedAt {
		if at != seen.requests[peer] || at > 10 {
			t.Errorf("%s: end announced at request %d of %d, want the last, at most the 10th", peer, at, seen.requests[peer])
		}
	}
}

// Users who began together do not all reconnect together: the first
// connections end after 10, 8, 6, 4 and 2 requests.
func TestFirstConnectionsEndSpreadOut(t *testing.T) {
	seen := count()
	s := spec(serve(t, seen.serve))
	s.RequestsPerConnection = 10
	s.Rate, s.Duration = 50, 1 // so slow that no sixth user has to help
	run(t, s)
	if len(seen.order) < 5 {
		t.Fatalf("got %d connections, want at least 5", len(seen.order))
	}
	var got []int
	for _, peer := range seen.order[:5] {
		got = append(got, seen.requests[peer])
	}
	slices.Sort(got)
	if want := []int{2, 4, 6, 8, 10}; !reflect.DeepEqual(got, want) {
		t.Errorf("the first 5 connections ended after %v requests, want %v", got, want)
	}
}

// A proxy may close an idle connection at any time. The browser sends a GET
// again then, and the user's count starts anew.
func TestProxyThatClosesIdleConnectionsLosesNothing(t *testing.T) {
	var mu sync.Mutex
	requests := map[string]int{}
	server := serve(t, func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		requests[r.RemoteAddr]++
		third := requests[r.RemoteAddr] == 3
		mu.Unlock()
		if !third {
			echo(w, r)
		} else { // answers and closes without a word: no Connection: close
			conn, buffered, err := http.NewResponseController(w).Hijack()
			if err != nil {
				t.Error(err)
				return
			}
			_, _ = buffered.WriteString("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
			_ = buffered.Flush()
			_ = conn.Close()
		}
	})
	s := spec(server)
	s.CheckBody, s.RequestsPerConnection = false, 5
	if got := outcomes(run(t, s)); !reflect.DeepEqual(got, map[string]int{recording.OK: 50}) {
		t.Errorf("got outcomes %v, want 50 ok", got)
	}
	for peer, n := range requests {
		if n > 3 {
			t.Errorf("%s served %d requests, but was closed at the 3rd", peer, n)
		}
	}
}
