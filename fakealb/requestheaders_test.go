package fakealb_test

import (
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/proxychaos/proxychaos/fakealb"
	"github.com/proxychaos/proxychaos/fakealb/targets"
)

// rawForwarding is a server in front of a raw target.
func rawForwarding(t *testing.T, addr string, attributes fakealb.Attributes, answer func(rawRequest) string) (*fixture, *rawTarget) {
	t.Helper()
	up := newRawTarget(t, answer)
	return forwarding(t, addr, func(lb *fakealb.LoadBalancer) { lb.Attributes = attributes }, up.addr), up
}

// one sends a request and returns what the target got for it.
func (r *rawTarget) one(t *testing.T, addr, request string) rawRequest {
	t.Helper()
	if resp, body, _ := exchangeRaw(t, addr, request); resp.StatusCode != http.StatusOK {
		t.Fatalf("%q: got %s %q", request, resp.Status, body)
	}
	got := r.got()
	if len(got) != 1 {
		t.Fatalf("%q: the target got %d requests, want 1", request, len(got))
	}
	return got[0]
}

// hasLine reports whether a line of a head matches.
func hasLine(head, pattern string) bool {
	return slices.ContainsFunc(strings.Split(head, "\r\n"), regexp.MustCompile("^(?:"+pattern+")$").MatchString)
}

// The table of the guide on Host, with both settings of preserve_host_header.
func TestHostForTargets(t *testing.T) {
	t.Attr("aws-fact", "2.5.5")
	up := newRawTarget(t, nil)
	f := start(t, func(c *fakealb.Config) { c.Ports = []uint16{80, 443, 8080} }, "127.0.82.1")
	for _, c := range []struct {
		port               int
		request            string
		changed, preserved string
	}{
		{80, "GET / HTTP/1.1\r\nHost: example.com\r\n\r\n", "example.com", "example.com"},
		{80, "GET / HTTP/1.1\r\nHost: Example.COM\r\n\r\n", "example.com", "Example.COM"},
		{80, "GET / HTTP/1.1\r\nHost: example.com:80\r\n\r\n", "example.com", "example.com:80"},
		{443, "GET / HTTP/1.1\r\nHost: example.com:443\r\n\r\n", "example.com", "example.com:443"},
		{443, "GET / HTTP/1.1\r\nHost: example.com:8443\r\n\r\n", "example.com", "example.com:8443"},
		{8080, "GET / HTTP/1.1\r\nHost: example.com\r\n\r\n", "example.com:8080", "example.com"},
		{8080, "GET / HTTP/1.1\r\nHost: example.com:8080\r\n\r\n", "example.com:8080", "example.com:8080"},
		{80, "GET http://other.example/index.html HTTP/1.1\r\nHost: example.com\r\n\r\n", "lb.example", "example.com"},
		{80, "GET / HTTP/1.0\r\n\r\n", "lb.example", "lb.example"},
		{80, "GET / HTTP/1.1\r\nHost: [2001:db8::1]\r\n\r\n", "[2001:db8::1]", "[2001:db8::1]"},
		{8080, "GET / HTTP/1.1\r\nHost: [2001:db8::1]\r\n\r\n", "[2001:db8::1]:8080", "[2001:db8::1]"},
	} {
		for preserve, want := range map[bool]string{false: c.changed, true: c.preserved} {
			if _, err := f.PutLoadBalancer(f.ctx, fakealb.LoadBalancer{
				Name: "blue", DNSName: "lb.example", TargetGroup: &targets.Group{Targets: targets.At(up.addr)},
				Attributes: fakealb.Attributes{PreserveHost: preserve},
			}); err != nil {
				t.Fatal(err)
			}
			got := up.one(t, fmt.Sprintf("127.0.82.1:%d", c.port), c.request)
			if got.Host != want {
				t.Errorf("port %d, preserved %t, %q: the target got Host %q, want %q", c.port, preserve, c.request, got.Host, want)
			}
		}
	}
}

// Of several Host fields the first counts, and where Host is preserved all are.
func TestSeveralHosts(t *testing.T) {
	t.Attr("aws-fact", "2.5.5")
	f, up := rawForwarding(t, "127.0.82.2", fakealb.Attributes{}, nil)
	const request = "GET / HTTP/1.1\r\nHost: a.example\r\nHost: b.example\r\n\r\n"
	if got := up.one(t, f.at(0), request); !strings.HasPrefix(got.Host, "a.example:") || strings.Contains(got.head, "b.example") {
		t.Errorf("got %q", got.head)
	}
	refuses := newRawTarget(t, nil) // as net/http's reader does, so that its bytes are looked at
	if _, err := f.PutLoadBalancer(f.ctx, fakealb.LoadBalancer{
		Name: "blue", TargetGroup: &targets.Group{Targets: targets.At(refuses.addr)}, Attributes: fakealb.Attributes{PreserveHost: true},
	}); err != nil {
		t.Fatal(err)
	}
	exchangeRaw(t, f.at(0), request)
	refuses.mu.Lock()
	defer refuses.mu.Unlock()
	if !slices.ContainsFunc(refuses.streams, func(b []byte) bool {
		return hasLine(string(b), "Host: a.example") && hasLine(string(b), "(?i)host: b.example")
	}) {
		t.Errorf("got %q, want both fields", refuses.streams)
	}
}

// Over HTTP/2 all names are in lower case, and only some reach a target of HTTP/1.1
// in mixed case.
func TestNamesOfHTTP2TowardsTargets(t *testing.T) {
	t.Attr("aws-fact", "2.5.6")
	t.Attr("aws-fact", "2.5.1")
	t.Attr("aws-fact", "3.1.7")
	f, up := rawForwarding(t, "127.0.82.3", fakealb.Attributes{TLSHeaders: true}, nil)
	req, err := http.NewRequest(http.MethodGet, "https://"+f.at(0)+"/p%2Fq?a=%7e", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("User-Agent", "an-agent/1")
	req.Header.Set("X-Custom-Header", "1")
	req.Header.Set("Accept-Language", "en")
	resp, err := (&http.Client{Transport: tlsTransport(t, f)}).Do(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	got := up.got()
	if len(got) != 1 || resp.ProtoMajor != 2 {
		t.Fatalf("got %s and %d requests", resp.Proto, len(got))
	}
	for _, want := range []string{
		`GET /p%2Fq\?a=%7e HTTP/1\.1`, `Host: 127\.0\.82\.3:\d+`, `X-Forwarded-For: 127\.0\.0\.1`, `X-Forwarded-Proto: https`,
		`X-Forwarded-Port: \d+`, `X-Amzn-Trace-Id: Root=.*`, `user-agent: an-agent/1`, `x-custom-header: 1`, `accept-language: en`,
		`x-amzn-tls-version: TLSv1\.3`, `x-amzn-tls-cipher-suite: TLS_.*`,
	} {
		if !hasLine(got[0].head, want) {
			t.Errorf("no line %s in %q", want, got[0].head)
		}
	}
	if strings.Contains(got[0].head, "Go-http-client") || strings.Count(strings.ToLower(got[0].head), "user-agent") != 1 {
		t.Errorf("got %q, want one user-agent", got[0].head)
	}
}

func TestTLSHeadersForTargets(t *testing.T) {
	t.Attr("aws-fact", "2.5.8")
	f, up := rawForwarding(t, "127.0.82.4", fakealb.Attributes{}, nil)
	ask := func() rawRequest {
		t.Helper()
		c, err := tls.Dial("tcp4", f.at(0), &tls.Config{
			RootCAs: tlsTransport(t, f).TLSClientConfig.RootCAs, MaxVersion: tls.VersionTLS12,
			CipherSuites: []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384},
		})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		_, _ = io.WriteString(c, "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
		if _, err := io.ReadAll(c); err != nil {
			t.Fatal(err)
		}
		return up.got()[0]
	}
	if got := ask(); strings.Contains(strings.ToLower(got.head), "x-amzn-tls") {
		t.Errorf("by default the target got %q", got.head)
	}
	if _, err := f.PutLoadBalancer(f.ctx, fakealb.LoadBalancer{
		Name: "blue", TargetGroup: &targets.Group{Targets: targets.At(up.addr)}, Attributes: fakealb.Attributes{TLSHeaders: true},
	}); err != nil {
		t.Fatal(err)
	}
	got := ask()
	if got.Header.Get("X-Amzn-Tls-Version") != "TLSv1.2" || got.Header.Get("X-Amzn-Tls-Cipher-Suite") != "ECDHE-ECDSA-AES256-GCM-SHA384" {
		t.Errorf("the target got %q", got.head)
	}
	if got := up.one(t, f.at(0), "GET / HTTP/1.1\r\nHost: x\r\n\r\n"); strings.Contains(strings.ToLower(got.head), "x-amzn-tls") {
		t.Errorf("of a client without TLS the target got %q", got.head)
	}
}

// Names that are not [-A-Za-z0-9]+ go on or not, and either is counted.
func TestInvalidFieldNames(t *testing.T) {
	t.Attr("aws-fact", "2.5.4")
	t.Attr("aws-fact", "6.1")
	f, up := rawForwarding(t, "127.0.82.5", fakealb.Attributes{}, nil)
	const request = "GET / HTTP/1.1\r\nHost: x\r\nwith_underscore: 1\r\nwith.dot: 1\r\nWith-Hyphen9: 1\r\n\r\n"
	got := up.one(t, f.at(0), request)
	for _, name := range []string{"with_underscore", "with.dot", "with-hyphen9"} {
		if !hasLine(got.head, "(?i)"+name+": 1") {
			t.Errorf("by default %s is gone: %q", name, got.head)
		}
	}
	if _, err := f.PutLoadBalancer(f.ctx, fakealb.LoadBalancer{
		Name: "blue", TargetGroup: &targets.Group{Targets: targets.At(up.addr)}, Attributes: fakealb.Attributes{DropInvalidHeaders: true},
	}); err != nil {
		t.Fatal(err)
	}
	got = up.one(t, f.at(0), request)
	if strings.Contains(strings.ToLower(got.head), "underscore") || strings.Contains(strings.ToLower(got.head), "dot") || !hasLine(got.head, "(?i)with-hyphen9: 1") {
		t.Errorf("with the attribute the target got %q", got.head)
	}
	up.one(t, f.at(0), "GET / HTTP/1.1\r\nHost: x\r\nPlain: 1\r\n\r\n")
	metrics := curl(t, f.server.ControlURL()+"/metrics")
	for _, name := range []string{"DroppedInvalidHeaderRequestCount", "ForwardedInvalidHeaderRequestCount"} {
		if want := name + `{AvailabilityZone="a",LoadBalancer="blue"} 1`; !strings.Contains(metrics, want+"\n") {
			t.Errorf("no %s in the metrics", want)
		}
	}
}

// The client's Connection is honoured, a target's decides on the connection to it,
// and a field of several lines becomes several fields, with a colon behind what has
// none.
func TestConnectionAndFoldedFields(t *testing.T) {
	t.Attr("aws-fact", "2.5.7")
	f, up := rawForwarding(t, "127.0.82.6", fakealb.Attributes{}, func(r rawRequest) string {
		if r.URL.Path == "/last" {
			return "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"
		}
		return "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
	})
	if _, _, closed := exchangeRaw(t, f.at(0), "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"); !closed {
		t.Error("Connection: close of the client was not honoured")
	}
	if _, _, closed := exchangeRaw(t, f.at(0), "GET / HTTP/1.1\r\nHost: x\r\n\r\n"); closed {
		t.Error("the connection ended without the client's wish")
	}
	var conns []int
	for _, path := range []string{"/1", "/2", "/last", "/3"} {
		resp, _, closed := exchangeRaw(t, f.at(0), "GET "+path+" HTTP/1.1\r\nHost: x\r\n\r\n")
		if resp.StatusCode != http.StatusOK || closed {
			t.Errorf("%s: got %d, closed %t", path, resp.StatusCode, closed)
		}
	}
	for _, r := range up.got()[2:] {
		conns = append(conns, r.conn)
	}
	if conns[0] != conns[1] || conns[1] != conns[2] || conns[2] == conns[3] {
		t.Errorf("the requests came on the connections %v, want a new one after Connection: close only", conns)
	}
	got := up.one(t, f.at(0), "GET / HTTP/1.1\r\nHost: x\r\nA: b\r\n folded\r\nC: d\r\n\r\n")
	if !hasLine(got.head, "A: b") || !hasLine(got.head, "(?i)folded: ?") || !hasLine(got.head, "C: d") {
		t.Errorf("of a folded field the target got %q", got.head)
	}
}

// HTTP/0.9 to 1.1 on an HTTP listener; what an ALB answers, and what targets get.
func TestVersionsOfHTTP(t *testing.T) {
	t.Attr("aws-fact", "2.2.1")
	f, up := rawForwarding(t, "127.0.82.7", fakealb.Attributes{}, nil)
	for _, c := range []struct{ request, answer string }{
		{"GET /old\r\n", `^ok$`}, // no head, and the end of the connection is the end of the body
		{"GET /ten HTTP/1.0\r\n\r\n", `^HTTP/1\.1 200 OK\r\n(?s:.*)\r\n\r\nok$`},
		{"GET /eleven HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", `^HTTP/1\.1 200 OK\r\n(?s:.*)\r\n\r\nok$`},
	} {
		conn, err := net.Dial("tcp4", f.at(0))
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.WriteString(conn, c.request)
		_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
		answer, err := io.ReadAll(conn)
		conn.Close()
		if err != nil || !regexp.MustCompile(c.answer).Match(answer) {
			t.Errorf("%q: got %q, %v, want %s", c.request, answer, err, c.answer)
		}
		got := up.got()
		if len(got) != 1 || !strings.HasPrefix(got[0].head, strings.Fields(c.request)[0]+" "+strings.Fields(c.request)[1]+" HTTP/1.1\r\n") {
			t.Errorf("%q: the target got %+v, want one request of HTTP/1.1", c.request, got)
		}
	}
}

// Pipelined requests are taken, and given to a target one after the other.
func TestPipeliningEndsAtTheNode(t *testing.T) {
	t.Attr("aws-fact", "2.2.1")
	sent := make(chan struct{})
	up := newRawTarget(t, func(r rawRequest) string {
		<-sent // the client has sent all it has
		return "HTTP/1.1 200 OK\r\nContent-Length: " + fmt.Sprint(len(r.URL.Path)) + "\r\n\r\n" + r.URL.Path
	})
	f := forwarding(t, "127.0.82.8", nil, up.addr)
	c, err := net.Dial("tcp4", f.at(0))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_, _ = io.WriteString(c, "GET /1 HTTP/1.1\r\nHost: x\r\n\r\nGET /2 HTTP/1.1\r\nHost: x\r\n\r\nGET /3 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
	close(sent)
	_ = c.SetDeadline(time.Now().Add(10 * time.Second))
	got, err := io.ReadAll(c)
	if err != nil || !regexp.MustCompile(`(?s)\r\n\r\n/1HTTP/1\.1 200 .*\r\n\r\n/2HTTP/1\.1 200 .*\r\n\r\n/3$`).Match(got) {
		t.Errorf("got %q, %v, want three answers in order", got, err)
	}
	if n := up.early.Load(); n > 0 {
		t.Errorf("%d requests came before the one before was answered", n)
	}
}

func TestXForwardedForModes(t *testing.T) {
	t.Attr("aws-fact", "2.5.2")
	up := newRawTarget(t, nil)
	f := start(t, nil, "127.0.82.9")
	for _, c := range []struct {
		attributes   fakealb.Attributes
		sent, wanted string // of X-Forwarded-For
	}{
		{fakealb.Attributes{}, "", `127\.0\.0\.1`},
		{fakealb.Attributes{}, "10.0.0.1, 10.0.0.2", `10\.0\.0\.1, 10\.0\.0\.2, 127\.0\.0\.1`},
		{fakealb.Attributes{XFFMode: "append", XFFClientPort: true}, "10.0.0.1", `10\.0\.0\.1, 127\.0\.0\.1:\d+`},
		{fakealb.Attributes{XFFMode: "preserve"}, "10.0.0.1", `10\.0\.0\.1`},
		{fakealb.Attributes{XFFMode: "preserve", XFFClientPort: true}, "", ``},
		{fakealb.Attributes{XFFMode: "remove", XFFClientPort: true}, "10.0.0.1", ``},
	} {
		if _, err := f.PutLoadBalancer(f.ctx, fakealb.LoadBalancer{
			Name: "blue", TargetGroup: &targets.Group{Targets: targets.At(up.addr)}, Attributes: c.attributes,
		}); err != nil {
			t.Fatal(err)
		}
		request := "GET / HTTP/1.1\r\nHost: x\r\n"
		if c.sent != "" {
			request += "X-Forwarded-For: " + c.sent + "\r\n"
		}
		got := up.one(t, f.at(0), request+"\r\n")
		if value := strings.Join(got.Header.Values("X-Forwarded-For"), "|"); !regexp.MustCompile("^" + c.wanted + "$").MatchString(value) {
			t.Errorf("%+v of %q: the target got %q, want %s", c.attributes, c.sent, value, c.wanted)
		}
		_, port, _ := net.SplitHostPort(f.at(0))
		if got.Header.Get("X-Forwarded-Port") != port || got.Header.Get("X-Forwarded-Proto") != "http" {
			t.Errorf("%+v: the target got %q", c.attributes, got.head)
		}
	}
}

// A row has X-Forwarded-For as it came, in however many fields, and not as a target gets it.
func TestForwardedForIsRecordedAsItCame(t *testing.T) {
	f := start(t, nil, "127.0.82.97")
	exchangeRaw(t, f.at(0), "GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 203.0.113.7, 192.0.2.1\r\nX-Forwarded-For: 192.0.2.2\r\n\r\n")
	if got := f.finished(t, 1)[0].ForwardedFor; got != "203.0.113.7, 192.0.2.1, 192.0.2.2" {
		t.Errorf("got %q, want what the client sent", got)
	}
}
