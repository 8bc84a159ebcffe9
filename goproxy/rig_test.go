package goproxy

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/miekg/dns"
	vegeta "github.com/tsenart/vegeta/v12/lib"
)

var discardLog = slog.New(slog.DiscardHandler)

// dnsServer answers one name with a set that can be changed.
type dnsServer struct {
	addr    netip.AddrPort
	mu      sync.Mutex
	addrs   []netip.Addr
	ttl     uint32
	rcode   int
	queries atomic.Int64
}

const backendName = "backend.example.test"

func startDNS(t *testing.T, ttl uint32) *dnsServer {
	t.Helper()
	pc, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &dnsServer{addr: pc.LocalAddr().(*net.UDPAddr).AddrPort(), ttl: ttl}
	server := &dns.Server{PacketConn: pc, Handler: s}
	go server.ActivateAndServe()
	t.Cleanup(func() { pc.Close() })
	return s
}

func (s *dnsServer) ServeDNS(w dns.ResponseWriter, q *dns.Msg) {
	s.queries.Add(1)
	s.mu.Lock()
	defer s.mu.Unlock()
	m := new(dns.Msg)
	m.SetRcode(q, s.rcode)
	if s.rcode == dns.RcodeSuccess && q.Question[0].Qtype == dns.TypeA && q.Question[0].Name == backendName+"." {
		for _, a := range s.addrs {
			m.Answer = append(m.Answer, &dns.A{
				Hdr: dns.RR_Header{Name: q.Question[0].Name, Rrtype: dns.TypeA, Class: dns.ClassINET, Ttl: s.ttl},
				A:   a.AsSlice(),
			})
		}
	}
	w.WriteMsg(m)
}

func (s *dnsServer) set(backends ...*backend) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.addrs = nil
	for _, b := range backends {
		s.addrs = append(s.addrs, b.addr)
	}
}

func (s *dnsServer) fail(rcode int) {
	s.mu.Lock()
	s.rcode = rcode
	s.mu.Unlock()
}

// backend is a server on one loopback address that can go silent or refuse.
type backend struct {
	addr     netip.Addr
	listener *net.TCPListener
	server   *http.Server
	handler  atomic.Pointer[http.HandlerFunc]

	frozen     chan struct{} // closed when silent
	over       chan struct{} // closed at the end of the test
	mu         sync.Mutex
	conns      map[*backendConn]bool
	accepts    []time.Time
	requests   []time.Time
	freezeOnce sync.Once
}

// startBackends listens on the same free port of n addresses of their own.
func startBackends(t *testing.T, n int) (backends []*backend, port int) {
	t.Helper()
	for i := range n {
		addr := netip.AddrFrom4([4]byte{127, 94, 1, byte(10 + i)})
		l, err := net.ListenTCP("tcp", net.TCPAddrFromAddrPort(netip.AddrPortFrom(addr, uint16(port))))
		if err != nil {
			t.Fatal(err)
		}
		port = l.Addr().(*net.TCPAddr).Port
		b := &backend{addr: addr, listener: l, frozen: make(chan struct{}), over: make(chan struct{}), conns: map[*backendConn]bool{}}
		b.handle(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintf(w, "served by %v\n", b.addr) })
		b.server = &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			b.mu.Lock()
			b.requests = append(b.requests, time.Now())
			b.mu.Unlock()
			(*b.handler.Load())(w, r)
		})}
		go b.server.Serve(b)
		t.Cleanup(func() { close(b.over); b.server.Close() })
		backends = append(backends, b)
	}
	return backends, port
}

func (b *backend) handle(h http.HandlerFunc) { b.handler.Store(&h) }

// Accept implements net.Listener; Close and Addr are the listener's.
func (b *backend) Accept() (net.Conn, error) {
	conn, err := b.listener.AcceptTCP()
	if err != nil {
		return nil, err
	}
	c := &backendConn{TCPConn: conn, b: b}
	c.stall()
	b.mu.Lock()
	b.accepts = append(b.accepts, time.Now())
	b.conns[c] = true
	b.mu.Unlock()
	return c, nil
}

func (b *backend) Close() error   { return b.listener.Close() }
func (b *backend) Addr() net.Addr { return b.listener.Addr() }

// freeze makes the backend silent: nothing is read or written on open
// connections, and the accept queue is full, so the kernel drops every SYN.
func (b *backend) freeze(t *testing.T) {
	t.Helper()
	b.freezeOnce.Do(func() {
		close(b.frozen)
		raw, err := b.listener.SyscallConn()
		if err != nil {
			t.Fatal(err)
		}
		if err := raw.Control(func(fd uintptr) { err = syscall.Listen(int(fd), 0) }); err != nil {
			t.Fatal(err)
		}
	})
	// Accept takes one connection and sees the freeze; what comes after it
	// fills the queue, until a dial is not answered any more.
	for range 8 {
		conn, err := net.DialTimeout("tcp", b.Addr().String(), 100*time.Millisecond)
		if err != nil {
			return
		}
		t.Cleanup(func() { conn.Close() })
	}
	t.Fatal("the frozen backend still accepts connections")
}

// refuse resets every connection and closes the port.
func (b *backend) refuse() {
	b.listener.Close()
	b.mu.Lock()
	defer b.mu.Unlock()
	for c := range b.conns {
		c.SetLinger(0)
		c.TCPConn.Close()
	}
}

func (b *backend) requestsAfter(t time.Time) int { return countAfter(b, &b.requests, t) }
func (b *backend) acceptsAfter(t time.Time) int  { return countAfter(b, &b.accepts, t) }

func countAfter(b *backend, times *[]time.Time, t time.Time) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	n := 0
	for _, at := range *times {
		if at.After(t) {
			n++
		}
	}
	return n
}

func (b *backend) openConns() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.conns)
}

type backendConn struct {
	*net.TCPConn
	b *backend
}

func (c *backendConn) Read(p []byte) (int, error) {
	n, err := c.TCPConn.Read(p)
	c.stall()
	return n, err
}

func (c *backendConn) Write(p []byte) (int, error) {
	c.stall()
	return c.TCPConn.Write(p)
}

func (c *backendConn) stall() {
	select {
	case <-c.b.frozen:
		<-c.b.over
	default:
	}
}

func (c *backendConn) Close() error {
	c.stall()
	c.b.mu.Lock()
	delete(c.b.conns, c)
	c.b.mu.Unlock()
	return c.TCPConn.Close()
}

// syncBuffer is a log that can be read while it is written.
type syncBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// testProxy is a proxy that runs until the test ends.
type testProxy struct {
	*Proxy
	url    string
	access *syncBuffer
}

func startProxy(t *testing.T, cfg Config, d *dnsServer) *testProxy {
	t.Helper()
	access, logs := &syncBuffer{}, &syncBuffer{}
	opts := Options{Listen: "127.0.0.1:0", AccessLog: access, Log: slog.New(slog.NewTextHandler(logs, nil))}
	if d != nil {
		opts.Resolvers = []netip.AddrPort{d.addr}
	}
	p, err := New(cfg, opts)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ran := make(chan error, 1)
	go func() { ran <- p.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ran; err != nil {
			t.Errorf("Run: %v", err)
		}
		if t.Failed() {
			t.Logf("proxy log:\n%s", logs)
			for line := range strings.Lines(access.String()) {
				if !strings.Contains(line, `"status":200`) {
					t.Log(line)
				}
			}
		}
	})
	return &testProxy{Proxy: p, url: "http://" + p.Addr().String(), access: access}
}

// simpleConfig is one route to the backend name.
func simpleConfig(port int) Config {
	return Config{
		DrainTimeout: Duration(2 * time.Second),
		Routes:       []Route{{Upstream: "backend"}},
		Upstreams:    map[string]Upstream{"backend": {URL: fmt.Sprintf("http://%s:%d", backendName, port)}},
	}
}

// loadTimeout is longer than the 3 s of the scenarios, because a busy machine
// can stop this process for that long. A request that nothing saves waits for a
// minute, so it still fails.
const loadTimeout = 10 * time.Second

// loadResult is what a load brought.
type loadResult struct {
	results []*vegeta.Result
	stall   time.Duration // the longest time in which this process did not run
}

// counted paces a number of requests. One that is bounded by time instead would
// leave out what falls into a moment in which the machine stands still at its end.
type counted struct {
	vegeta.ConstantPacer
	most uint64
}

func (c counted) Pace(elapsed time.Duration, sent uint64) (time.Duration, bool) {
	if sent >= c.most {
		return 0, true
	}
	return c.ConstantPacer.Pace(elapsed, sent)
}

// load sends GETs open loop, as many as belong into d, and returns every result
// when it is over.
func load(p *testProxy, rate int, d time.Duration) <-chan loadResult {
	out := make(chan loadResult, 1)
	over := make(chan struct{})
	stalled := make(chan time.Duration, 1)
	go func() {
		tick := time.NewTicker(10 * time.Millisecond)
		defer tick.Stop()
		var longest time.Duration
		for last := time.Now(); ; {
			select {
			case <-tick.C:
				longest, last = max(longest, time.Since(last)), time.Now()
			case <-over:
				stalled <- longest
				return
			}
		}
	}()
	attacker := vegeta.NewAttacker(vegeta.Timeout(loadTimeout), vegeta.KeepAlive(true))
	targeter := vegeta.NewStaticTargeter(vegeta.Target{Method: http.MethodGet, URL: p.url + "/load"})
	go func() {
		var results []*vegeta.Result
		pace := counted{vegeta.ConstantPacer{Freq: rate, Per: time.Second}, uint64(float64(rate) * d.Seconds())}
		for r := range attacker.Attack(targeter, pace, 0, "") {
			results = append(results, r)
		}
		close(over)
		out <- loadResult{results, <-stalled}
	}()
	return out
}

// requireNoFailure fails on every result that is not 200, and when not all of
// want requests were sent.
func requireNoFailure(t *testing.T, load loadResult, want int) {
	t.Helper()
	results := load.results
	if len(results) != want {
		t.Errorf("%d requests were sent, want %d", len(results), want)
	}
	failed := map[string]int{}
	var slowest time.Duration
	for _, r := range results {
		slowest = max(slowest, r.Latency)
		if r.Code != http.StatusOK {
			failed[fmt.Sprintf("%d %s", r.Code, r.Error)]++
		}
	}
	if len(failed) > 0 {
		t.Errorf("failed requests: %v", failed)
	}
	t.Logf("%d requests, slowest %v; this process stood still for up to %v", len(results), slowest, load.stall)
}

// eventually waits for evidence.
func eventually(t *testing.T, within time.Duration, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(within); !ok(); {
		if time.Now().After(deadline) {
			t.Fatalf("not within %v: %s", within, what)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func await(t *testing.T, event <-chan struct{}, what string) {
	t.Helper()
	select {
	case <-event:
	case <-time.After(5 * time.Second):
		t.Fatalf("not within 5 s: %s", what)
	}
}
