package targets

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"
	"google.golang.org/grpc"
)

// recorder is a pool over real servers with its health check log.
type recorder struct {
	*Pool
	mu  sync.Mutex
	log []CheckEntry
}

func record(t *testing.T, g Group, scale float64) *recorder {
	t.Helper()
	r := &recorder{}
	r.Pool = NewPool(checked(t, g), Node{Idle: time.Minute}, Env{Scale: scale, HealthLog: func(e CheckEntry) {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.log = append(r.log, e)
	}})
	t.Cleanup(r.Close)
	return r
}

// first awaits the first line of the log, without its time and latency.
func (r *recorder) first(t *testing.T) string {
	t.Helper()
	await(t, "a health check", func() bool { r.mu.Lock(); defer r.mu.Unlock(); return len(r.log) > 0 })
	r.mu.Lock()
	defer r.mu.Unlock()
	f := strings.Fields(r.log[0].Line())
	return strings.Join(append(f[:1], f[4:]...), " ")
}

// proto is a server that answers with the protocol it was asked in.
func proto(t *testing.T, tls bool) netip.AddrPort {
	t.Helper()
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = fmt.Fprint(w, r.Proto) }))
	s.Config.Protocols = new(http.Protocols)
	s.Config.Protocols.SetHTTP1(true)
	s.Config.Protocols.SetUnencryptedHTTP2(true)
	if tls {
		s.EnableHTTP2 = true
		s.StartTLS()
	} else {
		s.Start()
	}
	t.Cleanup(s.Close)
	return s.Listener.Addr().(*net.TCPAddr).AddrPort()
}

func TestProtocolVersions(t *testing.T) {
	t.Attr("aws-fact", "3.1.4")
	t.Attr("aws-fact", "3.1.7")
	plain, secure := proto(t, false), proto(t, true)
	for _, c := range []struct {
		protocol, version, want, log string
		at                           netip.AddrPort
	}{
		{ProtocolHTTP, "", "HTTP/1.1", "http g PASS 200 -", plain},
		{ProtocolHTTPS, VersionHTTP1, "HTTP/1.1", "https g PASS 200 -", secure}, // with a certificate that nobody knows
		{ProtocolHTTP, VersionHTTP2, "HTTP/2.0", "h2 g PASS 200 -", plain},
		{ProtocolHTTPS, VersionHTTP2, "HTTP/2.0", "h2 g PASS 200 -", secure},
	} {
		p := record(t, Group{Name: "g", Targets: At(c.at), Protocol: c.protocol, ProtocolVersion: c.version, Health: HealthCheck{Protocol: c.protocol}}, 1)
		if got := p.first(t); got != c.log {
			t.Errorf("%s %s: the log has %q, want %q", c.protocol, c.version, got, c.log)
		}
		r := open(t, p.Pool, "")
		body, err := io.ReadAll(r.Response.Body)
		_ = r.Response.Body.Close()
		if err != nil || string(body) != c.want {
			t.Errorf("%s %s: got %q, %v, want %q", c.protocol, c.version, body, err, c.want)
		}
	}
}

// A real gRPC server that knows nothing of health: UNIMPLEMENTED, which is the
// success of the default matcher.
func TestGRPCHealthChecks(t *testing.T) {
	t.Attr("aws-fact", "3.2")
	t.Attr("aws-fact", "2.2.4")
	l, err := net.Listen("tcp4", "127.0.76.9:0")
	if err != nil {
		t.Fatal(err)
	}
	s := grpc.NewServer()
	go func() { _ = s.Serve(l) }()
	t.Cleanup(s.Stop)
	at := l.Addr().(*net.TCPAddr).AddrPort()
	for matcher, want := range map[string]string{"": "grpc g PASS 12 -", "0-5": "grpc g FAIL 12 GRPCUnexpectedStatus", "0,12": "grpc g PASS 12 -"} {
		p := record(t, Group{Name: "g", Targets: At(at), ProtocolVersion: VersionGRPC, Health: HealthCheck{Matcher: matcher}}, 1)
		if got := p.first(t); got != want {
			t.Errorf("matcher %q: the log has %q, want %q", matcher, got, want)
		}
	}
	h := checked(t, Group{ProtocolVersion: VersionGRPC}).Health
	if h.Path != "/AWS.ALB/healthcheck" || h.Matcher != "12" {
		t.Errorf("got the defaults %+v", h)
	}
	for matcher, ok := range map[string]bool{"0": true, "99": true, "0-99": true, "100": false, "200": false, "-1": false, "5-1": false} {
		if _, field, err := (Group{ProtocolVersion: VersionGRPC, Health: HealthCheck{Matcher: matcher}}).Check(); (err == nil) != ok || !ok && field != "health_check.matcher" {
			t.Errorf("matcher %q: got field %q, %v", matcher, field, err)
		}
	}
}

// counting is a server that counts its connections and the requests on each.
type counting struct {
	mu    sync.Mutex
	conns map[string]int // requests by the address of the pool's end
	close bool           // with Connection: close
	at    netip.AddrPort
	// opened counts connections, checked health checks.
	opened, checked atomic.Int64
}

func count(t *testing.T) *counting {
	t.Helper()
	c := &counting{conns: map[string]int{}}
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("User-Agent") == "ELB-HealthChecker/2.0" {
			c.checked.Add(1)
			return
		}
		c.mu.Lock()
		c.conns[r.RemoteAddr]++
		if c.close {
			w.Header().Set("Connection", "close")
		}
		c.mu.Unlock()
		_, _ = fmt.Fprint(w, "hello")
	}))
	s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			c.opened.Add(1)
		}
	}
	s.Start()
	t.Cleanup(s.Close)
	c.at = s.Listener.Addr().(*net.TCPAddr).AddrPort()
	return c
}

func (c *counting) seen() (conns, requests int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, n := range c.conns {
		requests += n
	}
	return len(c.conns), requests
}

// Connections are used again, one request at a time (3.1.1 D).
func TestConnectionsToTargetsAreReused(t *testing.T) {
	t.Attr("aws-fact", "3.1.1")
	c := count(t)
	p := record(t, Group{Targets: At(c.at)}, 1)
	await(t, "the first health check", func() bool { return c.checked.Load() == 1 })
	if n := c.opened.Load(); n != 1 {
		t.Errorf("got %d connections before the first request, want that of the health check only", n)
	}
	shares(t, p.Pool, 5)
	if conns, requests := c.seen(); conns != 1 || requests != 5 {
		t.Errorf("got %d requests on %d connections, want 5 on 1", requests, conns)
	}
	if n := c.opened.Load(); n != 2 {
		t.Errorf("got %d connections for a health check and five requests, want 2", n)
	}
	// Two at a time are never on one connection: the second is sent before the
	// first one's body was read.
	first, second := open(t, p.Pool, ""), open(t, p.Pool, "")
	_ = first.Response.Body.Close()
	_ = second.Response.Body.Close()
	if conns, _ := c.seen(); conns != 2 {
		t.Errorf("got %d connections for two requests at a time, want 2", conns)
	}
}

// Connection: close of a target is heeded (2.5.7 D).
func TestTargetThatClosesItsConnections(t *testing.T) {
	t.Attr("aws-fact", "2.5.7")
	c := count(t)
	c.close = true
	p := record(t, Group{Targets: At(c.at)}, 1)
	shares(t, p.Pool, 3)
	if conns, requests := c.seen(); conns != 3 || requests != 3 {
		t.Errorf("got %d requests on %d connections, want each on its own", requests, conns)
	}
}

// closedPort is an address that refuses.
func closedPort(t *testing.T) netip.AddrPort {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.76.10:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).AddrPort()
}

func TestRetries(t *testing.T) {
	t.Attr("aws-fact", "3.1.6")
	c := count(t)
	closed := closedPort(t)
	for retries, want := range map[int]int{0: 502, 1: 0} {
		p := record(t, Group{Targets: At(closed), Retries: retries, Attributes: Attributes{UnhealthyRoutingCount: 3, DNSFailoverCount: Off}}, 1)
		g := checked(t, Group{Targets: At(closed, c.at), Retries: retries, Attributes: Attributes{UnhealthyRoutingCount: 3, DNSFailoverCount: Off}})
		p.Update(g, Node{Idle: time.Minute})
		for _, body := range []string{"", "some body"} {
			req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "/", strings.NewReader(body))
			if err != nil {
				t.Fatal(err)
			}
			r, _ := p.Forward(req, closed.String())
			if r.Status != want || want == 0 && (r.Target != c.at.String() || len(r.Tried) != 1 || r.Tried[0] != closed.String()) {
				t.Errorf("%d retries: got %+v, want the status %d", retries, r, want)
			}
			if r.Response != nil {
				got, err := io.ReadAll(r.Response.Body)
				_ = r.Response.Body.Close()
				if err != nil || !bytes.Equal(got, []byte("hello")) {
					t.Errorf("got %q, %v", got, err)
				}
			}
		}
	}
	if got := checked(t, Group{}).Retries; got != 0 {
		t.Errorf("got %d retries by default, want none", got)
	}
}

// deaf is an address at which connecting hangs: the queue of its listener is full.
func deaf(t *testing.T) netip.AddrPort {
	t.Helper()
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = unix.Close(fd) })
	if err := unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 76, 11}}); err != nil {
		t.Fatal(err)
	}
	if err := unix.Listen(fd, 0); err != nil {
		t.Fatal(err)
	}
	name, err := unix.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	at := netip.AddrPortFrom(netip.MustParseAddr("127.0.76.11"), uint16(name.(*unix.SockaddrInet4).Port))
	for range 10 {
		c, err := net.DialTimeout("tcp4", at.String(), 200*time.Millisecond)
		if err != nil {
			return at
		}
		t.Cleanup(func() { c.Close() })
	}
	t.Fatal("ten connections fit into a queue of none")
	return at
}

// Connecting and the TLS handshake each have 10 s: at scale 40, 250 ms (3.1.3 D).
func TestTimeoutsTowardsTargets(t *testing.T) {
	t.Attr("aws-fact", "3.1.3")
	mute, err := net.Listen("tcp4", "127.0.76.12:0") // connections that nobody answers
	if err != nil {
		t.Fatal(err)
	}
	defer mute.Close()
	silent := mute.Addr().(*net.TCPAddr).AddrPort()
	for name, c := range map[string]struct {
		at        netip.AddrPort
		protocol  string
		connected bool
		least     time.Duration
	}{
		"connect":       {deaf(t), ProtocolHTTP, false, 250 * time.Millisecond},
		"TLS handshake": {silent, ProtocolHTTPS, false, 250 * time.Millisecond},
		"response":      {silent, ProtocolHTTP, true, 1500 * time.Millisecond}, // the idle timeout of 60 s
	} {
		p := record(t, Group{Targets: At(c.at), Protocol: c.protocol, Health: HealthCheck{IntervalSeconds: 300}}, 40)
		begun := time.Now()
		r := open(t, p.Pool, "")
		if took := time.Since(begun); r.Status != http.StatusGatewayTimeout || took < c.least || took >= 10*c.least || r.SentAt.IsZero() == c.connected {
			t.Errorf("%s: got %+v after %s, want 504 after %s", name, r, took, c.least)
		}
	}
}
