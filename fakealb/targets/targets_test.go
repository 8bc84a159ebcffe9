package targets

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

func TestCheckFillsInAWSDefaults(t *testing.T) {
	g, _, err := Group{}.Check()
	want := HealthCheck{Protocol: "HTTP", Path: "/", IntervalSeconds: 30, TimeoutSeconds: 5, HealthyThreshold: 5, UnhealthyThreshold: 2, Matcher: "200"}
	if err != nil || g.Protocol != "HTTP" || g.ProtocolVersion != "HTTP1" || g.Health != want {
		t.Errorf("got %+v, %v, want the defaults of 3.2", g, err)
	}
}

func TestCheckNamesTheField(t *testing.T) {
	addr := netip.MustParseAddrPort("127.0.76.1:80")
	for want, g := range map[string]Group{
		"protocol":                         {Protocol: "ftp"},
		"targets[0]":                       {Targets: []Target{{}}},
		"targets[1]":                       {Targets: At(addr, addr)},
		"health_check.path":                {Health: HealthCheck{Path: "x"}},
		"health_check.interval_seconds":    {Health: HealthCheck{IntervalSeconds: 301}},
		"health_check.timeout_seconds":     {Health: HealthCheck{IntervalSeconds: 5, TimeoutSeconds: 6}},
		"health_check.healthy_threshold":   {Health: HealthCheck{HealthyThreshold: 1}},
		"health_check.unhealthy_threshold": {Health: HealthCheck{UnhealthyThreshold: 11}},
		"health_check.matcher":             {Health: HealthCheck{Matcher: "500"}},
	} {
		if _, field, err := g.Check(); err == nil || field != want {
			t.Errorf("got field %q, %v, want %q", field, err, want)
		}
	}
}

// The rules of 3.2 D, check by check: "." a success, "x" a failure.
func TestStateFollowsTheThresholds(t *testing.T) {
	h := HealthCheck{HealthyThreshold: 3, UnhealthyThreshold: 2}
	for checks, want := range map[string]State{
		"":        Initial,
		".":       Healthy, // one success is enough for a new target
		"x":       Unhealthy,
		".x":      Healthy,
		".xx":     Unhealthy,
		".x.x":    Healthy,
		".xx..":   Unhealthy,
		".xx...":  Healthy,
		".xx..x.": Unhealthy,
		"x...":    Healthy,
	} {
		tt := &target{now: because(Initial, reasonInitial)}
		for _, c := range checks {
			r := result{ok: c == '.'}
			if !r.ok {
				r.reason = reasonFailed
			}
			tt.note(r, h)
		}
		if tt.now.state != want || (want == Healthy) != (tt.now.reason == "") && want != Initial {
			t.Errorf("after %q: got %+v, want %s", checks, tt.now, want)
		}
	}
}

func TestHostOfHealthChecks(t *testing.T) {
	for _, c := range []struct{ addr, protocol, want string }{
		{"10.0.0.10:80", "HTTP", "10.0.0.10"},
		{"10.0.0.10:80", "HTTPS", "10.0.0.10:80"},
		{"10.0.0.10:443", "HTTPS", "10.0.0.10"},
		{"10.0.0.10:443", "HTTP", "10.0.0.10:443"},
		{"10.0.0.10:8080", "HTTP", "10.0.0.10:8080"},
		{"[2001:db8::1]:80", "HTTP", "[2001:db8::1]"},
		{"[2001:db8::1]:443", "HTTPS", "[2001:db8::1]"},
		{"[2001:db8::1]:8443", "HTTPS", "[2001:db8::1]:8443"},
	} {
		if got := checkHost(netip.MustParseAddrPort(c.addr), c.protocol); got != c.want {
			t.Errorf("%s over %s: got %q, want %q", c.addr, c.protocol, got, c.want)
		}
	}
}

// backend is a target that can be switched between well and ill.
type backend struct {
	*httptest.Server
	addr        netip.AddrPort
	ill         atomic.Bool
	checks, got atomic.Int64
	badCheck    atomic.Pointer[string]
}

func newBackend(t *testing.T) *backend {
	t.Helper()
	b := &backend{}
	b.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/health" {
			b.got.Add(1)
			return
		}
		b.checks.Add(1)
		if r.Header.Get("User-Agent") != "ELB-HealthChecker/2.0" || r.Host != b.addr.String() || !r.Close {
			text := fmt.Sprintf("%v %s %t", r.Header, r.Host, r.Close)
			b.badCheck.Store(&text)
		}
		if b.ill.Load() {
			w.WriteHeader(http.StatusNotFound)
		}
	}))
	t.Cleanup(b.Close)
	b.addr = b.Listener.Addr().(*net.TCPAddr).AddrPort()
	return b
}

// pool checks every 10 ms of real time: 5 s divided by 500.
func pool(t *testing.T, backends ...*backend) *Pool {
	t.Helper()
	g := Group{Health: HealthCheck{Path: "/health", IntervalSeconds: 5, HealthyThreshold: 2}}
	for _, b := range backends {
		g.Targets = append(g.Targets, Target{Addr: b.addr})
	}
	g, _, err := g.Check()
	if err != nil {
		t.Fatal(err)
	}
	p := NewPool(g, Node{Idle: time.Minute}, Env{Scale: 500})
	t.Cleanup(p.Close)
	return p
}

func await(t *testing.T, what string, check func() bool) {
	t.Helper()
	for end := time.Now().Add(5 * time.Second); time.Now().Before(end); time.Sleep(time.Millisecond) {
		if check() {
			return
		}
	}
	t.Fatalf("not seen within 5 s: %s", what)
}

func states(p *Pool) string {
	var out []string
	for _, h := range p.Health() {
		out = append(out, string(h.State))
	}
	return strings.Join(out, " ")
}

// send forwards n requests and returns how many each backend got.
func send(t *testing.T, p *Pool, n int, backends ...*backend) []int64 {
	t.Helper()
	before := make([]int64, len(backends))
	for i, b := range backends {
		before[i] = b.got.Load()
	}
	for range n {
		req, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, "/x", nil)
		r, err := p.Forward(req, "")
		if err != nil || r.Response == nil {
			t.Fatalf("got %+v, %v", r, err)
		}
		r.Response.Body.Close()
	}
	for i, b := range backends {
		before[i] = b.got.Load() - before[i]
	}
	return before
}

// What checks find, as it changes. A check may also time out on a busy machine, so
// each state is awaited and nothing is said of how long it lasts.
func TestHealthFollowsTheTargets(t *testing.T) {
	a, b := newBackend(t), newBackend(t)
	p := pool(t, a, b)
	await(t, "both healthy", func() bool { return states(p) == "healthy healthy" })
	b.ill.Store(true)
	await(t, "one unhealthy, with the reason", func() bool {
		h := p.Health()[1]
		return states(p) == "healthy unhealthy" && h.Reason == "Target.ResponseCodeMismatch" && strings.Contains(h.Description, "[404]")
	})
	a.ill.Store(true)
	await(t, "both unhealthy", func() bool { return states(p) == "unhealthy unhealthy" })
	a.ill.Store(false)
	await(t, "one healthy again", func() bool { return states(p) == "healthy unhealthy" })
	for _, backend := range []*backend{a, b} {
		if bad := backend.badCheck.Load(); bad != nil {
			t.Errorf("a health check was not as in 3.2: %s", *bad)
		}
	}
}

// Where requests go, with states that are set here and checks that do not come.
func TestRoundRobinAndFailOpen(t *testing.T) {
	a, b := newBackend(t), newBackend(t)
	g, _, err := Group{Targets: At(a.addr, b.addr), Health: HealthCheck{Path: "/health", IntervalSeconds: 300}}.Check()
	if err != nil {
		t.Fatal(err)
	}
	p := NewPool(g, Node{Idle: time.Minute}, Env{Scale: 1})
	t.Cleanup(p.Close)
	await(t, "the first checks", func() bool { return a.checks.Load() == 1 && b.checks.Load() == 1 && states(p) == "healthy healthy" })
	for _, c := range []struct {
		states []State
		want   []int64
	}{
		{[]State{Healthy, Healthy}, []int64{5, 5}},
		{[]State{Healthy, Unhealthy}, []int64{10, 0}},
		{[]State{Initial, Healthy}, []int64{0, 10}},
		{[]State{Unhealthy, Unhealthy}, []int64{5, 5}}, // fail-open: 3.3.1 D
	} {
		p.mu.Lock()
		for i, s := range c.states {
			p.targets[i].now.state = s
		}
		p.refresh()
		p.mu.Unlock()
		if got := send(t, p, 10, a, b); !slices.Equal(got, c.want) {
			t.Errorf("%v: got %v, want %v", c.states, got, c.want)
		}
	}
}

func TestUpdateKeepsTheStateOfTargetsThatStay(t *testing.T) {
	a, b := newBackend(t), newBackend(t)
	g, _, err := Group{Targets: At(a.addr), Health: HealthCheck{IntervalSeconds: 300}}.Check()
	if err != nil {
		t.Fatal(err)
	}
	p := NewPool(g, Node{Idle: time.Minute}, Env{Scale: 1})
	t.Cleanup(p.Close)
	await(t, "healthy", func() bool { return states(p) == "healthy" })
	g.Targets = At(b.addr, a.addr)
	p.Update(g, Node{Idle: time.Minute})
	if got := p.Health()[1].State; got != Healthy {
		t.Errorf("the target that stayed: got %s", got)
	}
	g.Targets = nil
	p.Update(g, Node{Idle: time.Minute})
	req, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
	if r, err := p.Forward(req, ""); err != nil || r.Status != http.StatusServiceUnavailable || r.Target != "" {
		t.Errorf("without targets (3.3.4): got %+v, %v, want 503", r, err)
	}
}

// What a failing target makes of a request (2.4.1 D).
func TestStatusOfFailures(t *testing.T) {
	refusing := newBackend(t)
	refusing.Close()
	silent, err := net.Listen("tcp4", "127.0.76.2:0") // accepts in the kernel, never answers
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	answering := func(reply string) netip.AddrPort {
		l, err := net.Listen("tcp4", "127.0.76.3:0")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { l.Close() })
		go func() {
			for {
				c, err := l.Accept()
				if err != nil {
					return
				}
				_, _ = c.Read(make([]byte, 4096))
				_, _ = c.Write([]byte(reply))
				c.Close()
			}
		}()
		return l.Addr().(*net.TCPAddr).AddrPort()
	}
	for name, c := range map[string]struct {
		addr netip.AddrPort
		want int
	}{
		"refused":              {refusing.addr, 502},
		"silent":               {silent.Addr().(*net.TCPAddr).AddrPort(), 504},
		"closed":               {answering(""), 502},
		"malformed":            {answering("what?\r\n\r\n"), 502},
		"headers over 32 K":    {answering("HTTP/1.1 200 OK\r\nA: " + strings.Repeat("a", 33<<10) + "\r\n\r\n"), 502},
		"headers just in time": {answering("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"), 0},
	} {
		p := NewPool(checked(t, Group{Targets: At(c.addr), Health: HealthCheck{IntervalSeconds: 300}}), Node{Idle: time.Minute}, Env{Scale: 600})
		req, _ := http.NewRequestWithContext(context.Background(), http.MethodGet, "/", nil)
		r, _ := p.Forward(req, "")
		if r.Status != c.want {
			t.Errorf("%s: got %+v, want status %d", name, r, c.want)
		}
		if r.Response != nil {
			r.Response.Body.Close()
		}
		p.Close()
	}
}

// A kept connection that the target resets must not lead to a second attempt
// (3.1.6 O): Go's transport would make one for a request without a body.
func TestNoSecondAttempt(t *testing.T) {
	l, err := net.Listen("tcp4", "127.0.76.4:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	var conns atomic.Int64
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			conns.Add(1)
			go func() { // answers once, then hangs up on the next request
				defer c.Close()
				_, _ = c.Read(make([]byte, 4096))
				_, _ = c.Write([]byte("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"))
				_, _ = c.Read(make([]byte, 4096))
			}()
		}
	}()
	p := NewPool(checked(t, Group{Targets: At(l.Addr().(*net.TCPAddr).AddrPort()), Health: HealthCheck{IntervalSeconds: 300}}), Node{Idle: time.Minute}, Env{Scale: 1})
	defer p.Close()
	await(t, "the first health check", func() bool { return states(p) != "initial" })
	before := conns.Load()
	for i, want := range []int{0, 502} {
		req, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
		r, err := p.Forward(req, "")
		if r.Status != want {
			t.Errorf("request %d: got %+v, %v, want status %d", i+1, r, err, want)
		}
		if r.Response != nil {
			r.Response.Body.Close()
		}
	}
	if n := conns.Load() - before; n != 1 {
		t.Errorf("got %d connections for two requests, want 1", n)
	}
}
