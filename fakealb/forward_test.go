package fakealb_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/proxychaos/proxychaos/fakealb"
	"github.com/proxychaos/proxychaos/fakealb/targets"
)

// seen is what a target says about the request it got.
type seen struct {
	Method, Host, Path, Body string
	Header                   http.Header
	Close                    bool
}

// target starts a server that tells what it got.
func target(t *testing.T, secure bool) netip.AddrPort {
	t.Helper()
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/chunks":
			for i := range 3 {
				fmt.Fprintf(w, "piece %d\n", i)
				_ = http.NewResponseController(w).Flush()
			}
			return
		case "/empty":
			w.WriteHeader(http.StatusNoContent)
			return
		case "/early":
			w.WriteHeader(http.StatusForbidden) // without reading the body
			return
		case "/slow":
			<-r.Context().Done()
			return
		case "/short": // promises more than it sends
			w.Header().Set("Content-Length", "100")
			_, _ = io.WriteString(w, "short")
			return
		}
		body, _ := io.ReadAll(r.Body)
		w.Header().Set("Server", "a-target")
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(seen{r.Method, r.Host, r.URL.RequestURI(), string(body), r.Header, r.Close})
	}))
	s.Config.ErrorLog = nil
	if secure {
		s.StartTLS()
	} else {
		s.Start()
	}
	t.Cleanup(s.Close)
	return s.Listener.Addr().(*net.TCPAddr).AddrPort()
}

// forwarding is a server whose load balancer "blue" has a target group.
func forwarding(t *testing.T, addr string, change func(*fakealb.LoadBalancer), group ...netip.AddrPort) *fixture {
	t.Helper()
	lb := fakealb.LoadBalancer{Name: "blue", TargetGroup: &targets.Group{Targets: targets.At(group...)}}
	if change != nil {
		change(&lb)
	}
	return start(t, func(c *fakealb.Config) { c.LoadBalancers = []fakealb.LoadBalancer{lb} }, addr)
}

// through sends a request with curl and returns what the target saw.
func through(t *testing.T, args ...string) seen {
	t.Helper()
	var s seen
	out := curl(t, args...)
	if err := json.Unmarshal([]byte(out), &s); err != nil {
		t.Fatalf("got %q: %v", out, err)
	}
	return s
}

func TestHeadersTowardsTargets(t *testing.T) {
	t.Attr("aws-fact", "2.5.1")
	f := forwarding(t, "127.0.77.1", nil, target(t, false))
	s := through(t, "-H", "Host: Shop.Example.TEST", "-H", "X-Forwarded-For: 10.0.0.1", "-H", "Connection: X-Gone, keep-alive",
		"-H", "Keep-Alive: 5", "-H", "TE: trailers", "-A", "", "--data", "hello", "http://"+f.at(0)+"/p?q=1")
	_, port, _ := net.SplitHostPort(f.at(0))
	for name, want := range map[string]string{
		"X-Forwarded-For":   `^10\.0\.0\.1, 127\.0\.0\.1$`,                            // 2.5.1, 2.5.2
		"X-Forwarded-Proto": `^http$`,                                                 // 2.5.1
		"X-Forwarded-Port":  `^` + port + `$`,                                         // 2.5.1
		"X-Amzn-Trace-Id":   `^Root=1-[0-9a-f]{8}-[0-9a-f]{24}$`,                      // 2.5.3
		"Keep-Alive":        `^$`, "Te": `^$`, "Connection": `^$`, "User-Agent": `^$`, // 2.5.7, 2.5.10
	} {
		if got := strings.Join(s.Header.Values(name), "|"); !regexp.MustCompile(want).MatchString(got) {
			t.Errorf("%s: got %q, want %s", name, got, want)
		}
	}
	if s.Host != "shop.example.test:"+port || s.Path != "/p?q=1" || s.Body != "hello" || s.Method != "POST" {
		t.Errorf("got %+v", s)
	}
	a := f.finished(t, 1)[0]
	if a.Target == "" || a.TargetStatus != 200 || a.ReceivedBytes != 5 || a.SentBytes == 0 {
		t.Errorf("the row: %+v", a)
	}
}

func TestTraceIDs(t *testing.T) { // 2.5.3 D
	t.Attr("aws-fact", "2.5.3")
	f := forwarding(t, "127.0.77.2", nil, target(t, false))
	const id = `1-[0-9a-f]{8}-[0-9a-f]{24}`
	for sent, want := range map[string]string{
		"Root=1-67891233-abcdef012345678912345678":                                                        `^Self=` + id + `;Root=1-67891233-abcdef012345678912345678$`,
		"Self=1-67891234-12456789abcdef012345678;Root=1-67891233-abcdef012345678912345678;CalledFrom=app": `^Self=` + id + `;Root=1-67891233-abcdef012345678912345678;CalledFrom=app$`,
		"CalledFrom=app": `^Root=` + id + `;CalledFrom=app$`,
		"Root=1-67891233-abcdef012345678912345678;A=" + strings.Repeat("a", 8000): `^Root=` + id + `$`,
	} {
		s := through(t, "-H", "X-Amzn-Trace-Id: "+sent, "http://"+f.at(0)+"/")
		if got := s.Header.Get("X-Amzn-Trace-Id"); !regexp.MustCompile(want).MatchString(got) {
			t.Errorf("%.60s: got %.200s, want %s", sent, got, want)
		}
	}
	// Where all fields together have more than 7 KB, only a root is left.
	s := through(t, "-H", "X-Amzn-Trace-Id: Root=1-67891233-abcdef012345678912345678;A=b", "-H", "Other: "+strings.Repeat("a", 7<<10), "http://"+f.at(0)+"/")
	if got := s.Header.Get("X-Amzn-Trace-Id"); !regexp.MustCompile(`^Root=`+id+`$`).MatchString(got) || strings.Contains(got, "67891233") {
		t.Errorf("with a large head: got %s, want a new root", got)
	}
}

func TestAttributesOfHeaders(t *testing.T) {
	up := target(t, false)
	f := forwarding(t, "127.0.77.3", nil, up)
	for _, c := range []struct {
		name       string
		attributes fakealb.Attributes
		check      func(seen) bool
	}{
		{"preserve", fakealb.Attributes{XFFMode: "preserve"}, func(s seen) bool { return s.Header.Get("X-Forwarded-For") == "10.0.0.1" }},
		{"remove", fakealb.Attributes{XFFMode: "remove"}, func(s seen) bool { return s.Header.Get("X-Forwarded-For") == "" }},
		{"client port", fakealb.Attributes{XFFClientPort: true}, func(s seen) bool {
			return regexp.MustCompile(`^10\.0\.0\.1, 127\.0\.0\.1:\d+$`).MatchString(s.Header.Get("X-Forwarded-For"))
		}},
		{"preserve host", fakealb.Attributes{PreserveHost: true}, func(s seen) bool { return s.Host == "Shop.TEST" }},
		{"drop invalid", fakealb.Attributes{DropInvalidHeaders: true}, func(s seen) bool { return s.Header.Get("With_underscore") == "" }},
		{"keep invalid", fakealb.Attributes{}, func(s seen) bool { return s.Header.Get("With_underscore") == "1" }},
	} {
		lb := fakealb.LoadBalancer{Name: "blue", TargetGroup: &targets.Group{Targets: targets.At(up)}, Attributes: c.attributes}
		if _, err := f.PutLoadBalancer(f.ctx, lb); err != nil {
			t.Fatal(err)
		}
		s := through(t, "-H", "Host: Shop.TEST", "-H", "X-Forwarded-For: 10.0.0.1", "-H", "With_underscore: 1", "http://"+f.at(0)+"/")
		if !c.check(s) {
			t.Errorf("%s: got %+v", c.name, s)
		}
	}
	lb := fakealb.LoadBalancer{Name: "blue", Attributes: fakealb.Attributes{IdleTimeoutSeconds: 4001}}
	_, err := f.PutLoadBalancer(f.ctx, lb)
	if e := apiErr(t, err); e.Field != "attributes.idle_timeout.timeout_seconds" {
		t.Errorf("got %v", err)
	}
}

func TestHTTP10WithoutHostGetsTheNameOfTheLoadBalancer(t *testing.T) { // 2.5.5 D
	t.Attr("aws-fact", "2.5.5")
	f := forwarding(t, "127.0.77.4", nil, target(t, false))
	s := through(t, "--http1.0", "-H", "Host:", "http://"+f.at(0)+"/")
	_, port, _ := net.SplitHostPort(f.at(0))
	if s.Host != "blue-1234567890.us-east-1.elb.amazonaws.com:"+port {
		t.Errorf("got Host %q", s.Host)
	}
}

func TestBodiesThroughANode(t *testing.T) {
	f := forwarding(t, "127.0.77.5", nil, target(t, false))
	pem, err := f.CA(f.ctx)
	if err != nil {
		t.Fatal(err)
	}
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, pem, 0o600); err != nil {
		t.Fatal(err)
	}
	plain, secure := "http://"+f.at(0), "https://"+f.at(0)
	for _, base := range []string{plain, secure} {
		if got := curl(t, "--cacert", ca, base+"/chunks"); got != "piece 0\npiece 1\npiece 2\n" {
			t.Errorf("%s in chunks: got %q", base, got)
		}
		if got := curl(t, "--cacert", ca, "-I", base+"/"); !strings.Contains(strings.ToLower(got), "server: a-target") {
			t.Errorf("%s HEAD: got %q", base, got)
		}
		if got := curl(t, "--cacert", ca, "-o", "/dev/null", "-w", "%{http_code} %{size_download}", base+"/empty"); got != "204 0" {
			t.Errorf("%s 204: got %q", base, got)
		}
		big := filepath.Join(t.TempDir(), "big")
		if err := os.WriteFile(big, bytes.Repeat([]byte("x"), 3<<20), 0o600); err != nil {
			t.Fatal(err)
		}
		got := through(t, "--cacert", ca, "-H", "Expect:", "--data-binary", "@"+big, base+"/")
		if len(got.Body) != 3<<20 {
			t.Errorf("%s POST of 3 MiB: the target got %d bytes", base, len(got.Body))
		}
		chunked := through(t, "--cacert", ca, "-H", "Transfer-Encoding: chunked", "--data", "in chunks", base+"/")
		if chunked.Body != "in chunks" {
			t.Errorf("%s POST in chunks: the target got %q", base, chunked.Body)
		}
		// Over HTTP/2 curl 7.88 takes the reset with which a Go server stops the rest
		// of the body for an error, whoever the server is.
		if code := curl(t, "--cacert", ca, "--http1.1", "-o", "/dev/null", "-w", "%{http_code}", "--data-binary", "@"+big, base+"/early"); code != "403" {
			t.Errorf("%s answered before the body was read: got %s", base, code)
		}
	}
	if got := curl(t, "--http1.0", "-i", plain+"/chunks"); !strings.HasSuffix(got, "piece 2\n") || strings.Contains(got, "chunked") {
		t.Errorf("to HTTP/1.0: got %q", got)
	}
}

func TestKeptConnectionAfterEachKindOfBody(t *testing.T) {
	f := forwarding(t, "127.0.77.6", nil, target(t, false))
	c, err := net.Dial("tcp4", f.at(0))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	in := bufio.NewReader(c)
	for _, request := range []string{
		"GET /chunks HTTP/1.1\r\nHost: x\r\n\r\n",
		"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc",
		"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
		"GET /empty HTTP/1.1\r\nHost: x\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
	} {
		_ = c.SetDeadline(time.Now().Add(5 * time.Second))
		if _, err := io.WriteString(c, request); err != nil {
			t.Fatal(err)
		}
		resp, err := http.ReadResponse(in, nil)
		if err != nil {
			t.Fatalf("%q: %v", request, err)
		}
		if _, err := io.Copy(io.Discard, resp.Body); err != nil || resp.Close {
			t.Errorf("%q: got %v, close %t", request, err, resp.Close)
		}
	}
}

func TestTargetsThatFail(t *testing.T) {
	t.Attr("aws-fact", "2.4.1")
	gone := httptest.NewServer(nil)
	refused := gone.Listener.Addr().(*net.TCPAddr).AddrPort()
	gone.Close()
	f := forwarding(t, "127.0.77.7", nil, refused)
	if got := curl(t, "-i", "http://"+f.at(0)+"/"); !strings.HasPrefix(got, "HTTP/1.1 502 Bad Gateway\r\nServer: awselb/2.0\r\n") {
		t.Errorf("refused: got %q", got)
	}
	up := target(t, false)
	if _, err := f.PutLoadBalancer(f.ctx, fakealb.LoadBalancer{
		Name: "blue", TargetGroup: &targets.Group{Targets: targets.At(up)},
	}); err != nil {
		t.Fatal(err)
	}
	c := warmConnPath(t, f.at(0), "/short")
	if _, err := io.ReadAll(c); err != nil && !isReset(err) {
		t.Errorf("a body shorter than promised: got %v, want the connection closed", err)
	}
	if _, err := f.PutLoadBalancer(f.ctx, fakealb.LoadBalancer{Name: "blue", TargetGroup: &targets.Group{}}); err != nil {
		t.Fatal(err)
	}
	if got := curl(t, "-i", "http://"+f.at(0)+"/"); !strings.HasPrefix(got, "HTTP/1.1 503 ") {
		t.Errorf("an empty group: got %q", got)
	}
}

// warmConnPath sends one request and leaves the answer unread.
func warmConnPath(t *testing.T, addr, path string) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp4", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	_ = c.SetDeadline(time.Now().Add(5 * time.Second))
	if _, err := fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: x\r\n\r\n", path); err != nil {
		t.Fatal(err)
	}
	return c
}

func TestClientThatLeavesASlowTarget(t *testing.T) {
	f := forwarding(t, "127.0.77.8", nil, target(t, false))
	c := warmConnPath(t, f.at(0), "/slow")
	eventually(t, "the pending request", func() bool { rows, err := f.Attempts(f.ctx); return err == nil && len(rows) == 1 })
	c.Close()
	eventually(t, "the row with 460", func() bool {
		rows, err := f.Attempts(f.ctx)
		return err == nil && rows[0].Status == 460 && rows[0].Target != "" && rows[0].TargetStatus == 0
	})
}

func TestSlowTargetTimesOut(t *testing.T) {
	t.Attr("aws-fact", "2.1.1")
	t.Attr("aws-fact", "2.4.1")
	lb := fakealb.LoadBalancer{
		Name: "blue", TargetGroup: &targets.Group{Targets: targets.At(target(t, false))},
		Attributes: fakealb.Attributes{IdleTimeoutSeconds: 1},
	}
	f := start(t, func(c *fakealb.Config) { c.LoadBalancers = []fakealb.LoadBalancer{lb}; c.TimeScale = 5 }, "127.0.77.9")
	begin := time.Now()
	got := curl(t, "-i", "http://"+f.at(0)+"/slow")
	if took := time.Since(begin); !strings.HasPrefix(got, "HTTP/1.1 504 Gateway Time-out\r\n") || took < 150*time.Millisecond || took > 3*time.Second {
		t.Errorf("got %q after %s, want 504 after about 200 ms", got, took)
	}
}

func TestTargetWithAnyCertificate(t *testing.T) { // 3.1.4 D
	t.Attr("aws-fact", "3.1.4")
	f := forwarding(t, "127.0.77.10", func(lb *fakealb.LoadBalancer) {
		lb.TargetGroup.Protocol, lb.TargetGroup.Health.Protocol = "HTTPS", "HTTPS"
	}, target(t, true))
	if s := through(t, "http://"+f.at(0)+"/"); s.Method != "GET" {
		t.Errorf("got %+v", s)
	}
	eventually(t, "the target healthy, as the node tells", func() bool {
		list, err := f.Targets(f.ctx, f.nodes[0])
		return err == nil && len(list) == 1 && list[0].State == targets.Healthy
	})
}

func TestCutOfAForwardedResponse(t *testing.T) {
	f := forwarding(t, "127.0.77.11", nil, target(t, false))
	f.set(t, fakealb.FaultTruncateBody, f.nodes[0])
	for range 3 {
		c, err := net.Dial("tcp4", f.at(0))
		if err != nil {
			t.Fatal(err)
		}
		resp, body, err := getOn(c)
		c.Close()
		if resp == nil || err == nil || len(body) == 0 {
			t.Errorf("got %+v, %q, %v, want half a body", resp, body, err)
		}
	}
}
