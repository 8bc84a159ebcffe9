package goproxy

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/pires/go-proxyproto"
	"golang.org/x/net/http2"
)

func startProxied(t *testing.T, trusted string) *testProxy {
	return startEcho(t, func(c *Config) {
		c.TrustedProxies = []string{trusted}
		c.ProxyProtocol = true
		c.Routes[0].Headers.Request.Set = map[string]string{"X-Real-IP": "%{client_ip}"}
	})
}

func TestProxyProtocolIn(t *testing.T) {
	p := startProxied(t, "127.0.0.0/8")
	source, dst := &net.TCPAddr{IP: net.ParseIP("198.51.100.7"), Port: 4711}, &net.TCPAddr{IP: net.ParseIP("192.0.2.1"), Port: 80}
	for name, header := range map[string]*proxyproto.Header{
		"v1":    proxyproto.HeaderProxyFromAddrs(1, source, dst),
		"v2":    proxyproto.HeaderProxyFromAddrs(2, source, dst),
		"local": {Version: 2, Command: proxyproto.LOCAL, TransportProtocol: proxyproto.UNSPEC},
	} {
		var text bytes.Buffer
		if _, err := header.WriteTo(&text); err != nil {
			t.Fatal(err)
		}
		want := "198.51.100.7"
		if name == "local" {
			want = "127.0.0.1"
		}
		got := body(t, rawRequest(t, p, text.String()+"GET / HTTP/1.1\r\nHost: h\r\n\r\n"))
		if !strings.Contains(got, "X-Forwarded-For: "+want+"\r\n") || !strings.Contains(got, "X-Real-Ip: "+want+"\r\n") {
			t.Errorf("%s: the backend saw\n%s", name, got)
		}
	}
	eventually(t, 10*time.Second, "the access log names the client", func() bool {
		return strings.Contains(p.access.String(), `"client":"198.51.100.7:4711"`)
	})
	// A connection without the header is closed without an answer.
	conn, err := net.Dial("tcp", p.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(10 * time.Second))
	io.WriteString(conn, "GET / HTTP/1.1\r\nHost: h\r\n\r\n")
	if data, err := io.ReadAll(conn); len(data) > 0 || (err != nil && !strings.Contains(err.Error(), "reset")) {
		t.Errorf("got %q, %v", data, err)
	}
}

func TestProxyProtocolOnlyFromTrusted(t *testing.T) {
	p := startProxied(t, "10.0.0.0/8")
	if resp := rawRequest(t, p, "PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n"); resp.StatusCode != http.StatusBadRequest {
		t.Errorf("status %d, want 400", resp.StatusCode)
	}
	if got := body(t, rawRequest(t, p, "GET / HTTP/1.1\r\nHost: h\r\n\r\n")); !strings.Contains(got, "X-Real-Ip: 127.0.0.1\r\n") {
		t.Errorf("got\n%s", got)
	}
}

func TestProxyProtocolFromCurl(t *testing.T) {
	p := startProxied(t, "127.0.0.0/8")
	out, err := exec.CommandContext(t.Context(), "curl", "-sS", "--max-time", "20", "--haproxy-protocol", p.url).CombinedOutput()
	if err != nil || !strings.Contains(string(out), "X-Real-Ip: 127.0.0.1\r\n") {
		t.Errorf("%v\n%s", err, out)
	}
}

func TestProxyProtocolOut(t *testing.T) {
	for _, version := range []string{"v1", "v2"} {
		t.Run(version, func(t *testing.T) {
			inner, err := net.Listen("tcp", "127.94.1.10:0")
			if err != nil {
				t.Fatal(err)
			}
			listener := &proxyproto.Listener{Listener: inner, ConnPolicy: func(proxyproto.ConnPolicyOptions) (proxyproto.Policy, error) { return proxyproto.REQUIRE, nil }}
			server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, r.RemoteAddr) })}
			go server.Serve(listener)
			t.Cleanup(func() { server.Close() })
			p := startProxy(t, Config{
				TrustedProxies: []string{"127.0.0.1"},
				Routes:         []Route{{Upstream: "a"}},
				Upstreams: map[string]Upstream{"a": {
					URL: "http://" + inner.Addr().String(), ProxyProtocol: version,
					HealthCheck: &HealthCheck{Path: "/", Interval: Duration(20 * time.Millisecond), Timeout: Duration(10 * time.Second)},
				}},
			}, nil)
			conn, err := net.Dial("tcp", p.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			if got := body(t, requestOn(t, conn, "GET / HTTP/1.1\r\nHost: h\r\n\r\n")); got != conn.LocalAddr().String() {
				t.Errorf("the backend saw %s, want %s", got, conn.LocalAddr())
			}
			if got := body(t, rawRequest(t, p, forwardedRequest)); got != "198.51.100.7:0" {
				t.Errorf("the backend saw %s, want the trusted proxy's client", got)
			}
			eventually(t, 10*time.Second, "three health checks", func() bool {
				h := &p.table.Load().upstreams["a"].set.Load().endpoints[0].health
				return h.passed.Load() >= 3 && h.failed.Load() == 0
			})
		})
	}
}

// By TLS, where the header stands before the handshake, and by HTTP/2.
func TestProxyProtocolBeforeTLS(t *testing.T) {
	ca := newCA(t)
	pair, _ := ca.issue(t, "one.example.test", nil)
	p := startEcho(t, func(c *Config) {
		c.TrustedProxies = []string{"127.0.0.0/8"}
		c.ProxyProtocol = true
		c.TLS = &ListenTLS{Listen: "127.0.0.1:0", Certificates: []Certificate{pair}}
		c.Routes[0].Headers.Request.Set = map[string]string{"X-Real-IP": "%{client_ip}"}
	})
	for _, h2 := range []bool{false, true} {
		transport := &http.Transport{
			TLSClientConfig:   &tls.Config{RootCAs: ca.pool()},
			ForceAttemptHTTP2: h2,
			DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
				conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", p.TLSAddr().String())
				if err == nil {
					_, err = io.WriteString(conn, "PROXY TCP4 198.51.100.7 192.0.2.1 4711 443\r\n")
				}
				return conn, err
			},
		}
		resp, err := (&http.Client{Transport: transport, Timeout: 20 * time.Second}).Get("https://one.example.test/")
		if err != nil {
			t.Fatal(err)
		}
		if got := body(t, resp); (resp.ProtoMajor == 2) != h2 || !strings.Contains(got, "X-Forwarded-For: 198.51.100.7\r\n") || !strings.Contains(got, "X-Real-Ip: 198.51.100.7\r\n") {
			t.Errorf("%s, the backend saw\n%s", resp.Proto, got)
		}
		transport.CloseIdleConnections()
	}
	// curl writes the header too, before TLS.
	for _, version := range []string{"--http1.1", "--http2"} {
		out, err := exec.CommandContext(t.Context(), "curl", "-sS", "--max-time", "20", version, "--haproxy-protocol",
			"--cacert", ca.file, "--connect-to", "::"+p.TLSAddr().String(), "https://one.example.test/").CombinedOutput()
		if err != nil || !strings.Contains(string(out), "X-Forwarded-Proto: https\r\n") {
			t.Errorf("%s: %v\n%s", version, err, out)
		}
	}
}

// nginx reads what goproxy writes.
func TestProxyProtocolToNginx(t *testing.T) {
	for _, version := range []string{"v1", "v2"} {
		at := freeAddr(t)
		startServer(t, at, []string{"nginx", "-c", "FILE"}, `daemon off; master_process off; pid DIR/pid; error_log stderr;
events {}
http {
  access_log off;
  client_body_temp_path DIR/body; proxy_temp_path DIR/proxy; fastcgi_temp_path DIR/fastcgi; uwsgi_temp_path DIR/uwsgi; scgi_temp_path DIR/scgi;
  server { listen ADDR proxy_protocol; return 200 "$proxy_protocol_addr $proxy_protocol_port"; }
}`)
		p := startProxy(t, Config{
			Routes:    []Route{{Upstream: "a"}},
			Upstreams: map[string]Upstream{"a": {URL: "http://" + at.String(), ProxyProtocol: version}},
		}, nil)
		conn, err := net.Dial("tcp", p.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		want := fmt.Sprintf("127.0.0.1 %d", conn.LocalAddr().(*net.TCPAddr).Port)
		for range 3 {
			if got := body(t, requestOn(t, conn, "GET / HTTP/1.1\r\nHost: h\r\n\r\n")); got != want {
				t.Errorf("%s: nginx saw %q, want %q", version, got, want)
			}
		}
	}
}

// A connection that could not be introduced is closed, for requests and for
// health checks alike.
func TestConnectionThatIsNotIntroducedIsClosed(t *testing.T) {
	ended := make(chan struct{})
	raw := startRaw(t, func(_ net.Conn, r *bufio.Reader) {
		io.Copy(io.Discard, r)
		close(ended)
	})
	u := members(t, 1, func(u *Upstream) {
		u.Members[0].URL = "http://" + raw.Addr().String()
		u.ProxyProtocol = "v1"
	})
	e := u.set.Load().endpoints[0]
	if conn, err := e.connect(t.Context(), &net.Dialer{}, nil, -time.Second); conn != nil || !isTimeout(err) {
		t.Errorf("got %v, %v; want the introduction to be too late", conn, err)
	}
	await(t, ended, "the upstream sees the end of the connection")
}

// header2 is a header of version 2.
func header2(command, family byte, rest string) string {
	return string(append([]byte(proxyV2Signature), command, family, byte(len(rest)>>8), byte(len(rest)))) + rest
}

// A PROXY header that names no client leaves the connection its own address. Who wrote the
// request is not known then, so nothing that it says of clients is believed, though the
// address is that of a trusted proxy.
func TestProxyProtocolWithoutAClient(t *testing.T) {
	p := startEcho(t, func(c *Config) {
		c.TrustedProxies, c.ProxyProtocol, c.H2C = []string{"127.0.0.0/8"}, true, true
		c.Routes[0].Headers.Request.Set = map[string]string{"X-Real-IP": "%{client_ip}", "X-Scheme": "%{scheme}", "X-Host": "%{host}"}
	})
	addresses := "\x7f\x00\x00\x09\x7f\x00\x00\x01\x00\x01\x00\x02"
	for name, header := range map[string]string{
		"v1":                      "PROXY UNKNOWN\r\n",
		"v1 with addresses":       "PROXY UNKNOWN 198.51.100.7 192.0.2.1 1 2\r\n",
		"v1 with an IPv6 address": "PROXY UNKNOWN ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n",
		"local":                   header2(0x20, 0x00, ""),
		"local with addresses":    header2(0x20, 0x11, addresses),
		"local without its own":   header2(0x20, 0x11, ""),
		"unspecified":             header2(0x21, 0x00, ""),
		"unspecified with bytes":  header2(0x21, 0x00, addresses),
		"unspecified, long":       header2(0x21, 0x00, "\x04\x07\xfd"+strings.Repeat("\x00", 2045)),
		"UDP":                     header2(0x21, 0x12, addresses),
		"Unix socket":             header2(0x21, 0x31, strings.Repeat("a", 216)),
	} {
		got := body(t, rawRequest(t, p, header+forwardedRequest))
		for _, want := range []string{"X-Forwarded-For: 127.0.0.1", "X-Real-Ip: 127.0.0.1", "X-Scheme: http", "X-Host: inner.example.com", "X-Forwarded-Proto: http", "X-Forwarded-Host: inner.example.com"} {
			if !strings.Contains(got, want+"\r\n") {
				t.Errorf("%s: no %q in\n%s", name, want, got)
			}
		}
		conn := dialTCP(t, p)
		if _, err := io.WriteString(conn, header); err != nil {
			t.Fatal(err)
		}
		c := dialH2(t, conn)
		c.must(c.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: c.fields("GET", "x-forwarded-for: 198.51.100.7"), EndHeaders: true, EndStream: true}))
		c.expect("1: status 200")
		if got := c.data(); !strings.Contains(got, "X-Forwarded-For: 127.0.0.1\r\n") {
			t.Errorf("%s, by HTTP/2 the backend saw\n%s", name, got)
		}
	}
	// One that names a trusted proxy as the client is what that proxy says.
	got := body(t, rawRequest(t, p, header2(0x21, 0x11, addresses)+forwardedRequest))
	if !strings.Contains(got, "X-Forwarded-For: 198.51.100.7, 127.0.0.9\r\n") || !strings.Contains(got, "X-Real-Ip: 198.51.100.7\r\n") {
		t.Errorf("through a trusted proxy: the backend saw\n%s", got)
	}
}

// A header that the protocol does not know ends the connection.
func TestProxyProtocolThatIsNone(t *testing.T) {
	p := startProxied(t, "127.0.0.0/8")
	for name, header := range map[string]string{
		"unspecified and long":   header2(0x21, 0x00, strings.Repeat("\x00", int(proxyproto.MaxV2HeaderSize)+1)),
		"an unknown command":     header2(0x22, 0x00, ""),
		"an unknown version":     header2(0x11, 0x00, ""),
		"an unknown family":      header2(0x21, 0x41, ""),
		"too short for a family": header2(0x21, 0x11, "abc"),
	} {
		c := dialProxy(t, p)
		c.send("%s%s", header, plainGET)
		if data, err := io.ReadAll(c); len(data) > 0 || (err != nil && !strings.Contains(err.Error(), "reset")) {
			t.Errorf("%s: got %q, %v", name, data, err)
		}
	}
}
