package load

import (
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strconv"
	"sync"
	"testing"
)

// proxyDouble notes, for each client connection by its port, how many requests
// it brought and at which of them the client said Connection: close.
type proxyDouble struct {
	*httptest.Server
	// dropAt is after which request the first connection is closed without a
	// word (no Connection: close); 0 is never.
	dropAt int

	mu       sync.Mutex
	order    []string
	requests map[string]int
	closedAt map[string]int
}

func newProxyDouble(t *testing.T) *proxyDouble {
	p := &proxyDouble{requests: map[string]int{}, closedAt: map[string]int{}}
	p.Server = httptest.NewServer(p)
	t.Cleanup(p.Close)
	return p
}

func (p *proxyDouble) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	p.requests[r.RemoteAddr]++
	n := p.requests[r.RemoteAddr]
	if n == 1 {
		p.order = append(p.order, r.RemoteAddr)
	}
	if r.Close {
		p.closedAt[r.RemoteAddr] = n
	}
	drop := n == p.dropAt && r.RemoteAddr == p.order[0]
	p.mu.Unlock()
	if !drop {
		return
	}
	conn, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	_, _ = buffered.WriteString("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
	_ = buffered.Flush()
	_ = conn.Close()
}

// inTurn sends requests one after the other, as vegeta would, so that the
// order of users is certain.
func inTurn(t *testing.T, p *proxyDouble, spec Spec, n int) {
	t.Helper()
	spec.Timeout = 30
	users := newUsers(t.Context(), spec)
	defer users.close()
	for i := range n {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, p.URL, nil)
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set(vegetaSeqHeader, strconv.Itoa(i))
		response, err := users.RoundTrip(request)
		if err != nil {
			t.Fatalf("request %d was lost: %v", i+1, err)
		}
		_, _ = io.Copy(io.Discard, response.Body)
		_ = response.Body.Close()
	}
}

// counts gives the requests of each connection in the order of their opening.
func (p *proxyDouble) counts() []int {
	var counts []int
	for _, peer := range p.order {
		counts = append(counts, p.requests[peer])
	}
	return counts
}

func TestUsersTakeTurnsAndKeepTheirConnections(t *testing.T) {
	p := newProxyDouble(t)
	inTurn(t, p, Spec{Clients: 5}, 50)
	if got, want := p.counts(), []int{10, 10, 10, 10, 10}; !slices.Equal(got, want) {
		t.Errorf("got %v requests on the connections, want %v", got, want)
	}
	if len(p.closedAt) != 0 {
		t.Errorf("without a limit a user announced the end of its connection: %v", p.closedAt)
	}
}

func TestConnectionsAreReplacedCleanly(t *testing.T) {
	p := newProxyDouble(t)
	inTurn(t, p, Spec{Clients: 1, RequestsPerConnection: 10}, 50)
	if got, want := p.counts(), []int{10, 10, 10, 10, 10}; !slices.Equal(got, want) {
		t.Errorf("got %v requests on the connections, want %v", got, want)
	}
	if !reflect.DeepEqual(p.closedAt, p.requests) {
		t.Errorf("ends were announced at %v, want at the last request of each: %v", p.closedAt, p.requests)
	}
}

func TestOneRequestPerConnection(t *testing.T) {
	p := newProxyDouble(t)
	inTurn(t, p, Spec{Clients: 3, RequestsPerConnection: 1}, 9)
	if len(p.requests) != 9 || len(p.closedAt) != 9 {
		t.Errorf("got %d connections, %d with an end announced, want 9 of both", len(p.requests), len(p.closedAt))
	}
}

// Users who began together do not all reconnect together.
func TestFirstConnectionsEndSpreadOut(t *testing.T) {
	p := newProxyDouble(t)
	inTurn(t, p, Spec{Clients: 5, RequestsPerConnection: 10}, 100)
	if got, want := p.counts()[:10], []int{10, 8, 6, 4, 2, 10, 10, 10, 10, 10}; !slices.Equal(got, want) {
		t.Errorf("got %v requests on the first connections, want %v", got, want)
	}
}

// A proxy may close an idle connection at any time. The browser sends a GET
// again then, and the count of the new connection starts anew.
func TestProxyThatClosesIdleConnectionsLosesNothing(t *testing.T) {
	for dropAt, want := range map[int][]int{
		3: {3, 5, 5, 1}, // 2 requests early
		4: {4, 1, 5, 4}, // the request that has to be sent again says that it is the last
		5: {5, 5, 4},    // just when the user closes it, too
	} {
		p := newProxyDouble(t)
		p.dropAt = dropAt
		inTurn(t, p, Spec{Clients: 1, RequestsPerConnection: 5}, 14)
		if got := p.counts(); !slices.Equal(got, want) {
			t.Errorf("closed after %d: got %v requests on the connections, want %v", dropAt, got, want)
		}
	}
}
