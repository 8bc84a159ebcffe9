package load

import (
	"context"
	"io"
	"net"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/proxychaos/proxychaos/harness/recording"
)

// These tests run in memory on the clock of testing/synctest: net/http gives
// up a connection whose request was not seen to be written within 50 ms, which
// on a busy machine would open more connections than the users did.

// proxyDouble notes, for each client connection, how many requests it brought
// and at which of them the client said Connection: close.
type proxyDouble struct {
	*http.Server
	listener pipes
	// dropAt is after which request the first connection is closed without a
	// word (no Connection: close); 0 is never.
	dropAt int
	mute   bool // that one request gets no answer either
	says   bool // its answer says that the connection ends

	mu       sync.Mutex
	order    []string
	requests map[string]int
	closedAt map[string]int
}

func newProxyDouble() *proxyDouble {
	p := &proxyDouble{requests: map[string]int{}, closedAt: map[string]int{}, listener: make(pipes)}
	p.Server = &http.Server{Handler: p}
	return p
}

// pipes is a net.Listener whose connections are in memory, each with an
// address of its own.
type pipes chan net.Conn

type pipe struct {
	net.Conn
	peer net.Addr
}

func (p pipe) RemoteAddr() net.Addr { return p.peer }

func (l pipes) Accept() (net.Conn, error) {
	conn, ok := <-l
	if !ok {
		return nil, net.ErrClosed
	}
	return conn, nil
}

func (l pipes) Close() error   { close(l); return nil }
func (l pipes) Addr() net.Addr { return &net.TCPAddr{} }

// dialer gives every connection the next port.
func (l pipes) dialer() func(context.Context, string, string) (net.Conn, error) {
	var port atomic.Int32
	return func(context.Context, string, string) (net.Conn, error) {
		client, server := net.Pipe()
		l <- pipe{server, &net.TCPAddr{Port: int(port.Add(1))}}
		return client, nil
	}
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
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	switch {
	case p.says:
		_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
	case !p.mute:
		_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
	}
	_ = conn.Close()
}

// inTurn sends requests one after the other, as vegeta would, so that the
// order of users is certain. It returns the numbers of those that were sent
// again.
func inTurn(t *testing.T, p *proxyDouble, spec Spec, n int) (resent []int) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		go func() { _ = p.Serve(p.listener) }()
		defer p.Close()
		spec.Timeout, spec.Way = 30, recording.Way{Target: "http://proxy.test", Host: "proxy.test", Paths: []string{"/"}}
		users := newUsers(t.Context(), spec)
		defer users.close()
		dial := p.listener.dialer()
		for _, one := range users.free {
			one.transport.DialContext = dial
		}
		for i := range n {
			request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://proxy.test/", nil)
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
			if users.wasResent(uint64(i + 1)) {
				resent = append(resent, i+1)
			}
		}
	})
	return resent
}

func TestWhatTheClientSendsAgainIsNoted(t *testing.T) {
	p := newProxyDouble()
	p.dropAt, p.mute = 3, true
	if got := inTurn(t, p, Spec{Clients: 2}, 10); !slices.Equal(got, []int{5}) {
		t.Errorf("got %v sent again, want 5: the third on the first connection", got)
	}
	p = newProxyDouble()
	p.dropAt, p.says = 3, true
	if got := inTurn(t, p, Spec{Clients: 2}, 10); got != nil {
		t.Errorf("got %v sent again, want none: the answer said that the connection ends", got)
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
	p := newProxyDouble()
	inTurn(t, p, Spec{Clients: 5}, 50)
	if got, want := p.counts(), []int{10, 10, 10, 10, 10}; !slices.Equal(got, want) {
		t.Errorf("got %v requests on the connections, want %v", got, want)
	}
	if len(p.closedAt) != 0 {
		t.Errorf("without a limit a user announced the end of its connection: %v", p.closedAt)
	}
}

func TestConnectionsAreReplacedCleanly(t *testing.T) {
	p := newProxyDouble()
	inTurn(t, p, Spec{Clients: 1, RequestsPerConnection: 10}, 50)
	if got, want := p.counts(), []int{10, 10, 10, 10, 10}; !slices.Equal(got, want) {
		t.Errorf("got %v requests on the connections, want %v", got, want)
	}
	if !reflect.DeepEqual(p.closedAt, p.requests) {
		t.Errorf("ends were announced at %v, want at the last request of each: %v", p.closedAt, p.requests)
	}
}

func TestOneRequestPerConnection(t *testing.T) {
	p := newProxyDouble()
	inTurn(t, p, Spec{Clients: 3, RequestsPerConnection: 1}, 9)
	if len(p.requests) != 9 || len(p.closedAt) != 9 {
		t.Errorf("got %d connections, %d with an end announced, want 9 of both", len(p.requests), len(p.closedAt))
	}
}

// Users who began together do not all reconnect together.
func TestFirstConnectionsEndSpreadOut(t *testing.T) {
	p := newProxyDouble()
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
		p := newProxyDouble()
		p.dropAt = dropAt
		inTurn(t, p, Spec{Clients: 1, RequestsPerConnection: 5}, 14)
		if got := p.counts(); !slices.Equal(got, want) {
			t.Errorf("closed after %d: got %v requests on the connections, want %v", dropAt, got, want)
		}
	}
}
