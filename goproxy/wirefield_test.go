package goproxy

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pires/go-proxyproto"
)

// What a certificate says of its owner may be any text. It must never end a line.
func TestSubjectStaysInItsField(t *testing.T) {
	ca := newCA(t)
	front, _ := ca.issue(t, "www.example.test", nil)
	p := startEcho(t, func(c *Config) {
		c.TLS = &ListenTLS{Listen: "127.0.0.1:0", Certificates: []Certificate{front}, ClientCA: ca.file}
		c.Routes[0].Headers = Headers{
			Request:  HeaderChange{Set: map[string]string{"X-Client": "%{client_subject}"}},
			Response: HeaderChange{Set: map[string]string{"X-You": "%{client_subject}"}},
		}
	})
	for i, test := range []struct{ name, want string }{
		{"alice", "CN=alice"},
		{"alice\r\nX-Role: admin", ""},
		{"a\r\n\r\nDELETE / HTTP/1.1\r\nHost: h\r\nX: y", ""},
		{"a\x00b", ""},
		{"a\nb", ""},
	} {
		_, pair := ca.issue(t, fmt.Sprintf("client%d", i), func(c *x509.Certificate) { c.Subject.CommonName = test.name })
		for _, protocol := range []string{"http/1.1", "h2"} {
			client := &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{
				ForceAttemptHTTP2: protocol == "h2",
				TLSClientConfig:   &tls.Config{RootCAs: ca.pool(), Certificates: []tls.Certificate{pair}},
				DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
					return (&net.Dialer{}).DialContext(ctx, "tcp", p.TLSAddr().String())
				},
			}}
			req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://www.example.test/", nil)
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("X-Client", "CN=forged")
			resp, err := client.Do(req)
			if err != nil {
				t.Fatalf("%q by %s: %v", test.name, protocol, err)
			}
			got := body(t, resp)
			if has := strings.Contains(got, "X-Client: "+test.want+"\r\n"); has != (test.want != "") || strings.Contains(got, "X-Role") || strings.Contains(got, "forged") {
				t.Errorf("%q by %s: the backend saw\n%s", test.name, protocol, got)
			}
			if resp.Header.Get("X-You") != test.want || resp.Header.Get("X-Role") != "" {
				t.Errorf("%q by %s: the client saw %v", test.name, protocol, resp.Header)
			}
			client.CloseIdleConnections()
		}
	}
}

// To CGI, WSGI, PHP and Rack a "_" in a name is a "-": such names would pass as
// those that the proxy writes.
func TestNamesThatPassAsTheProxysOwn(t *testing.T) {
	p := startEcho(t, func(c *Config) {
		c.Routes[0].Headers.Request = HeaderChange{Remove: []string{"X-Debug"}, Set: map[string]string{"X-Real-IP": "%{client_ip}", "X-User": "%{client_subject}"}}
	})
	got := body(t, rawRequest(t, p, "GET / HTTP/1.1\r\nHost: h\r\nX_Forwarded_For: 6.6.6.6\r\nX-Forwarded_Proto: https\r\nX_FORWARDED-HOST: evil\r\n"+
		"X-Real_IP: 6.6.6.6\r\nX!User: admin\r\nX_User: admin\r\nX_Debug: 1\r\nX_Other: kept\r\n\r\n"))
	for _, unwanted := range []string{"6.6.6.6", "https", "evil", "admin", "Debug"} {
		if strings.Contains(got, unwanted) {
			t.Errorf("%q in\n%s", unwanted, got)
		}
	}
	if !strings.Contains(got, "kept") || !strings.Contains(got, "X-Real-Ip: 127.0.0.1\r\n") {
		t.Errorf("the backend saw\n%s", got)
	}
}

// A Host field by HTTP/2 must agree with the authority, or stand for it, and the
// upstream gets one Host.
func TestHostFieldByHTTP2(t *testing.T) {
	seen := make(chan string, 1)
	p := startRawProxy(t, startRaw(t, func(conn net.Conn, r *bufio.Reader) {
		for {
			head := readHead(r)
			if head == "" {
				return
			}
			seen <- head
			io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
		}
	}), func(c *Config) { c.H2C = true; c.Routes[0].PreserveHost = true })
	for _, test := range []struct {
		authority string
		hosts     []string
		want      string
	}{
		{"www.example.test", nil, "200"},
		{"www.example.test", []string{"www.example.test"}, "200"},
		{"", []string{"www.example.test"}, "200"},
		{"www.example.test", []string{"admin.internal"}, "400"},
		{"www.example.test", []string{"www.example.test", "www.example.test"}, "400"},
		{"", []string{"www.example.test", "admin.internal"}, "400"},
	} {
		c := dialH2(t, dialTCP(t, p))
		c.block.Reset()
		fields := []string{":method", "GET", ":scheme", "http", ":path", "/"}
		if test.authority != "" {
			fields = append(fields, ":authority", test.authority)
		}
		for _, h := range test.hosts {
			fields = append(fields, "host", h)
		}
		c.must(c.WriteHeaders(headersOf(c.encode, &c.block, 1, true, fields...)))
		c.expect("1: status " + test.want)
		if test.want != "200" {
			continue
		}
		if head := <-seen; strings.Count(strings.ToLower(head), "\r\nhost:") != 1 || !strings.Contains(head, "\r\nHost: www.example.test\r\n") {
			t.Errorf("%v: the upstream got\n%s", test, head)
		}
	}
}

// readHead reads a head as it is; "" at the end.
func readHead(r *bufio.Reader) string {
	var head strings.Builder
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return ""
		}
		head.WriteString(line)
		if line == "\r\n" {
			return head.String()
		}
	}
}

// What a Unix socket's path says is no address of a client.
func TestProxyProtocolWithUnixSockets(t *testing.T) {
	p := startProxied(t, "127.0.0.0/8")
	for _, path := range []string{"/run/x", "x\r\nX-Injected: 1"} {
		header := &proxyproto.Header{
			Version: 2, Command: proxyproto.PROXY, TransportProtocol: proxyproto.UnixStream,
			SourceAddr: &net.UnixAddr{Name: path, Net: "unix"}, DestinationAddr: &net.UnixAddr{Name: "/run/y", Net: "unix"},
		}
		var text bytes.Buffer
		if _, err := header.WriteTo(&text); err != nil {
			t.Fatal(err)
		}
		got := body(t, rawRequest(t, p, text.String()+"GET / HTTP/1.1\r\nHost: h\r\n\r\n"))
		if !strings.Contains(got, "X-Forwarded-For: 127.0.0.1\r\n") || !strings.Contains(got, "X-Real-Ip: 127.0.0.1\r\n") || strings.Contains(got, "Injected") {
			t.Errorf("%q: the backend saw\n%s", path, got)
		}
	}
}

func TestHeadersOfAConnectionAreNotSet(t *testing.T) {
	for name, ok := range map[string]bool{"Keep-Alive": false, "proxy-connection": false, "Connection": false, "X-Keep-Alive": true} {
		cfg := simpleConfig(80)
		cfg.Routes[0].Headers.Response.Set = map[string]string{name: "timeout=5"}
		if err := cfg.Validate(); (err == nil) != ok {
			t.Errorf("%s: %v", name, err)
		}
	}
	cfg := simpleConfig(80)
	cfg.Routes[0].Headers.Response.Remove = []string{"Keep-Alive"}
	if err := cfg.Validate(); err != nil {
		t.Errorf("remove: %v", err)
	}
}

// What a config puts into lines is checked when it is read.
func TestRouteOfAPathThatNoRequestHas(t *testing.T) {
	for _, path := range []string{"/a;b", "/a//b", "/a/../b", "/..", "/a\\b", "/a\r\nX: y", "/."} {
		cfg := simpleConfig(80)
		cfg.Routes[0].Path = path
		if err := cfg.Validate(); err == nil || !strings.Contains(err.Error(), "routes.0.path") {
			t.Errorf("%q: %v", path, err)
		}
	}
	for _, path := range []string{"/", "/a/", "/a b", "/100%", "/a.b/.c", "/a%2Fb"} {
		cfg := simpleConfig(80)
		cfg.Routes[0].Path = path
		if err := cfg.Validate(); err != nil {
			t.Errorf("%q: %v", path, err)
		}
	}
	cfg := simpleConfig(80)
	cfg.Upstreams["backend"] = Upstream{URL: "http://[fe80::1%25a%0d%0ab]:80"}
	if err := cfg.Validate(); err == nil {
		t.Error("a url with a line's end in its host is taken")
	}
}

// What a route withholds from its clients does not reach them before the response.
func TestEditsCountForInformationalResponses(t *testing.T) {
	const fields = "X_Secret: 1\r\nX-Secret: 1\r\nX-Frame: all\r\n"
	p := startRawProxy(t, startRaw(t, answer("HTTP/1.1 103 Early Hints\r\n"+fields+"Link: <x>\r\n\r\nHTTP/1.1 200 OK\r\n"+fields+"Content-Length: 0\r\n\r\n")), func(c *Config) {
		c.Routes[0].Headers.Response = HeaderChange{Remove: []string{"X-Secret"}, Set: map[string]string{"X-Frame": "none"}}
	})
	c := dialProxy(t, p)
	for range 2 { // the second one on the upstream's kept connection
		c.send(plainGET)
		c.expectHead("HTTP/1.1 103 Early Hints\r\nLink: <x>\r\n")
		c.expectHead("HTTP/1.1 200 OK\r\nX-Frame: none\r\nContent-Length: 0\r\n")
	}
}

func TestRewritePathIsATarget(t *testing.T) {
	for _, path := range []string{"/a b", "/a\r\nX-Role: admin", "/a#b", "/\x7f", "/a?b=$1"} {
		cfg := simpleConfig(80)
		cfg.Routes[0].RewritePath = path
		if err := cfg.Validate(); err == nil || !strings.Contains(err.Error(), "rewrite_path") {
			t.Errorf("%q: %v", path, err)
		}
	}
}

// A response that breaks off must not look whole, also to HTTP/1.0 by TLS, where
// only the connection's end tells.
func TestBrokenResponseDoesNotLookWhole(t *testing.T) {
	for name, breakOff := range map[string]func(conn net.Conn, p *testProxy){
		"by the upstream": func(conn net.Conn, _ *testProxy) {
			conn.(*net.TCPConn).SetLinger(0)
			conn.Close()
		},
		"by the end of the drain": func(_ net.Conn, p *testProxy) { p.Close() },
	} {
		for _, secure := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, TLS %v", name, secure), func(t *testing.T) {
				ca := newCA(t)
				front, _ := ca.issue(t, "www.example.test", nil)
				upstream := startRaw(t, func(conn net.Conn, r *bufio.Reader) {
					readHead(r)
					io.WriteString(conn, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n")
				})
				// Not startProxy: a drain that cuts requests off is an error of Run.
				p, err := New(Config{
					DrainTimeout: Duration(50 * time.Millisecond),
					TLS:          &ListenTLS{Listen: "127.0.0.1:0", Certificates: []Certificate{front}},
					Routes:       []Route{{Upstream: "raw"}},
					Upstreams:    map[string]Upstream{"raw": {URL: "http://" + upstream.Addr().String()}},
				}, Options{Listen: "127.0.0.1:0", AccessLog: io.Discard})
				if err != nil {
					t.Fatal(err)
				}
				ran := make(chan error, 1)
				go func() { ran <- p.Run(context.Background()) }()
				defer func() { p.Close(); <-ran }()
				addr := p.Addr()
				if secure {
					addr = p.TLSAddr()
				}
				conn, err := net.Dial("tcp", addr.String())
				if err != nil {
					t.Fatal(err)
				}
				defer conn.Close()
				conn.SetDeadline(time.Now().Add(10 * time.Second))
				if secure {
					conn = tls.Client(conn, &tls.Config{RootCAs: ca.pool(), ServerName: "www.example.test", NextProtos: []string{"http/1.1"}})
				}
				io.WriteString(conn, "GET / HTTP/1.0\r\nHost: h\r\n\r\n")
				r := bufio.NewReader(conn)
				readHead(r)
				first := make([]byte, 5)
				if _, err := io.ReadFull(r, first); err != nil || string(first) != "first" {
					t.Fatalf("got %q, %v", first, err)
				}
				breakOff(<-upstream.conns, &testProxy{Proxy: p})
				if rest, err := io.ReadAll(r); err == nil || isTimeout(err) || errors.Is(err, io.EOF) {
					t.Errorf("then %q, %v: the response looks whole", rest, err)
				}
			})
		}
	}
}

// Chunks, however small, do not become a packet each: bodies of both directions
// are passed on in as few as what has come allows.
func TestSmallChunksAreJoined(t *testing.T) {
	const n = 1000
	small := strings.Repeat("1\r\na\r\n", n) + "0\r\n\r\n"
	got := make(chan int, 1)
	p := startRawProxy(t, startRaw(t, func(conn net.Conn, r *bufio.Reader) {
		readHead(r)
		got <- countChunks(r)
		io.WriteString(conn, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"+small)
	}), nil)
	c := dialProxy(t, p)
	c.send("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n%s", small)
	if chunks := <-got; chunks > n/20 {
		t.Errorf("the upstream got %d chunks for %d", chunks, n)
	}
	c.expectHead("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n")
	if chunks := countChunks(c.Reader); chunks > n/20 {
		t.Errorf("the client got %d chunks for %d", chunks, n)
	}
}

// countChunks reads a chunked body without a trailer.
func countChunks(r *bufio.Reader) int {
	for n := 0; ; n++ {
		line, err := r.ReadString('\n')
		var size int
		if _, scan := fmt.Sscanf(line, "%x", &size); err != nil || scan != nil {
			return -1
		}
		if _, err := r.Discard(size + 2); err != nil {
			return -1
		}
		if size == 0 {
			return n
		}
	}
}

// What the header's changes remove or set must not come back behind the body.
func TestTrailersAreChangedToo(t *testing.T) {
	echoTrailer := func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		var names []string
		for name := range r.Trailer {
			if r.Trailer.Get(name) != "" {
				names = append(names, name)
			}
		}
		slices.Sort(names)
		w.Header().Set("X-Got", strings.Join(names, ","))
		w.Header().Set("Trailer", "X-Kept, X-Server, Server_Timing")
		w.WriteHeader(http.StatusOK)
		w.(http.Flusher).Flush()
		for _, name := range []string{"X-Kept", "X-Server", "Via", "Age"} {
			w.Header().Set(http.TrailerPrefix+name, "1")
		}
	}
	for _, protocol := range []string{protocolHTTP1, protocolH2C} {
		p, client, _ := startProtocols(t, protocol, echoTrailer)
		cfg := p.table.Load().cfg
		cfg.Routes = []Route{{Upstream: "u", Headers: Headers{
			Request:  HeaderChange{Remove: []string{"X-Debug"}, Set: map[string]string{"X-User": "%{client_subject}"}},
			Response: HeaderChange{Remove: []string{"X-Server"}},
		}}}
		if err := p.Reload(cfg); err != nil {
			t.Fatal(err)
		}
		for _, proto := range []string{"http/1", "h2c"} {
			pr, pw := io.Pipe()
			go func() { io.WriteString(pw, "a"); pw.Close() }()
			req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://www.example.test/", pr)
			if err != nil {
				t.Fatal(err)
			}
			req.Trailer = http.Header{}
			names := []string{"X-Sum", "X-User", "X_user", "X-Debug", "X-Forwarded-For", "Forwarded", "Via"}
			if proto == "http/1" {
				names = append(names, "Max-Forwards", "Cache-Control", "Range") // by HTTP/2 net/http resets the stream
			}
			for _, name := range names {
				req.Trailer[name] = []string{"1"}
			}
			resp, err := client(proto).Do(req)
			if err != nil {
				t.Fatalf("%s to %s: %v", proto, protocol, err)
			}
			body(t, resp)
			if got := resp.Header.Get("X-Got"); got != "X-Sum" {
				t.Errorf("%s to %s: the upstream got the trailer %s, want X-Sum", proto, protocol, got)
			}
			if resp.Trailer.Get("X-Kept") != "1" || resp.Trailer.Get("X-Server") != "" || resp.Trailer.Get("Via") != "" || resp.Trailer.Get("Age") != "" {
				t.Errorf("%s to %s: the client got the trailer %v", proto, protocol, resp.Trailer)
			}
		}
	}
}
