package goproxy

import (
	"context"
	"crypto/tls"
	"io"
	"log"
	"net/http"
	"net/netip"
	"sync/atomic"
	"testing"
	"time"
)

// slowHandshakes is a TLS backend whose handshakes wait while hold is set, and
// the proxy before it, which neither hedges nor gives up a connect.
type slowHandshakes struct {
	*testProxy
	begun, accepted atomic.Int64
	hold            atomic.Pointer[chan struct{}]
	serve           atomic.Pointer[http.HandlerFunc]
}

func startSlowHandshakes(t *testing.T) *slowHandshakes {
	t.Helper()
	s := &slowHandshakes{}
	ca := newCA(t)
	_, pair := ca.issue(t, backendName, nil)
	l, err := tls.Listen("tcp", "127.94.2.10:0", &tls.Config{GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) {
		s.begun.Add(1)
		if hold := s.hold.Load(); hold != nil {
			<-*hold
		}
		s.accepted.Add(1)
		return &tls.Config{Certificates: []tls.Certificate{pair}}, nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	s.answer(func(http.ResponseWriter, *http.Request) {})
	server := &http.Server{ErrorLog: log.New(io.Discard, "", 0), Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		(*s.serve.Load())(w, r)
	})}
	go server.Serve(l)
	t.Cleanup(func() { server.Close() })
	address := netip.MustParseAddrPort(l.Addr().String())
	d := startDNS(t, 60)
	d.mu.Lock()
	d.addrs = append(d.addrs, address.Addr())
	d.mu.Unlock()
	cfg := simpleConfig(int(address.Port()))
	cfg.Upstreams["backend"] = Upstream{
		URL: "https://" + backendName + ":" + address.String()[len(address.Addr().String())+1:],
		TLS: UpstreamTLS{CA: ca.file}, Timeouts: Timeouts{Connect: Duration(time.Minute)}, Retries: Retries{HedgeAfter: Off},
	}
	s.testProxy = startProxy(t, cfg, d)
	return s
}

func (s *slowHandshakes) answer(h http.HandlerFunc) { s.serve.Store(&h) }

// stop holds handshakes from now on, and returns what lets them go.
func (s *slowHandshakes) stop() (resume func()) {
	held := make(chan struct{})
	s.hold.Store(&held)
	return func() {
		s.hold.Store(nil)
		close(held)
	}
}

func (s *slowHandshakes) get(ctx context.Context, status chan<- int) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url, nil)
	if err != nil {
		status <- -1
		return
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		status <- -1
		return
	}
	io.Copy(io.Discard, resp.Body)
	resp.Body.Close()
	status <- resp.StatusCode
}

// A client that goes away takes no handshake with it.
func TestAConnectionOutlivesTheRequestThatBeganIt(t *testing.T) {
	s := startSlowHandshakes(t)
	resume := s.stop()
	ctx, leave := context.WithCancel(t.Context())
	status := make(chan int, 1)
	go s.get(ctx, status)
	eventually(t, 10*time.Second, "a handshake begins", func() bool { return s.begun.Load() == 1 })
	leave()
	if got := <-status; got != -1 {
		t.Fatalf("status %d before there was a connection", got)
	}
	eventually(t, 10*time.Second, "the proxy sees that the client has gone", func() bool {
		for _, e := range s.table.Load().upstreams["backend"].set.Load().endpoints {
			if e.outstanding.Load() != 0 {
				return false
			}
		}
		return true
	})
	resume()
	eventually(t, 10*time.Second, "the connection is kept", func() bool {
		e := s.table.Load().upstreams["backend"].set.Load().endpoints[0]
		e.pool.mu.Lock()
		defer e.pool.mu.Unlock()
		return len(e.pool.idle) == 1
	})
	s.get(t.Context(), status)
	if got := <-status; got != http.StatusOK || s.begun.Load() != 1 {
		t.Errorf("status %d after %d handshakes, want 200 after the one", got, s.begun.Load())
	}
}

// A connection that becomes free is taken by who waits for a handshake.
func TestARequestTakesWhatIsFreeFirst(t *testing.T) {
	s := startSlowHandshakes(t)
	busy, free := make(chan struct{}), make(chan struct{})
	s.answer(func(http.ResponseWriter, *http.Request) {
		close(busy)
		<-free
	})
	first, second := make(chan int, 1), make(chan int, 1)
	go s.get(t.Context(), first)
	<-busy
	resume := s.stop()
	defer resume()
	s.answer(func(http.ResponseWriter, *http.Request) {})
	go s.get(t.Context(), second)
	eventually(t, 10*time.Second, "another handshake begins", func() bool { return s.begun.Load() == 2 })
	close(free)
	if got := <-first; got != http.StatusOK {
		t.Errorf("status %d of the first", got)
	}
	if got := <-second; got != http.StatusOK || s.accepted.Load() != 1 {
		t.Errorf("status %d of the second after %d handshakes, want 200 after the first one's", got, s.accepted.Load())
	}
}
