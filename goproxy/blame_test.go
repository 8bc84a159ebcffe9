package goproxy

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/onsi/gomega"

	"github.com/proxychaos/proxychaos/goproxy/http1"
)

// startPlain is a server that takes HTTP/1 and HTTP/2 without TLS. It reads each
// request to its end, and answers /wait only when the client has gone.
func startPlain(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &http.Server{MaxHeaderBytes: 4 << 10, Protocols: &http.Protocols{}, Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if _, err := io.Copy(io.Discard, r.Body); err != nil {
			panic(http.ErrAbortHandler)
		}
		if r.URL.Path == "/wait" {
			<-r.Context().Done()
		}
	})}
	s.Protocols.SetHTTP1(true)
	s.Protocols.SetUnencryptedHTTP2(true)
	go s.Serve(l)
	t.Cleanup(func() { s.Close() })
	return "http://" + l.Addr().String()
}

// reset ends the connection as a client does that is killed.
func (c *rawClient) reset() {
	c.Conn.(*net.TCPConn).SetLinger(0)
	c.Close()
}

// What clients do wrong leaves no address out, and they get the status for it.
func TestClientsAreNotTheUpstreamsFault(t *testing.T) {
	const upload = "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 100000\r\n\r\n"
	half := strings.Repeat("x", 50000)
	status := func(c *rawClient, want string) {
		c.t.Helper()
		if head := c.head(); !strings.HasPrefix(head, "HTTP/1.1 "+want+" ") {
			c.t.Errorf("got %.40q, want status %s", head, want)
		}
	}
	for name, test := range map[string]struct {
		times  int
		change func(*Config)
		client func(c *rawClient)
	}{
		"an upload with a pause": {2, nil, func(c *rawClient) {
			c.send("%s%s", upload, half)
			time.Sleep(2500 * time.Millisecond) // the pause is the condition
			c.send("%s", half)
			status(c, "200")
		}},
		"an upload without a pause, but long": {2, nil, func(c *rawClient) {
			c.send(upload)
			for range 100 {
				c.send("%s", half[:1000])
				time.Sleep(25 * time.Millisecond) // its length is the condition
			}
			status(c, "200")
		}},
		"an upload that breaks off": {8, nil, func(c *rawClient) {
			c.send("%sxxx", upload)
			c.reset()
		}},
		"an upload in chunks that breaks off": {8, nil, func(c *rawClient) {
			c.send("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")
			c.reset()
		}},
		"an upload in chunks that are none": {8, nil, func(c *rawClient) {
			c.send("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nworld\r\n")
			status(c, "400")
		}},
		"an upload that is too slow": {4, func(cfg *Config) { cfg.Clients.BodyTimeout = Duration(100 * time.Millisecond) }, func(c *rawClient) {
			c.send("%sxxx", upload)
			status(c, "408")
		}},
		"a client that goes away": {4, nil, func(c *rawClient) {
			c.send("GET /wait HTTP/1.1\r\nHost: h\r\n\r\n")
			time.Sleep(1500 * time.Millisecond) // the client's patience, longer than HedgeAfter
			c.reset()
		}},
		"no Host, where it is preserved": {4, func(cfg *Config) { cfg.Routes[0].PreserveHost = true }, func(c *rawClient) {
			c.send("GET / HTTP/1.0\r\n\r\n")
			status(c, "200")
		}},
		"a Trailer that names no field": {4, nil, func(c *rawClient) {
			c.send("POST / HTTP/1.1\r\nHost: h\r\nTrailer: a b, \"c\", \xfc\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n")
			status(c, "200")
		}},
		"a header that is too large for the upstream": {1, nil, func(c *rawClient) {
			for range 2 { // HTTP/2 then knows the limit of both addresses
				c.send(plainGET)
				status(c, "200")
			}
			for range 4 {
				c.send("GET / HTTP/1.1\r\nHost: h\r\nCookie: %s\r\n\r\n", half[:40000])
				answer, err := http.ReadResponse(c.Reader, nil)
				if err != nil {
					c.t.Error(err)
					return
				}
				if _, err := io.Copy(io.Discard, answer.Body); err != nil || answer.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
					c.t.Errorf("got %s, %v, want status 431", answer.Status, err)
				}
			}
		}},
	} {
		for _, protocol := range []string{protocolHTTP1, protocolH2C} {
			t.Run(name+", "+protocol, func(t *testing.T) {
				t.Parallel()
				cfg := Config{
					DrainTimeout: Duration(2 * time.Second),
					Routes:       []Route{{Upstream: "app"}},
					Upstreams: map[string]Upstream{"app": {
						Protocol: protocol, Balance: byRequests, Retries: Retries{HedgeAfter: Duration(time.Second)},
						Members: []Member{{URL: startPlain(t)}, {URL: startPlain(t)}},
					}},
				}
				if test.change != nil {
					test.change(&cfg)
				}
				p := startProxy(t, cfg, nil)
				var all sync.WaitGroup
				for range test.times {
					c := dialProxy(t, p)
					all.Go(func() { test.client(c) })
				}
				all.Wait()
				eventually(t, 10*time.Second, "every request is over", func() bool {
					return strings.Count(p.access.String(), "\n") >= test.times
				})
				if n := p.table.Load().upstreams["app"].ejections.Load(); n != 0 {
					t.Errorf("addresses were left out %d times", n)
				}
			})
		}
	}
}

// stopped is a server whose process has been stopped: the kernel takes connections
// for it, and what fits into their buffers.
func stopped(t *testing.T) *rawUpstream {
	t.Helper()
	return startRaw(t, func(net.Conn, *bufio.Reader) {})
}

// Requests of which no copy may be sent show all the same that an address is silent.
func TestStoppedProcessIsLeftOutWhereOnlyPOSTsCome(t *testing.T) {
	for name, body := range map[string]string{
		"no body":                            "Content-Length: 0\r\n\r\n",
		"a small body":                       "Content-Length: 5\r\n\r\nhello",
		"a body that is passed on":           fmt.Sprintf("Content-Length: %d\r\n\r\n%s", 2*bufferedRequest, strings.Repeat("x", 2*bufferedRequest)),
		"chunks":                             "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
		"a body that no buffer has room for": fmt.Sprintf("Content-Length: %d\r\n\r\n%s", 16<<20, strings.Repeat("x", 16<<20)),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			backends, port := startBackends(t, 1)
			p := startProxy(t, Config{
				DrainTimeout: Duration(time.Second),
				Routes:       []Route{{Upstream: "app"}},
				Upstreams: map[string]Upstream{"app": {
					Balance: byRequests, Retries: Retries{HedgeAfter: Duration(time.Second)},
					Members: []Member{{URL: "http://" + stopped(t).Addr().String()}, {URL: fmt.Sprintf("http://%v:%d", backends[0].addr, port)}},
				}},
			}, nil)
			silent := p.table.Load().upstreams["app"].set.Load().endpoints[0]
			next := time.Now()
			eventually(t, time.Minute, "the stopped process is left out", func() bool {
				if !time.Now().Before(next) {
					next = time.Now().Add(500 * time.Millisecond)
					c := dialProxy(t, p)
					go io.WriteString(c.Conn, "POST / HTTP/1.1\r\nHost: h\r\n"+body)
				}
				return silent.failures.Load() > 0
			})
		})
	}
}

// methodCounts counts requests by their method.
type methodCounts struct {
	mu sync.Mutex
	n  map[string]int
}

func (m *methodCounts) add(method string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.n == nil {
		m.n = map[string]int{}
	}
	m.n[method]++
}

func (m *methodCounts) of(method string) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.n[method]
}

// turns lets a test answer the copies of requests in the order that it likes.
type turns struct {
	came [2]chan chan struct{}
	seen methodCounts
}

// startTurns is a quiet proxy before two members that answer when they are told to.
func startTurns(t *testing.T, change func(*Upstream)) (*turns, *testProxy) {
	t.Helper()
	backends, p := startMembers(t, 2, func(u *Upstream) {
		u.Balance = byRequests
		u.Retries.HedgeAfter = Duration(100 * time.Millisecond)
		if change != nil {
			change(u)
		}
	})
	s := &turns{}
	for i, b := range backends {
		s.came[i] = make(chan chan struct{}, 100)
		b.handle(func(w http.ResponseWriter, r *http.Request) {
			answer := make(chan struct{})
			s.seen.add(r.Method)
			s.came[i] <- answer
			select {
			case <-answer:
				fmt.Fprint(w, i)
			case <-r.Context().Done():
			}
		})
	}
	return s, p
}

// next waits for a request and returns where it is and how it is answered.
func (s *turns) next(t *testing.T) (int, chan struct{}) {
	t.Helper()
	select {
	case answer := <-s.came[0]:
		return 0, answer
	case answer := <-s.came[1]:
		return 1, answer
	case <-time.After(10 * time.Second):
		t.Fatal("no request came within 10 s")
		return 0, nil
	}
}

// ask sends a request and returns a channel that gets who served it.
func ask(t *testing.T, p *testProxy, method string) <-chan string {
	t.Helper()
	c := dialProxy(t, p)
	c.send("%s / HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", method)
	served := make(chan string, 1)
	go func() {
		all, _ := io.ReadAll(c.Reader)
		served <- string(all[max(0, len(all)-1):])
	}()
	return served
}

// A request that is slow everywhere says nothing against an address, even if no
// other request is answered meanwhile.
func TestSlowGETOnAQuietProxyLeavesNoAddressOut(t *testing.T) {
	s, p := startTurns(t, nil)
	for range 5 {
		served := ask(t, p, "GET")
		first, answer := s.next(t)
		s.next(t) // its copy
		close(answer)
		if got := <-served; got != fmt.Sprint(first) {
			t.Fatalf("served by %s, want %d", got, first)
		}
	}
	if n := p.table.Load().upstreams["app"].ejections.Load(); n != 0 {
		t.Errorf("addresses were left out %d times", n)
	}
}

func TestSlowPOSTOnAQuietProxyLeavesNoAddressOut(t *testing.T) {
	s, p := startTurns(t, nil)
	for range 3 {
		served := ask(t, p, "POST")
		first, answer := s.next(t)
		time.Sleep(400 * time.Millisecond) // its slowness is the condition: four times HedgeAfter
		close(answer)
		if got := <-served; got != fmt.Sprint(first) {
			t.Fatalf("served by %s, want %d", got, first)
		}
	}
	if n := p.table.Load().upstreams["app"].ejections.Load(); n != 0 {
		t.Errorf("addresses were left out %d times", n)
	}
}

// An address whose requests are answered elsewhere, later sent and sooner, is
// silent if that happens twice and it says nothing in between.
func TestSilentAddressIsLeftOutOnAQuietProxy(t *testing.T) {
	s, p := startTurns(t, func(u *Upstream) {
		u.Ejection.Retry = Duration(time.Minute)
		u.Retries.HedgeAfter = Duration(500 * time.Millisecond) // no copy of those that are answered at once
	})
	overtake := func() (silent int) {
		served := ask(t, p, "GET")
		silent, _ = s.next(t)
		_, answer := s.next(t)
		close(answer)
		<-served
		return silent
	}
	states := func() (all []string) {
		for _, e := range p.Endpoints() {
			all = append(all, e.State)
		}
		return all
	}
	// In turn, both are silent once, and answer the copy of the other's request.
	for range 4 {
		overtake()
	}
	if got := states(); slices.Contains(got, "ejected") {
		t.Fatalf("%v after each had answered", got)
	}
	answered := func() int {
		served := ask(t, p, "GET")
		at, answer := s.next(t)
		close(answer)
		<-served
		return at
	}
	for range 2 {
		answered()
	}
	silent := overtake()
	if answered() == silent { // the other one's turn
		t.Fatalf("%d was asked twice in a row", silent)
	}
	if got := overtake(); got != silent {
		t.Fatalf("%d was asked, want %d", got, silent)
	}
	eventually(t, 10*time.Second, "the silent address is left out", func() bool { return states()[silent] == "ejected" && states()[1-silent] == "ok" })
}

// After one silence an address gets no request that nothing could save from a second
// one, until it answers.
func TestSuspectedAddressGetsNoPOST(t *testing.T) {
	s, p := startTurns(t, func(u *Upstream) {
		u.Ejection.Retry = Duration(time.Minute)
		u.StickySession = "S"
		u.Retries.HedgeAfter = Duration(2 * time.Second) // no POST that is answered at once is silent for so long
	})
	served := ask(t, p, "GET")
	silent, _ := s.next(t)
	_, answer := s.next(t)
	close(answer)
	<-served
	post := func() int {
		served := ask(t, p, "POST")
		at, answer := s.next(t)
		close(answer)
		<-served
		return at
	}
	for range 6 {
		if post() == silent {
			t.Fatal("a POST went to the silent address")
		}
	}
	c := dialProxy(t, p)
	c.send("POST / HTTP/1.1\r\nHost: h\r\nCookie: S=x.r%d\r\nContent-Length: 0\r\n\r\n", silent)
	at, answer := s.next(t)
	if close(answer); at != silent {
		t.Error("a session moved")
	}
	c.head() // it has answered
	if a, b := post(), post(); a == b {
		t.Errorf("both POSTs after that went to %d", a)
	}
}

// Of a request that changes something no copy is sent while the first is waited
// for, unless the config says so.
func TestCopiesAreOfSafeMethods(t *testing.T) {
	for _, method := range []string{"PUT", "DELETE", "POST"} {
		s, p := startTurns(t, nil)
		served := ask(t, p, method)
		first, answer := s.next(t)
		// A GET that was asked for later has its copy: the time for one of the first is over.
		ask(t, p, "GET")
		eventually(t, 10*time.Second, "the copy of a GET", func() bool { return s.seen.of("GET") == 2 })
		close(answer)
		if got := <-served; got != fmt.Sprint(first) || s.seen.of(method) != 1 {
			t.Errorf("%s: served by %s, want %d; it came %d times", method, got, first, s.seen.of(method))
		}
	}
	for _, method := range []string{"GET", "OPTIONS", "PUT"} {
		s, p := startTurns(t, func(u *Upstream) {
			if method == "PUT" {
				u.Retries.HedgeMethods = []string{"PUT"}
			}
		})
		served := ask(t, p, method)
		s.next(t)
		second, answer := s.next(t)
		close(answer)
		if got := <-served; got != fmt.Sprint(second) {
			t.Errorf("%s: served by %s, want the copy at %d", method, got, second)
		}
	}
}

// Nor is one sent if the address has left DNS: it may still carry out the first.
func TestPUTWaitsForTheAddressThatHasLeft(t *testing.T) {
	backends, port := startBackends(t, 2)
	d := startDNS(t, 1)
	d.set(backends...)
	cfg := simpleConfig(port)
	upstream := cfg.Upstreams["backend"]
	upstream.Retries.HedgeAfter = Duration(time.Minute) // a copy is sent only because the address has left
	cfg.Upstreams["backend"] = upstream
	p := startProxy(t, cfg, d)
	release := make(chan struct{})
	seen := map[*backend]*methodCounts{}
	for _, b := range backends {
		seen[b] = &methodCounts{}
		b.handle(func(w http.ResponseWriter, r *http.Request) {
			seen[b].add(r.Method)
			<-release
			fmt.Fprint(w, b.addr)
		})
	}
	served := ask(t, p, "PUT")
	eventually(t, 10*time.Second, "the PUT is on an address", func() bool { return seen[backends[0]].of("PUT")+seen[backends[1]].of("PUT") == 1 })
	leaves, remains := backends[0], backends[1]
	if seen[remains].of("PUT") == 1 {
		leaves, remains = remains, leaves
	}
	gets := 0
	eventually(t, 10*time.Second, "a GET is there too", func() bool {
		if seen[leaves].of("GET")+seen[remains].of("GET") == gets {
			gets++
			ask(t, p, "GET")
		}
		return seen[leaves].of("GET") > 0
	})
	before := seen[remains].of("GET")
	d.set(remains)
	eventually(t, 10*time.Second, "the GET is sent to the address that remains", func() bool { return seen[remains].of("GET") > before })
	// Both requests learn in the same instant that the address has left; which goes
	// first is chance.
	gomega.NewWithT(t).Consistently(func() int { return seen[remains].of("PUT") }, "200ms").Should(gomega.BeZero())
	close(release)
	if got := <-served; got == "" {
		t.Error("the PUT got no response")
	}
}

// failing is a transport that gets no connection.
type failing struct{ err error }

func (f failing) roundTrip(context.Context, *exchange, *attempt) error { return f.err }
func (failing) closeIdle()                                             {}
func (failing) wake()                                                  {}

// useTransport puts a transport in place of those of all endpoints.
func useTransport(u *upstream, with transport) {
	u.setMu.Lock()
	defer u.setMu.Unlock()
	for _, e := range u.set.Load().endpoints {
		e.pool, e.transport = nil, with
	}
	close(u.publish())
}

func dialError(errno syscall.Errno) error {
	return fmt.Errorf("get a connection: %w", &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("socket", errno)})
}

// What the proxy lacks leaves no address out, whether a request, a probe or a
// health check finds it.
func TestWhatTheProxyLacksIsNotTheUpstreamsFault(t *testing.T) {
	for errno, lacking := range map[syscall.Errno]bool{
		syscall.EMFILE: true, syscall.ENFILE: true, syscall.ENOBUFS: true, syscall.ENOMEM: true, syscall.EADDRNOTAVAIL: true,
		syscall.ECONNREFUSED: false, syscall.ETIMEDOUT: false, syscall.EHOSTUNREACH: false, syscall.ENETUNREACH: false,
	} {
		t.Run(errno.Error(), func(t *testing.T) {
			_, p := startMembers(t, 2, func(u *Upstream) { u.Retries.Window = Duration(200 * time.Millisecond) })
			u := p.table.Load().upstreams["app"]
			useTransport(u.upstream, failing{dialError(errno)})
			wantStatus, out := http.StatusBadGateway, 2
			if lacking {
				wantStatus, out = http.StatusServiceUnavailable, 0
			}
			if status, _ := send(t, p, http.MethodGet, ""); status != wantStatus {
				t.Errorf("status %d, want %d", status, wantStatus)
			}
			for _, e := range p.Endpoints() {
				if e.State == "ejected" {
					out--
				}
			}
			if out != 0 {
				t.Errorf("%+v", p.Endpoints())
			}

			e := u.set.Load().endpoints[0]
			for range 10 {
				e.checked(dialError(errno), (&HealthCheck{}).withDefaults())
			}
			if e.health.sick.Load() == lacking {
				t.Errorf("unhealthy: %v", !lacking)
			}
		})
	}
}

// A probe that says nothing about the address leaves it to the next request.
func TestProbeOfARequestThatTheProxyCouldNotSend(t *testing.T) {
	_, p := startMembers(t, 2, func(u *Upstream) {
		u.Retries.Window = Duration(time.Millisecond)
		u.Ejection = Ejection{Retry: Duration(time.Minute)}
	})
	u := p.table.Load().upstreams["app"]
	e := u.set.Load().endpoints[0]
	useTransport(u.upstream, failing{dialError(syscall.EMFILE)})
	u.eject(e, "test")
	e.ejectedUntil.Store(1) // its time is over
	send(t, p, http.MethodGet, "")
	if n := e.failures.Load(); n != 1 {
		t.Errorf("%d failures, want 1", n)
	}
	if !e.probe(time.Now(), true) {
		t.Error("the next request does not try it")
	}
}

// breaking answers requests for /break in one of the ways in which a server fails at a
// request, and all others well.
func breaking(how string) func(net.Conn, *bufio.Reader) {
	return func(conn net.Conn, r *bufio.Reader) {
		defer conn.Close()
		for {
			req, err := http.ReadRequest(r)
			if err != nil {
				return
			}
			if _, err := io.Copy(io.Discard, req.Body); err != nil {
				return
			}
			if req.URL.Path == "/break" {
				io.WriteString(conn, how)
				return
			}
			io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
		}
	}
}

// A request that breaks every address is itself to blame: others' sessions stay where
// they are, and spares remain spare, however often a client sends it.
func TestRequestThatBreaksEveryAddress(t *testing.T) {
	for name, how := range map[string]string{
		"no answer":      "",
		"no HTTP":        "garbage\r\n\r\n",
		"too large":      "HTTP/1.1 200 OK\r\nX: " + strings.Repeat("x", maxResponseHead) + "\r\n\r\n",
		"two lengths":    "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
		"breaks off":     "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort",
		"an odd control": "HTTP/1.1 200 OK\r\nX: \x01\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var members []Member
			for _, route := range []string{"a", "b", "spare"} {
				members = append(members, Member{URL: "http://" + startRaw(t, breaking(how)).Addr().String(), Route: route, Backup: route == "spare"})
			}
			p := startProxy(t, Config{
				DrainTimeout: Duration(2 * time.Second),
				Routes:       []Route{{Upstream: "app"}},
				Upstreams:    map[string]Upstream{"app": {StickySession: "SID", Members: members, Retries: Retries{Window: Duration(time.Second)}}},
			}, nil)
			for range 4 {
				c := dialProxy(t, p)
				c.send("GET /break HTTP/1.1\r\nHost: h\r\n\r\n")
				if head := c.head(); !strings.HasPrefix(head, "HTTP/1.1 502 ") {
					t.Fatalf("got %q", head)
				}
				for _, e := range p.Endpoints() {
					if e.State != "ok" {
						t.Errorf("%s is %s", e.Route, e.State)
					}
				}
			}
		})
	}
}

// An address that breaks at what another one answers is left out at once, and one that
// breaks at two requests in a row which no other can be asked for.
func TestAddressThatBreaksIsLeftOut(t *testing.T) {
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		t.Run(method, func(t *testing.T) {
			t.Parallel()
			bad := startRaw(t, func(conn net.Conn, r *bufio.Reader) {
				_, _ = http.ReadRequest(r)
				conn.Close()
			})
			good := startRaw(t, answer("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"))
			p := startProxy(t, Config{
				DrainTimeout: Duration(2 * time.Second),
				Routes:       []Route{{Upstream: "app"}},
				Upstreams: map[string]Upstream{"app": {
					Balance: byRequests, Ejection: Ejection{Retry: Duration(time.Minute)},
					Members: []Member{{URL: "http://" + bad.Addr().String()}, {URL: "http://" + good.Addr().String()}},
				}},
			}, nil)
			lost := 0
			for range 10 {
				if status, _ := send(t, p, method, ""); status != http.StatusOK {
					lost++
				}
			}
			most, tries := 0, 1
			if method == http.MethodPost {
				most, tries = 1, 1 // a suspect gets no second one
			}
			if lost > most || bad.accepted() != tries {
				t.Errorf("%d requests were lost, want at most %d; the address got %d, want %d", lost, most, bad.accepted(), tries)
			}
		})
	}
}

// slowTaker is a client that takes no 1xx response until it is told to.
type slowTaker struct {
	client
	ctx     context.Context
	once    sync.Once
	entered chan struct{}
	release chan struct{}
}

func (c *slowTaker) watch() context.Context { return c.ctx }

func (c *slowTaker) inform(*http1.Response) error {
	c.once.Do(func() { close(c.entered) })
	<-c.release
	return nil
}

// What is written to a client that takes nothing holds up neither another attempt
// nor the reader of a connection that others share.
func TestInformingHoldsNobodyUp(t *testing.T) {
	u := members(t, 2, func(u *Upstream) { u.Retries.Window = Duration(time.Second) })
	c := &slowTaker{ctx: t.Context(), entered: make(chan struct{}), release: make(chan struct{})}
	req := &request{client: c, route: &boundRoute{}}
	req.Minor = 1
	x := &req.exchange
	x.up, x.req, x.start, x.set = u, req, time.Now(), u.set.Load()
	x.share()
	a := &attempt{endpoint: u.at(1), start: x.start, cancel: nothing}
	x.begin(a, firstTry)
	over := make(chan error, 1)
	go func() {
		_, err := x.run()
		over <- err
	}()
	go x.inform(&http1.Response{Status: 103})
	await(t, c.entered, "the client is being informed")
	done := make(chan struct{})
	go func() {
		defer close(done)
		for range 2 * maxInformed {
			x.inform(&http1.Response{Status: 103})
		}
		x.deliver(result{a, errors.New("failed")})
	}()
	await(t, done, "other responses and another attempt's result are delivered")
	close(c.release)
	<-over
	x.abandon()
}

// bytraffic counts what was passed on, whatever a client announces.
func TestTrafficIsWhatWasPassedOn(t *testing.T) {
	for _, protocol := range []string{protocolHTTP1, protocolH2C} {
		for name, test := range map[string]struct {
			request string
			want    int64
		}{
			"a length that does not come": {"Content-Length: 1000000000000000\r\n\r\n0123456789", 10},
			"a length that overflows":     {"Content-Length: 3660068268594165\r\n\r\n0123456789", 10},
			"the largest length":          {"Content-Length: 999999999999999999\r\n\r\n0123456789", 10},
			"chunks":                      {"Transfer-Encoding: chunked\r\n\r\n5\r\n01234\r\n5\r\n56789\r\n0\r\n\r\n", 10},
			"a small body":                {"Content-Length: 10\r\n\r\n0123456789", 10},
			"a body that is passed on":    {fmt.Sprintf("Content-Length: %d\r\n\r\n%s", 2*bufferedRequest, bytes.Repeat([]byte("x"), 2*bufferedRequest)), 2 * bufferedRequest},
		} {
			t.Run(protocol+", "+name, func(t *testing.T) {
				l, err := net.Listen("tcp", "127.0.0.1:0")
				if err != nil {
					t.Fatal(err)
				}
				s := &http.Server{Protocols: &http.Protocols{}, Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
					io.CopyN(io.Discard, r.Body, test.want)
				})}
				s.Protocols.SetHTTP1(true)
				s.Protocols.SetUnencryptedHTTP2(true)
				go s.Serve(l)
				t.Cleanup(func() { s.Close() })
				p := startProxy(t, Config{
					DrainTimeout: Duration(2 * time.Second),
					Routes:       []Route{{Upstream: "app"}},
					Upstreams:    map[string]Upstream{"app": {URL: "http://" + l.Addr().String(), Protocol: protocol, Balance: byTraffic}},
				}, nil)
				c := dialProxy(t, p)
				c.send("POST / HTTP/1.1\r\nHost: h\r\n%s", test.request)
				if head := c.head(); !strings.HasPrefix(head, "HTTP/1.1 200 ") {
					t.Fatalf("got %q", head)
				}
				traffic := func() int64 { return p.table.Load().upstreams["app"].set.Load().endpoints[0].traffic.Load() }
				eventually(t, 10*time.Second, "it is counted", func() bool { return traffic() != 0 })
				if got := traffic(); got != test.want {
					t.Errorf("counted %d bytes, want %d", got, test.want)
				}
			})
		}
	}
}
