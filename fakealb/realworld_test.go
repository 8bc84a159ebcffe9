package fakealb_test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/proxychaos/proxychaos/fakealb"
	"github.com/proxychaos/proxychaos/fakealb/rules"
	"github.com/proxychaos/proxychaos/fakealb/targets"
)

// TestPathPatternsFitTheWholePath asks what people expect to be a prefix, or the
// longest match: a pattern has to fit the whole path as it came, with its case
// and its escapes and without its query, and the first rule by priority wins.
func TestPathPatternsFitTheWholePath(t *testing.T) {
	status := func(code int) []rules.Action {
		return []rules.Action{{Type: rules.Fixed, FixedResponse: &rules.FixedResponse{StatusCode: code, MessageBody: "x"}}}
	}
	f, _ := ruled(t, "127.0.72.21", func(lb *fakealb.LoadBalancer) {
		lb.Listeners[0].Rules = []rules.Rule{
			onPath(1, "/", status(201)),
			onPath(2, "/img/*", status(202)),
			onPath(3, "/img/big/*", status(203)),
			{Priority: 4, Actions: status(205), Conditions: []rules.Condition{{Field: rules.HostHeader, Values: []string{"Shop.Example.com"}}}},
		}
		lb.Listeners[0].DefaultActions = status(299)
	})
	for path, want := range map[string]string{
		"/": "201", "/?a=/img/x": "201", "/img/?/": "202", "/img/": "202", "/img/a.png": "202", "/img/big/a.png": "202",
		"/img/a.png?x=1": "202", "/img/../other": "202",
		"/img": "299", "/img?/img/x": "299", "/IMG/a.png": "299", "/other": "299", "//img/a.png": "299", "/%69mg/a.png": "299", "/x/../img/a.png": "299",
	} {
		if got := curl(t, "--path-as-is", "-o", "/dev/null", "-w", "%{http_code}", "http://"+f.at(0)+path); got != want {
			t.Errorf("%s: got %s, want %s", path, got, want)
		}
	}
	for host, want := range map[string]string{
		"shop.example.com": "205", "SHOP.example.COM": "205", "SHOP.example.COM:8080": "205", "a.shop.example.com": "299", "shop.example": "299",
	} {
		if got := curl(t, "-H", "Host: "+host, "-o", "/dev/null", "-w", "%{http_code}", "http://"+f.at(0)+"/other"); got != want {
			t.Errorf("Host %s: got %s, want %s", host, got, want)
		}
	}
}

// site is a target that knows its name, and keeps what it was asked.
type site struct {
	at     netip.AddrPort
	mu     sync.Mutex
	checks map[string]bool // what was odd about health checks, each once
	users  []string        // requests that are none, as path, Host and X-Forwarded-For
}

// newSite serves on an address, with TLS or without: /up answers 200, /strict 400 for
// another Host than shop.example.com, /fails 500, and all else 301 to HTTPS.
func newSite(t *testing.T, addr string, secure bool) *site {
	t.Helper()
	l, err := net.Listen("tcp4", addr)
	if err != nil {
		t.Fatalf("%v (this test takes ports below 1024: run it as root)", err)
	}
	s := &site{at: l.Addr().(*net.TCPAddr).AddrPort(), checks: map[string]bool{}}
	wanted := s.at.String()
	if secure && s.at.Port() == 443 || !secure && s.at.Port() == 80 {
		wanted = s.at.Addr().String()
	}
	server := &httptest.Server{Listener: l, Config: &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.note(r, wanted)
		name, _, _ := strings.Cut(r.Host, ":")
		switch {
		case r.URL.Path == "/up" || r.URL.Path == "/x":
		case r.URL.Path == "/fails":
			w.WriteHeader(http.StatusInternalServerError)
		case r.URL.Path == "/strict" && name != "shop.example.com":
			http.Error(w, "no such host", http.StatusBadRequest)
		default:
			http.Redirect(w, r, "https://shop.example.com/", http.StatusMovedPermanently)
		}
	})}}
	if secure {
		server.StartTLS()
	} else {
		server.Start()
	}
	t.Cleanup(server.Close)
	return s
}

func (s *site) note(r *http.Request, wantedHost string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.UserAgent() != "ELB-HealthChecker/2.0" {
		s.users = append(s.users, r.URL.Path+" "+r.Host+" "+r.Header.Get("X-Forwarded-For"))
		return
	}
	if r.Host != wantedHost || !r.Close || r.Header.Get("X-Forwarded-For") != "" || r.Header.Get("X-Forwarded-Proto") != "" {
		s.checks[fmt.Sprintf("Host %s, close %t, %v; want Host %s", r.Host, r.Close, r.Header, wantedHost)] = true
	}
}

// Deployments that stay unhealthy because of the Host of the health check, or of a
// redirect to HTTPS. If all targets are unhealthy, they get the requests all the same.
func TestHealthChecksOfASiteThatKnowsItsName(t *testing.T) {
	for n, c := range []struct {
		listen, protocol, path, matcher, want string
	}{
		{"127.0.72.31:0", "HTTP", "/", "", "Health checks failed with these codes: [301]"},
		{"127.0.72.31:0", "HTTP", "/strict", "", "Health checks failed with these codes: [400]"},
		{"127.0.72.31:0", "HTTP", "/fails", "", "Health checks failed with these codes: [500]"},
		{"127.0.72.31:0", "HTTP", "/up", "301", "Health checks failed with these codes: [200]"},
		{"127.0.72.31:0", "HTTP", "/up", "", ""},
		{"127.0.72.31:0", "HTTP", "/", "200-399", ""},
		{"127.0.72.31:0", "HTTP", "/strict", "200,400", ""},
		{"127.0.72.31:0", "HTTPS", "/", "", "Health checks failed with these codes: [301]"},
		{"127.0.72.31:80", "HTTP", "/strict", "", "Health checks failed with these codes: [400]"},
		{"127.0.72.31:80", "HTTP", "/up", "", ""},
		{"127.0.72.31:443", "HTTPS", "/up", "", ""},
		{"127.0.72.31:443", "HTTP", "/up", "", "Health checks failed with these codes: [400]"}, // plain HTTP to a port with TLS
	} {
		t.Run(fmt.Sprintf("%d %s %s %s %s", n, c.protocol, c.listen, c.path, c.matcher), func(t *testing.T) {
			s := newSite(t, c.listen, c.protocol == "HTTPS" || strings.HasSuffix(c.listen, ":443"))
			group := &targets.Group{Protocol: c.protocol, Targets: targets.At(s.at), Health: targets.HealthCheck{
				Protocol: c.protocol, Path: c.path, Matcher: c.matcher, IntervalSeconds: 5, TimeoutSeconds: 4, HealthyThreshold: 2,
			}}
			f, _ := logged(t, "127.0.72.32", fakealb.LoadBalancer{TargetGroup: group}, 20)
			wanted := targets.Unhealthy
			if c.want == "" {
				wanted = targets.Healthy
			}
			eventually(t, fmt.Sprintf("%s %q", wanted, c.want), func() bool {
				list, err := f.Targets(f.ctx, f.nodes[0])
				return err == nil && list[0].State == wanted && list[0].Description == c.want &&
					(c.want == "" || list[0].Reason == "Target.ResponseCodeMismatch")
			})
			if strings.HasSuffix(c.listen, ":443") && c.protocol == "HTTP" {
				return
			}
			if got := curl(t, "-H", "Host: shop.example.com", "-o", "/dev/null", "-w", "%{http_code}", "http://"+f.at(0)+"/x"); got != "200" {
				t.Errorf("a request: got %s, want 200", got)
			}
			s.mu.Lock()
			defer s.mu.Unlock()
			// The listener's port is not 80, so the ALB adds it to the Host (2.5.5 D).
			if want := fmt.Sprintf("/x shop.example.com:%d 127.0.0.1", f.port); len(s.users) != 1 || s.users[0] != want {
				t.Errorf("the site got %q, want %q", s.users, want)
			}
			for odd := range s.checks {
				t.Errorf("health check: %s", odd)
			}
		})
	}
}

// Targets that end idle connections sooner than the load balancer does (Node: 5 s,
// here 100 ms). A node that has seen the end takes another connection; one that has
// not answers 502 to whatever method, asks nobody else, and says so in log and metrics.
func TestTargetsWithAShortKeepAlive(t *testing.T) {
	t.Attr("aws-fact", "3.1.2")
	l, err := net.Listen("tcp4", "127.0.72.33:0")
	if err != nil {
		t.Fatal(err)
	}
	at := l.Addr().(*net.TCPAddr).AddrPort()
	var mu sync.Mutex
	asked := map[string]bool{}
	short := &httptest.Server{Listener: l, Config: &http.Server{IdleTimeout: 100 * time.Millisecond, Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		mu.Lock()
		defer mu.Unlock()
		asked[r.URL.Path] = true
	})}}
	short.Start()
	t.Cleanup(short.Close)
	f, log := logged(t, "127.0.72.34", fakealb.LoadBalancer{TargetGroup: &targets.Group{Targets: targets.At(at)}}, 1)
	// Until then there is a connection that is not one of those meant.
	eventually(t, "the end of the first health check", func() bool {
		list, err := f.Targets(f.ctx, f.nodes[0])
		_, all := connections(t, at)
		return err == nil && list[0].State == targets.Healthy && all == 0
	})
	line, answered := 0, 0
	send := func(method, path, want string, fields map[int]string) {
		t.Helper()
		args := []string{"-o", "/dev/null", "-w", "%{http_code}", "-X", method}
		if method != "GET" {
			args = append(args, "-d", "x=1")
		}
		if got := curl(t, append(args, "http://"+f.at(0)+path)...); got != want {
			t.Errorf("%s %s: got %s, want %s", method, path, got, want)
		}
		matchFields(t, log.line(t, line), fields)
		line++
		if want == "200" {
			answered++
		}
	}
	well := map[int]string{5: at.String(), 6: `\d\.\d{3}`, 7: `\d\.\d{3}`, 8: `\d\.\d{3}`, 9: "200", 10: "200"}
	raced := map[int]string{5: at.String(), 6: `\d\.\d{3}`, 7: `\d\.\d{3}`, 8: "-1", 9: "502", 10: "-", 26: `"` + at.String() + `"`, 27: `"-"`}
	for n, method := range []string{"GET", "POST", "GET", "PUT"} {
		send(method, "/well"+strconv.Itoa(n), "200", well)
		eventually(t, "the target's end of the connection, seen by the node", func() bool { _, all := connections(t, at); return all == 0 })
	}
	f.set(t, fakealb.FaultTargetKeepAliveRace, f.nodes[0])
	methods := []string{"GET", "POST", "PUT", "DELETE"}
	for _, method := range methods {
		eventually(t, "the target's end of the connection, not seen by the node", func() bool {
			ended, all := connections(t, at)
			if all == 0 { // also if the node has not kept the one of the request before, as it may
				send(method, "/before-"+method, "200", well)
			}
			return ended == 1
		})
		send(method, "/raced-"+method, "502", raced)
	}
	for name, want := range map[string]float64{
		"HTTPCode_ELB_502_Count": float64(len(methods)), "HTTPCode_ELB_5XX_Count": float64(len(methods)),
		"HTTPCode_Target_2XX_Count": float64(answered), "HTTPCode_Target_5XX_Count": 0, "TargetConnectionErrorCount": 0,
	} {
		if got := f.metric(t, name); got != want {
			t.Errorf("%s: got %g, want %g", name, got, want)
		}
	}
	mu.Lock()
	defer mu.Unlock()
	for path := range asked {
		if strings.HasPrefix(path, "/raced") {
			t.Errorf("the target was asked %s", path)
		}
	}
}
