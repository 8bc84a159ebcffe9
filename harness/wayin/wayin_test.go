package wayin

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	. "github.com/onsi/gomega"

	"github.com/proxychaos/proxychaos/harness/load"
	"github.com/proxychaos/proxychaos/harness/world"
)

// node answers as a node does, to the request that it got.
func node(w http.ResponseWriter, r *http.Request) {
	lb := "blue"
	switch {
	case strings.HasPrefix(r.URL.Path, "/green") || r.Host == "green.example.com":
		lb = "green"
	case strings.HasPrefix(r.URL.Path, "/app") || r.Host == "app.example.com":
		lb = world.Beside
	}
	fmt.Fprintf(w, "fakealb lb=%s node=198.18.1.21 target=t1 received=0 seq=%s\n", lb, r.Header.Get(load.SeqHeader))
}

// only lets a node answer requests of which it is true, and another handler all others.
func only(when func(*http.Request) bool, other http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if when(r) {
			node(w, r)
			return
		}
		other(w, r)
	}
}

func status(code int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { http.Error(w, http.StatusText(code), code) }
}

func page(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "alive\n") }

// limited lets burst requests through at once, and then so many a second, as nginx's limit_req
// does with nodelay.
func limited(rate, burst float64, code int) http.HandlerFunc {
	var mutex sync.Mutex
	excess, last := 0.0, time.Now()
	return func(w http.ResponseWriter, r *http.Request) {
		mutex.Lock()
		now := time.Now()
		excess, last = max(0, excess-rate*now.Sub(last).Seconds()), now
		over := excess > burst
		if !over {
			excess++
		}
		mutex.Unlock()
		if over {
			http.Error(w, http.StatusText(code), code)
			return
		}
		node(w, r)
	}
}

// at lets one handler answer for a path, and a node for all others.
func at(path string, handler http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == path {
			handler(w, r)
			return
		}
		node(w, r)
	}
}

func drop(w http.ResponseWriter, _ *http.Request) {
	conn, _, _ := http.NewResponseController(w).Hijack()
	_ = conn.Close()
}

// redirect sends clients to a place; %s stands for the path and the query.
func redirect(to string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Location", strings.Replace(to, "%s", r.RequestURI, 1))
		w.WriteHeader(http.StatusMovedPermanently)
	}
}

func host(name string) func(*http.Request) bool {
	return func(r *http.Request) bool { return r.Host == name }
}

// proxy is a proxy with a handler for each of its ports, of which the first is preferred.
type proxy struct {
	ports []netip.AddrPort
	asked atomic.Int64 // how often it was asked
}

type port struct {
	handler http.HandlerFunc
	tls     bool
}

// serve starts a proxy whose first port has the lowest number, as the order of the tries is
// that of the numbers.
func serve(t *testing.T, ports ...port) *proxy {
	t.Helper()
	p := &proxy{}
	var listeners []net.Listener
	for range ports {
		l, err := net.Listen("tcp4", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		listeners = append(listeners, l)
	}
	at := func(l net.Listener) netip.AddrPort { return netip.MustParseAddrPort(l.Addr().String()) }
	slices.SortFunc(listeners, func(a, b net.Listener) int { return int(at(a).Port()) - int(at(b).Port()) })
	for i, d := range ports {
		server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			p.asked.Add(1)
			d.handler(w, r)
		}))
		server.Config.ErrorLog = log.New(io.Discard, "", 0)
		_ = server.Listener.Close()
		server.Listener = listeners[i]
		if d.tls {
			server.StartTLS()
		} else {
			server.Start()
		}
		t.Cleanup(server.Close)
		p.ports = append(p.ports, at(listeners[i]))
	}
	return p
}

// agent is a load agent.
func agent(t *testing.T) *load.Client {
	server := httptest.NewServer(load.Handler())
	t.Cleanup(server.Close)
	return load.NewClient(server.URL)
}

func (p *proxy) search(t *testing.T) *Search {
	a := agent(t)
	return &Search{
		Config: "./default.conf", Several: true, Try: a.Try, Burst: a.Burst, Rate: 100,
		Listeners: func(context.Context) ([]netip.AddrPort, error) { return p.ports, nil },
	}
}

// What leads to a node is found, whatever the proxy wants, and said in a line. In it, A and
// B stand for the ports.
func TestFind(t *testing.T) {
	shop := Hints{Hosts: []string{"shop.example.com"}}
	behindHTTPS := func(r *http.Request) bool { return r.Header.Get("X-Forwarded-Proto") == "https" }
	below := func(path string) func(*http.Request) bool {
		return func(r *http.Request) bool { return strings.HasPrefix(r.URL.Path, path) }
	}
	for name, tc := range map[string]struct {
		ports  []port
		hints  Hints
		wanted Wanted
		want   string
	}{
		"at once": {ports: []port{{node, false}}, hints: shop, want: "http://www.example.com:A/"},
		"80 only redirects": {
			ports: []port{{redirect("https://www.example.com%s"), false}, {node, true}},
			want:  "https://www.example.com:B/; port A answers 301 to it",
		},
		"the header of a load balancer": {
			ports: []port{{only(behindHTTPS, redirect("https://www.example.com%s")), false}},
			want:  "http://www.example.com:A/ with X-Forwarded-Proto: https; http://www.example.com:A/ answers 301 to it",
		},
		"another host": {
			ports: []port{{only(host("shop.example.com"), drop), false}}, hints: shop,
			want: "http://shop.example.com:A/; http://www.example.com:A/: closed without an answer",
		},
		"another host, over TLS, which only a redirect names": {
			ports: []port{{redirect("https://hidden.example.com/"), false}, {only(host("hidden.example.com"), status(421)), true}},
			want:  "https://hidden.example.com:B/; port A answers 301 to it",
		},
		"another port": {
			ports: []port{{page, false}, {node, false}},
			want:  "http://www.example.com:B/; port A: the proxy itself answers 200 (alive)",
		},
		"another path": {
			ports: []port{{only(below("/api"), status(404)), false}}, hints: Hints{Paths: []string{"/static/", "/api/"}},
			want: "http://www.example.com:A/api/; http://www.example.com:A/: the proxy itself answers 404 (Not Found)",
		},
		"another path, which only a redirect names": {
			ports: []port{{only(below("/shop/"), redirect("/shop/")), false}},
			want:  "http://www.example.com:A/shop/; http://www.example.com:A/ answers 301 to it",
		},
		"another host and another path": {
			ports: []port{{only(func(r *http.Request) bool { return host("shop.example.com")(r) && below("/api")(r) }, status(404)), false}},
			hints: Hints{Hosts: []string{"x.example.com", "shop.example.com"}, Paths: []string{"/x", "/api"}},
			want:  "http://shop.example.com:A/api; http://www.example.com:A/: the proxy itself answers 404 (Not Found)",
		},
		"several paths": {
			ports: []port{{only(func(r *http.Request) bool { return !below("/own")(r) }, page), false}}, hints: Hints{Paths: []string{"/api/", "/own", "/img/"}},
			want: "http://www.example.com:A/, /api/, /img/",
		},
		"paths to another upstream": {
			ports: []port{{node, false}}, hints: Hints{Paths: []string{"/green/", "/api/"}},
			want: "http://www.example.com:A/, /api/; /green/: to another upstream, not asked for (URL_PATH=/,/api/,/green/)",
		},
		"hosts to another upstream": {
			ports: []port{{node, false}}, hints: Hints{Hosts: []string{"www.example.com", "same.example.com", "green.example.com", "app.example.com"}, Paths: []string{"/api/"}},
			want: "http://www.example.com:A/, /api/; green.example.com: to another upstream, not asked for (HOST_HEADER=green.example.com)",
		},
		"paths to an application beside the proxy": {
			ports: []port{{node, false}}, hints: Hints{Paths: []string{"/app/", "/api/"}},
			want: "http://www.example.com:A/, /api/; /app/: to an application beside the proxy, not asked for (no fault strikes it)",
		},
		"an application beside the proxy is asked first": {
			ports: []port{{func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/" {
					r.URL.Path = "/app"
				}
				node(w, r)
			}, false}}, hints: Hints{Paths: []string{"/", "/api/"}},
			want: "http://www.example.com:A/api/; http://www.example.com:A/: an application beside the proxy answers, which no fault strikes",
		},
		"an application among what the user wants": {
			ports: []port{{node, false}}, wanted: Wanted{Paths: []string{"/app", "/api"}},
			want: "http://www.example.com:A/app, /api",
		},
		"no more paths than a burst has requests": {
			ports: []port{{node, false}}, hints: Hints{Paths: []string{"/1", "/2", "/3", "/4", "/5", "/6", "/7", "/8", "/9"}},
			want: "http://www.example.com:A/, /1, /2, /3, /4, /5, /6, /7",
		},
		"a path that the proxy limits": {
			ports: []port{{at("/", limited(1, 20, 503)), false}}, hints: Hints{Paths: []string{"/", "/api/"}},
			want: "http://www.example.com:A/api/; /: limited by the proxy itself (503), not asked for (URL_PATH=/)",
		},
		"a path that the proxy limits, and another upstream": {
			ports: []port{{at("/", limited(1, 5, 429)), false}}, hints: Hints{Paths: []string{"/", "/green/"}},
			want: "http://www.example.com:A/green/; /: limited by the proxy itself (429), not asked for (URL_PATH=/)",
		},
		"limits everywhere": {
			ports: []port{{limited(1, 10, 429), false}}, hints: Hints{Paths: []string{"/green/", "/api/"}},
			want: "http://www.example.com:A/, /api/; the proxy itself limits how many requests it takes there (429), so that the run may prove nothing: lower RATE=, or take the limit out for this run",
		},
		"a limit that the load keeps": {
			ports: []port{{at("/", limited(2000, 10, 503)), false}}, hints: Hints{Paths: []string{"/api/"}},
			want: "http://www.example.com:A/, /api/",
		},
		"a limit at what the user wants": {
			ports: []port{{at("/", limited(1, 20, 503)), false}}, hints: Hints{Paths: []string{"/api/"}}, wanted: Wanted{Paths: []string{"/"}},
			want: "http://www.example.com:A/; the proxy itself limits how many requests it takes there (503), so that the run may prove nothing: lower RATE=, or take the limit out for this run",
		},
		"a limit at one of the paths that the user wants": {
			ports: []port{{at("/", limited(1, 20, 429)), false}}, wanted: Wanted{Paths: []string{"/api/", "/"}},
			want: "http://www.example.com:A/api/, /; /: the proxy itself limits how many requests it takes there (429), so that the run may prove nothing: lower RATE=, or take the limit out for this run",
		},
		"no program's name": {
			ports: []port{{only(func(r *http.Request) bool { return strings.HasPrefix(r.UserAgent(), "Mozilla/5.0 ") }, drop), false}},
			want:  "http://www.example.com:A/",
		},
		"what the user wants, though there is another way": {
			ports:  []port{{node, false}, {only(func(r *http.Request) bool { return r.Header.Get("X-Scheme") == "https" && host("b.example.com")(r) }, drop), true}},
			wanted: Wanted{Host: "b.example.com", Paths: []string{"/a?x=1", "/b"}, Headers: map[string]string{"x-scheme": "https"}}, hints: shop,
			want: "https://b.example.com:B/a?x=1, /b",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := NewWithT(t)
			p := serve(t, tc.ports...)
			s := p.search(t)
			s.Hints, s.Wanted = tc.hints, tc.wanted
			if tc.wanted.Host != "" {
				s.Port = p.ports[1].Port()
			}
			way, err := s.Find(t.Context())
			g.Expect(err).NotTo(HaveOccurred())
			said := s.Drives(way)
			for i, at := range p.ports {
				said = strings.ReplaceAll(said, fmt.Sprint(at.Port()), string(rune('A'+i)))
			}
			g.Expect(said).To(Equal(tc.want))
		})
	}
}

// A subject of the catalogue is asked as it always was, and not knocked at for long.
func TestFindAtOnce(t *testing.T) {
	g := NewWithT(t)
	p := serve(t, port{node, false}, port{node, false})
	s := p.search(t)
	s.Several, s.Hints = false, Hints{Hosts: []string{"shop.example.com"}, Paths: []string{"/api/"}}
	way, err := s.Find(t.Context())
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(way.Target).To(Equal("http://" + p.ports[0].String()))
	g.Expect(way.Host).To(Equal("www.example.com"))
	g.Expect(way.Paths).To(Equal([]string{"/"}))
	g.Expect(p.asked.Load()).To(BeEquivalentTo(2))
}

// A proxy that is not ready is waited for, and what is asked for first is preferred.
func TestFindWaits(t *testing.T) {
	g := NewWithT(t)
	var asked atomic.Int64
	p := serve(t, port{only(func(r *http.Request) bool { return asked.Add(1) > 3 && host("www.example.com")(r) }, status(502)), false})
	s := p.search(t)
	way, err := s.Find(t.Context())
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(s.Drives(way)).To(HavePrefix("http://www.example.com:"))

	began := time.Now()
	slow := serve(t, port{only(func(*http.Request) bool { return time.Since(began) > time.Second }, status(503)), false})
	s = slow.search(t)
	way, err = s.Find(t.Context())
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(s.Drives(way)).To(HavePrefix("http://www.example.com:"))

	began = time.Now()
	early := serve(t, port{only(func(*http.Request) bool { return time.Since(began) > time.Second }, status(404)), false})
	s = early.search(t)
	s.Early = 404
	way, err = s.Find(t.Context())
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(s.Drives(way)).To(HavePrefix("http://www.example.com:"))
}

// Ports open one after the other: one that comes later is seen.
func TestFindLooksAgain(t *testing.T) {
	g := NewWithT(t)
	p := serve(t, port{redirect("https://www.example.com%s"), false}, port{node, true})
	s := p.search(t)
	looked := 0
	s.Listeners = func(context.Context) ([]netip.AddrPort, error) {
		looked++
		return p.ports[:min(looked, 2)], nil
	}
	way, err := s.Find(t.Context())
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(way.Target).To(Equal("https://" + p.ports[1].String()))
	s.Port, s.tried, looked = p.ports[1].Port(), nil, 0
	_, err = s.Find(t.Context())
	g.Expect(err).NotTo(HaveOccurred(), "the user's port")
}

func TestWhereTheProxyListens(t *testing.T) {
	g := NewWithT(t)
	s := &Search{Config: "./default.conf", Wanted: Wanted{Port: 81}}
	at := netip.MustParseAddr("198.18.0.2")
	s.Listeners = func(context.Context) ([]netip.AddrPort, error) {
		return []netip.AddrPort{netip.AddrPortFrom(at, 8080), netip.AddrPortFrom(at, 443), netip.AddrPortFrom(at, 80), netip.AddrPortFrom(at, 80)}, nil
	}
	_, err := s.Find(t.Context())
	g.Expect(err).To(MatchError("PROXY_PORT=81: the proxy listens on 80, 443, 8080"))
	s.Listeners = func(context.Context) ([]netip.AddrPort, error) { return nil, nil }
	_, err = s.Find(t.Context())
	g.Expect(err).To(MatchError(And(HavePrefix("./default.conf: "), ContainSubstring("loopback"))))
}

// How a proxy can keep everybody out, and what is said of it: what each try came to, and a
// variable if it may help. In the lines, A and B stand for the ports.
func TestNoWay(t *testing.T) {
	var first atomic.Value
	first.Store("")
	for name, tc := range map[string]struct {
		ports  []port
		hints  Hints
		wanted Wanted
		want   []string // lines after the first
	}{
		"it answers by itself": {
			ports: []port{{page, false}}, hints: Hints{Hosts: []string{"a.example.com"}, Paths: []string{"/b"}},
			want: []string{"port A, for www.example.com, a.example.com /, /b: the proxy itself answers 200 (alive)"},
		},
		"it redirects to where nothing is": {
			ports: []port{{redirect("https://www.example.com%s"), false}}, hints: Hints{Hosts: []string{"www.example.com"}},
			want: []string{
				"port A, for www.example.com /: the proxy itself answers 301, Location https://www.example.com/",
				"if the config wants another header from the load balancer in front than X-Forwarded-Proto, give it with HEADERS='Name: value'",
			},
		},
		"it drops who is not known": {
			ports: []port{{drop, false}}, hints: Hints{Unsaid: true},
			want: []string{
				"port A, for www.example.com /: closed without an answer",
				"the config serves hosts by a pattern: give one with HOST_HEADER=",
			},
		},
		"it drops everybody": {
			ports: []port{{drop, false}}, hints: Hints{Hosts: []string{"a.example.com"}},
			want: []string{"port A, for www.example.com, a.example.com /: closed without an answer"},
		},
		"it drops the host that the user wants": {
			ports: []port{{only(host("b.example.com"), drop), false}}, wanted: Wanted{Host: "a.example.com"}, hints: Hints{Hosts: []string{"b.example.com"}},
			want: []string{"port A, for a.example.com /: closed without an answer", "the config names other hosts: HOST_HEADER=b.example.com"},
		},
		"it knows no such path": {
			ports: []port{{status(404), false}}, hints: Hints{Hosts: []string{"a.example.com"}, Paths: []string{"/1", "/2", "/3", "/4"}},
			want: []string{
				"port A, for www.example.com, a.example.com /, /1, /2, /3 and 1 more: the proxy itself answers 404 (Not Found)",
				"if the config proxies another path, give it with URL_PATH=",
			},
		},
		"one of the user's paths": {
			ports:  []port{{only(func(r *http.Request) bool { return r.URL.Path == "/a" }, status(404)), false}},
			wanted: Wanted{Paths: []string{"/a", "/b"}}, hints: Hints{Hosts: []string{"a.example.com"}},
			want: []string{"port A, for www.example.com, a.example.com /b: the proxy itself answers 404 (Not Found)", "if the config proxies another path, give it with URL_PATH="},
		},
		"it wants a user": {
			ports: []port{{status(401), false}},
			want:  []string{"port A, for www.example.com /: the proxy itself answers 401 (Unauthorized)", "if the config wants a user, give one with HEADERS='Authorization: Basic ...'"},
		},
		"it reaches no upstream": {
			ports: []port{{status(502), false}},
			want:  []string{"port A, for www.example.com /: the proxy itself answers 502 (Bad Gateway)"},
		},
		"it is silent": {
			ports: []port{{func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, false}},
			want:  []string{"port A, for www.example.com /: no whole answer within 2s"},
		},
		"it answers from a cache": {
			ports: []port{{func(w http.ResponseWriter, r *http.Request) {
				first.CompareAndSwap("", r.Header.Get(load.SeqHeader))
				fmt.Fprintf(w, "fakealb lb=blue node=198.18.1.21 target=t1 received=0 seq=%s\n", first.Load())
			}, false}},
			want: []string{"port A, for www.example.com /: answered from the proxy's cache, which ignores the query string: such an answer shows nothing about DNS"},
		},
		"it takes the number away": {
			ports: []port{{func(w http.ResponseWriter, r *http.Request) {
				r.Header.Del(load.SeqHeader)
				node(w, r)
			}, false}},
			want: []string{"port A, for www.example.com /: a node answers, but does not get the number of the request: the proxy removes the header X-Proxychaos-Seq, without which no answer can be matched to its request"},
		},
		"over TLS, and another port": {
			ports: []port{{status(403), true}, {page, false}}, hints: Hints{Hosts: []string{"a.example.com"}},
			want: []string{
				"port A over TLS, for www.example.com, a.example.com /: the proxy itself answers 403 (Forbidden)",
				"port B, for www.example.com, a.example.com /: the proxy itself answers 200 (alive)",
				"if the config wants a header, or a client address that it knows, give it with HEADERS='Name: value', such as 'X-Forwarded-For: 192.0.2.1'",
			},
		},
		"it wants what the load does not speak": {
			ports: []port{{drop, false}}, hints: Hints{Notes: []string{"the config wants the PROXY protocol"}},
			want: []string{"port A, for www.example.com /: closed without an answer", "the config wants the PROXY protocol"},
		},
		"another port than the user's": {
			ports: []port{{node, false}, {page, false}}, wanted: Wanted{Port: 1},
			want: []string{"port B, for www.example.com /: the proxy itself answers 200 (alive)", "the proxy listens on A, B: another one is chosen with PROXY_PORT="},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := NewWithT(t)
			p := serve(t, tc.ports...)
			s := p.search(t)
			if s.Hints, s.Wanted = tc.hints, tc.wanted; tc.wanted.Port != 0 {
				s.Port = p.ports[1].Port()
			}
			began := time.Now()
			_, err := s.Find(t.Context())
			g.Expect(time.Since(began)).To(BeNumerically("<", 10*time.Second))
			var none *NoWayError
			g.Expect(errors.As(err, &none)).To(BeTrue(), "%v", err)
			said := err.Error()
			for i, at := range p.ports {
				said = strings.ReplaceAll(said, fmt.Sprint(at.Port()), string(rune('A'+i)))
			}
			lines := strings.Split(said, "\n    ")
			g.Expect(lines[0]).To(HavePrefix("./default.conf: nothing that was tried leads to an ALB node"))
			g.Expect(lines[1:]).To(Equal(tc.want))
			none.Log, none.Advice = []string{"[error] no"}, "say yes"
			g.Expect(err.Error()).To(ContainSubstring("\n    the proxy's log: [error] no\n    say yes"))
		})
	}
}

// A proxy that ends while it is tried has ended: that is what is said.
func TestProxyThatEnds(t *testing.T) {
	g := NewWithT(t)
	p := serve(t, port{drop, false})
	s := p.search(t)
	looked := 0
	s.Listeners = func(context.Context) ([]netip.AddrPort, error) {
		if looked++; looked > 1 {
			return nil, nil
		}
		return p.ports, nil
	}
	_, err := s.Find(t.Context())
	g.Expect(err).To(MatchError(ContainSubstring("the proxy no longer listens: it has ended")))
}

// A proxy that has a listener for a moment before that of its own port has not ended.
func TestAListenerThatIsNotTheProxysOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := NewWithT(t)
		looked := 0
		s := &Search{
			Listeners: func(context.Context) ([]netip.AddrPort, error) {
				switch looked++; {
				case looked == 1:
					return []netip.AddrPort{netip.MustParseAddrPort("198.18.0.2:46051")}, nil
				case looked < 100:
					return nil, nil
				}
				return []netip.AddrPort{netip.MustParseAddrPort("198.18.0.2:80")}, nil
			},
			Try: func(_ context.Context, trials load.Trials) ([]load.Trial, error) {
				came := make([]load.Trial, len(trials.Ways))
				for i, way := range trials.Ways {
					came[i] = load.Trial{Came: load.Refused}
					if way.Target == "http://198.18.0.2:80" {
						came[i] = load.Trial{Came: load.Answered, Reached: true}
					}
				}
				return came, nil
			},
		}
		way, err := s.Find(t.Context())
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(way.Target).To(Equal("http://198.18.0.2:80"))
	})
}

// A machine that stood still while it was asked where the proxy listens, such as a laptop
// with its lid down, has time for the tries all the same.
func TestAMachineThatStoodStill(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := NewWithT(t)
		s := &Search{
			Listeners: func(context.Context) ([]netip.AddrPort, error) {
				time.Sleep(time.Minute)
				return []netip.AddrPort{netip.MustParseAddrPort("198.18.0.2:80")}, nil
			},
			Try: func(_ context.Context, _ load.Trials) ([]load.Trial, error) {
				return []load.Trial{{Came: load.Answered, Reached: true}}, nil
			},
		}
		way, err := s.Find(t.Context())
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(way.Target).To(Equal("http://198.18.0.2:80"))
	})
}
