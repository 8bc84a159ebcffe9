package goproxy

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os/exec"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/http2"
)

// startH2Backend serves HTTP/2 only, with and without TLS, and gives the port.
func startH2Backend(t *testing.T, pair *tls.Certificate, h http.HandlerFunc) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.94.1.10:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &http.Server{Handler: h, Protocols: &http.Protocols{}}
	if pair != nil {
		s.Protocols.SetHTTP2(true)
		s.TLSConfig = &tls.Config{Certificates: []tls.Certificate{*pair}}
		go s.ServeTLS(l, "", "")
	} else {
		s.Protocols.SetUnencryptedHTTP2(true)
		go s.Serve(l)
	}
	t.Cleanup(func() { s.Close() })
	return l.Addr().(*net.TCPAddr).Port
}

// streamer echoes the body as it comes, between a 103 and a trailer.
func streamer(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Link", "<x>")
	w.WriteHeader(http.StatusEarlyHints)
	w.Header().Set("Trailer", "X-Sum")
	w.Header().Set("X-Seen", fmt.Sprintf("%s %s %s %s", r.Method, r.RequestURI, r.Proto, r.Host))
	w.WriteHeader(http.StatusOK)
	flush := http.NewResponseController(w)
	flush.EnableFullDuplex()
	flush.Flush()
	buf := make([]byte, 4<<10)
	n := 0
	for {
		m, err := r.Body.Read(buf)
		n += m
		w.Write(buf[:m])
		flush.Flush()
		if errors.Is(err, io.EOF) {
			w.Header().Set("X-Sum", fmt.Sprint(n, r.Trailer.Get("X-Req")))
			return
		}
		if err != nil {
			return
		}
	}
}

// startProtocols is a proxy that speaks everything, before a backend that
// speaks one protocol.
func startProtocols(t *testing.T, protocol string, h http.HandlerFunc) (p *testProxy, client func(proto string) *http.Client, host string) {
	t.Helper()
	ca := newCA(t)
	front, _ := ca.issue(t, "www.example.test", nil)
	d := startDNS(t, 1)
	up := Upstream{Protocol: protocol, TLS: UpstreamTLS{CA: ca.file}}
	switch protocol {
	case protocolHTTP1:
		backends, port := startBackends(t, 1)
		backends[0].handle(h)
		d.set(backends...)
		host = fmt.Sprintf("%s:%d", backendName, port)
		up.URL = "http://" + host
	case protocolH2:
		_, pair := ca.issue(t, backendName, nil)
		host = fmt.Sprintf("%s:%d", backendName, startH2Backend(t, &pair, h))
		up.URL = "https://" + host
	case protocolH2C:
		host = fmt.Sprintf("%s:%d", backendName, startH2Backend(t, nil, h))
		up.URL = "http://" + host
	}
	if protocol != protocolHTTP1 {
		d.set(&backend{addr: netip.MustParseAddr("127.94.1.10")})
	}
	p = startProxy(t, Config{
		H2C:          true,
		TLS:          &ListenTLS{Listen: "127.0.0.1:0", Certificates: []Certificate{front}},
		DrainTimeout: Duration(2 * time.Second),
		Routes:       []Route{{Upstream: "u"}},
		Upstreams:    map[string]Upstream{"u": up},
	}, d)
	client = func(proto string) *http.Client {
		protocols, addr := &http.Protocols{}, p.TLSAddr()
		protocols.SetHTTP1(strings.HasPrefix(proto, "http/1"))
		protocols.SetHTTP2(proto == "h2")
		protocols.SetUnencryptedHTTP2(proto == "h2c")
		if !strings.HasSuffix(proto, "s") && proto != "h2" {
			addr = p.Addr()
		}
		transport := &http.Transport{
			Protocols:       protocols,
			TLSClientConfig: &tls.Config{RootCAs: ca.pool()},
			DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
				return (&net.Dialer{}).DialContext(ctx, "tcp", addr.String())
			},
		}
		t.Cleanup(transport.CloseIdleConnections)
		return &http.Client{Transport: transport, Timeout: 20 * time.Second}
	}
	return p, client, host
}

// Every protocol to clients with every protocol to upstreams: streams both
// ways, trailers both ways, and the target as it was written.
func TestProtocols(t *testing.T) {
	for _, upstream := range []string{protocolHTTP1, protocolH2, protocolH2C} {
		t.Run("to "+upstream, func(t *testing.T) {
			t.Parallel()
			_, client, host := startProtocols(t, upstream, streamer)
			for _, proto := range []string{"http/1", "http/1s", "h2", "h2c"} {
				t.Run("from "+proto, func(t *testing.T) { testStream(t, client(proto), proto, upstream, host) })
			}
		})
	}
}

func testStream(t *testing.T, client *http.Client, proto, upstream, host string) {
	scheme := "https"
	if proto == "h2c" || proto == "http/1" {
		scheme = "http"
	}
	pr, pw := io.Pipe()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, scheme+"://www.example.test//a%2Fb/c;d?x=%zz&y", pr)
	if err != nil {
		t.Fatal(err)
	}
	req.Trailer = http.Header{"X-Req": nil}
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	want := "POST /a%2Fb/c;d?x=%zz&y HTTP/1.1 " + host
	if upstream != protocolHTTP1 {
		want = strings.Replace(want, "HTTP/1.1", "HTTP/2.0", 1)
	}
	if got := resp.Header.Get("X-Seen"); got != want {
		t.Errorf("the upstream saw %q, want %q", got, want)
	}
	buf := make([]byte, 5)
	for range 3 {
		io.WriteString(pw, "hello")
		if _, err := io.ReadFull(resp.Body, buf); err != nil || string(buf) != "hello" {
			t.Fatalf("got %q, %v", buf, err)
		}
	}
	req.Trailer.Set("X-Req", "!")
	pw.Close()
	if rest, err := io.ReadAll(resp.Body); err != nil || len(rest) > 0 || resp.Trailer.Get("X-Sum") != "15!" {
		t.Errorf("then %q, %v, trailer %v", rest, err, resp.Trailer)
	}
}

// What a request by HTTP/2 must not smuggle into one by HTTP/1.
func TestHTTP2RequestsThatHTTP1CannotHave(t *testing.T) {
	_, client, _ := startProtocols(t, protocolHTTP1, echoHead)
	c := client("h2c")
	for name, change := range map[string]func(*http.Request){
		"space in the path":   func(r *http.Request) { r.URL.Opaque = "//www.example.test/a b" },
		"beyond ASCII":        func(r *http.Request) { r.URL.Opaque = "//www.example.test/\u00e9" },
		"fragment":            func(r *http.Request) { r.URL.Opaque = "//www.example.test/#a" },
		"two hosts in one":    func(r *http.Request) { r.Host = "a,b" },
		"lookalike of length": func(r *http.Request) { r.Header.Set("content_length", "5") },
	} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://www.example.test/", http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		change(req)
		resp, err := c.Do(req)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusBadRequest {
			t.Errorf("%s: status %d, want 400", name, resp.StatusCode)
		}
	}
}

// OPTIONS * has a route, as it has by HTTP/1.
func TestOptionsOfTheServerByHTTP2(t *testing.T) {
	p := startRawProxy(t, startRaw(t, func(conn net.Conn, r *bufio.Reader) {
		if req, err := http.ReadRequest(r); err == nil {
			fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nGot: %s %s\r\n\r\n", req.Method, req.RequestURI)
		}
	}), func(c *Config) { c.H2C = true })
	protocols := &http.Protocols{}
	protocols.SetUnencryptedHTTP2(true)
	transport := &http.Transport{Protocols: protocols}
	defer transport.CloseIdleConnections()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodOptions, p.url, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	req.URL.Opaque = "*"
	resp, err := transport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if got := resp.Header.Get("Got"); got != "OPTIONS *" {
		t.Errorf("the upstream got %q", got)
	}
}

// h2c is taken only where the config says so.
func TestH2CIsOffByDefault(t *testing.T) {
	p := startEcho(t, nil)
	c := dialProxy(t, p)
	c.send("%sSM\r\n\r\n", h2Preface)
	if head := c.head(); !strings.HasPrefix(head, "HTTP/1.1 505 ") {
		t.Errorf("got\n%s", head)
	}
}

// A drain sends GOAWAY and lets running requests finish.
func TestDrainWithHTTP2(t *testing.T) {
	entered, release := make(chan struct{}), make(chan struct{})
	p, client, _ := startProtocols(t, protocolH2C, func(w http.ResponseWriter, _ *http.Request) {
		close(entered)
		<-release
		io.WriteString(w, "late")
	})
	done := make(chan string, 1)
	go func() {
		resp, err := client("h2").Get("https://www.example.test/")
		if err != nil {
			done <- err.Error()
			return
		}
		defer resp.Body.Close()
		data, err := io.ReadAll(resp.Body)
		done <- fmt.Sprint(string(data), err)
	}()
	<-entered
	p.Close()
	eventually(t, 3*time.Second, "the drain has begun", func() bool { return p.clients.draining.Load() })
	close(release)
	if got := <-done; got != "late<nil>" {
		t.Errorf("got %q", got)
	}
}

// h2spec is the conformance suite for HTTP/2 servers; --strict adds what RFC 7540
// only recommends. It exits with 1 where a case fails.
func TestH2Spec(t *testing.T) {
	p, _, _ := startProtocols(t, protocolHTTP1, func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		io.WriteString(w, "hello")
	})
	for name, flags := range map[string][]string{"h2c": {"-p", port(p.Addr())}, "TLS": {"-t", "-k", "-p", port(p.TLSAddr())}} {
		t.Run(name, func(t *testing.T) {
			args := append([]string{"tool", "h2spec", "--strict", "-o", "5", "-h", "127.0.0.1"}, flags...)
			out, err := exec.Command("go", args...).CombinedOutput()
			lines := strings.Split(strings.TrimSpace(string(out)), "\n")
			last := lines[len(lines)-1]
			t.Log(last)
			if err != nil || last != "146 tests, 146 passed, 0 skipped, 0 failed" {
				t.Errorf("%v: %v\n%s", args, err, out)
			}
		})
	}
}

func port(a net.Addr) string { return fmt.Sprint(a.(*net.TCPAddr).Port) }

// A request whose length is not that of its body does not reach the upstream as one
// without a body.
func TestLengthsThatLieInHTTP2(t *testing.T) {
	u := startRaw(t, answer("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"))
	p := startRawProxy(t, u, func(c *Config) { c.H2C = true })
	for _, lengths := range [][]string{{"+5"}, {"5, 5"}, {"five"}, {"-1"}, {""}, {"18446744073709551621"}, {"5", "5"}, {"5", "6"}} {
		c := dialH2(t, dialTCP(t, p))
		var fields []string
		for _, l := range lengths {
			fields = append(fields, "content-length: "+l)
		}
		c.must(c.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: c.fields("POST", fields...), EndHeaders: true}))
		c.expect("1: status 400")
	}
	c := dialH2(t, dialTCP(t, p))
	c.must(c.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: c.fields("POST", "content-length: 5"), EndHeaders: true, EndStream: true}))
	c.expect("1: status 400")
	if n := u.accepted(); n != 0 {
		t.Errorf("the upstream got %d connections, want none", n)
	}
}
