package goproxy

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// startTLSBackend serves HTTPS on addr and returns the port and the last SNI.
func startTLSBackend(t *testing.T, addr string, cfg *tls.Config) (port uint16, sni *atomic.Value) {
	t.Helper()
	sni = &atomic.Value{}
	cfg = cfg.Clone()
	cfg.GetConfigForClient = func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
		sni.Store(hello.ServerName)
		return nil, nil
	}
	l, err := tls.Listen("tcp", addr, cfg)
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{
		ErrorLog: log.New(io.Discard, "", 0),
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprintf(w, "%d client certificates", len(r.TLS.PeerCertificates))
		}),
	}
	go server.Serve(l)
	t.Cleanup(func() { server.Close() })
	return l.Addr().(*net.TCPAddr).AddrPort().Port(), sni
}

func startTLSProxy(t *testing.T, port uint16, settings UpstreamTLS, addrs ...string) *testProxy {
	t.Helper()
	d := startDNS(t, 1)
	d.mu.Lock()
	for _, a := range addrs {
		d.addrs = append(d.addrs, netip.MustParseAddr(a))
	}
	d.mu.Unlock()
	return startProxy(t, Config{
		Routes:    []Route{{Upstream: "backend"}},
		Upstreams: map[string]Upstream{"backend": {URL: fmt.Sprintf("https://%s:%d", backendName, port), TLS: settings, Retries: Retries{Window: Duration(2 * time.Second)}}},
	}, d)
}

func TestUpstreamTLS(t *testing.T) {
	ca, stranger := newCA(t), newCA(t)
	_, pair := ca.issue(t, backendName, nil)
	_, expired := ca.issue(t, backendName, func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Minute) })
	_, other := ca.issue(t, "other.example.test", nil)
	clientFiles, _ := ca.issue(t, "proxy", nil)
	for name, test := range map[string]struct {
		server   tls.Certificate
		settings UpstreamTLS
		want     int
		sni      string
	}{
		"own CA":              {pair, UpstreamTLS{CA: ca.file}, 200, backendName},
		"CA not known":        {pair, UpstreamTLS{}, 502, backendName},
		"another CA":          {pair, UpstreamTLS{CA: stranger.file}, 502, backendName},
		"expired":             {expired, UpstreamTLS{CA: ca.file}, 502, backendName},
		"wrong name":          {other, UpstreamTLS{CA: ca.file}, 502, backendName},
		"name as configured":  {other, UpstreamTLS{CA: ca.file, ServerName: "other.example.test"}, 200, "other.example.test"},
		"not verified":        {expired, UpstreamTLS{InsecureSkipVerify: true}, 200, backendName},
		"client certificates": {pair, UpstreamTLS{CA: ca.file, Cert: clientFiles.Cert, Key: clientFiles.Key}, 200, backendName},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			port, sni := startTLSBackend(t, "127.94.1.10:0", &tls.Config{Certificates: []tls.Certificate{test.server}, ClientAuth: tls.RequestClientCert})
			p := startTLSProxy(t, port, test.settings, "127.94.1.10")
			status, body := send(t, p, http.MethodGet, "")
			if status != test.want || sni.Load() != test.sni {
				t.Errorf("status %d (%q), SNI %v; want %d and %s", status, body, sni.Load(), test.want, test.sni)
			}
			if test.settings.Cert != "" && body != "1 client certificates" {
				t.Errorf("got %q, want the client certificate to be sent", body)
			}
		})
	}
}

// Half of the nodes refuse TLS in each way: nothing was sent, so that even a
// POST is served by the other half.
func TestTLSRefusedByOneAddress(t *testing.T) {
	ca := newCA(t)
	_, pair := ca.issue(t, backendName, nil)
	_, other := ca.issue(t, "other.example.test", nil)
	good := &tls.Config{Certificates: []tls.Certificate{pair}}
	for name, refuse := range map[string]func(net.Conn){
		"closed":     func(c net.Conn) { c.Close() },
		"reset":      func(c net.Conn) { c.(*net.TCPConn).SetLinger(0); c.Close() },
		"alert":      func(c net.Conn) { io.ReadFull(c, make([]byte, 5)); c.Write([]byte{21, 3, 3, 0, 2, 2, 40}); c.Close() },
		"plain HTTP": func(c net.Conn) { io.WriteString(c, "HTTP/1.1 400 Bad Request\r\n\r\n"); c.Close() },
		"silence":    func(net.Conn) {},
		"wrong name": func(c net.Conn) {
			tls.Server(c, &tls.Config{Certificates: []tls.Certificate{other}}).Handshake()
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			port, _ := startTLSBackend(t, "127.94.1.11:0", good)
			bad, err := net.Listen("tcp", fmt.Sprintf("127.94.1.10:%d", port))
			if err != nil {
				t.Fatal(err)
			}
			defer bad.Close()
			var refused atomic.Int64
			go func() {
				for {
					c, err := bad.Accept()
					if err != nil {
						return
					}
					refused.Add(1)
					t.Cleanup(func() { c.Close() })
					go refuse(c)
				}
			}()
			p := startTLSProxy(t, port, UpstreamTLS{CA: ca.file}, "127.94.1.10", "127.94.1.11")
			for i := 0; i < 20 || refused.Load() == 0; i++ {
				for _, method := range []string{http.MethodGet, http.MethodPost} {
					if status, _ := send(t, p, method, ""); status != http.StatusOK {
						t.Fatalf("%s: status %d", method, status)
					}
				}
			}
		})
	}
}

// The handshake has a timeout of its own: here that of connect would be longer
// than the client waits.
func TestTLSTimeout(t *testing.T) {
	u := startRaw(t, func(net.Conn, *bufio.Reader) {}) // takes the connection, and says nothing
	p := startRawProxy(t, u, func(c *Config) {
		c.Upstreams["raw"] = Upstream{
			URL:      "https://" + u.Addr().String(),
			Timeouts: Timeouts{Connect: Duration(time.Minute), TLS: Duration(100 * time.Millisecond)},
			Retries:  Retries{Attempts: 1, Window: Duration(time.Millisecond)},
		}
	})
	if status, _ := send(t, p, http.MethodPost, ""); status != http.StatusBadGateway && status != http.StatusGatewayTimeout {
		t.Errorf("status %d, want 502 or 504", status)
	}
}

// With client_ca nobody is served who shows no certificate of that authority.
// Whose it is can be told to the upstream, and nobody can pretend it.
func TestClientCertificates(t *testing.T) {
	ca, other := newCA(t), newCA(t)
	server, _ := ca.issue(t, "one.example.test", nil)
	_, known := ca.issue(t, "alice", func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth} })
	_, unknown := other.issue(t, "mallory", nil)
	p := startEcho(t, func(c *Config) {
		c.TLS = &ListenTLS{Listen: "127.0.0.1:0", Certificates: []Certificate{server}, ClientCA: ca.file}
		c.Routes[0].Headers.Request.Set = map[string]string{"X-Subject": "%{client_subject}"}
	})
	get := func(h2 bool, certs ...tls.Certificate) (string, error) {
		transport := &http.Transport{
			TLSClientConfig:   &tls.Config{RootCAs: ca.pool(), ServerName: "one.example.test", Certificates: certs},
			ForceAttemptHTTP2: h2,
		}
		defer transport.CloseIdleConnections()
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://"+p.TLSAddr().String()+"/", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("X-Subject", "CN=root")
		resp, err := (&http.Client{Transport: transport, Timeout: 3 * time.Second}).Do(req)
		if err != nil {
			return "", err
		}
		return body(t, resp), nil
	}
	for _, h2 := range []bool{false, true} {
		if got, err := get(h2, known); err != nil || !strings.Contains(got, "X-Subject: CN=alice\r\n") || strings.Contains(got, "root") {
			t.Errorf("HTTP/2 %v: %v; the backend saw\n%s", h2, err, got)
		}
	}
	for _, protocol := range []string{"http/1.1", "h2"} {
		for want, certs := range map[string][]tls.Certificate{"certificate required": nil, "unknown certificate authority": {unknown}} {
			conn, err := tls.Dial("tcp", p.TLSAddr().String(), &tls.Config{
				RootCAs: ca.pool(), ServerName: "one.example.test", NextProtos: []string{protocol},
				// The proxy names the authority it wants, and this client would then send nothing.
				GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
					return &append(certs, tls.Certificate{})[0], nil
				},
			})
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			conn.SetDeadline(time.Now().Add(3 * time.Second))
			// With TLS 1.3 the refusal comes after the client's side is done.
			if _, err := conn.Read(make([]byte, 1)); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: got %v, want %q", protocol, err, want)
			}
		}
	}
	if _, got := send(t, p, http.MethodGet, "", "X-Subject", "CN=root"); strings.Contains(got, "X-Subject") {
		t.Errorf("without TLS the backend saw\n%s", got)
	}
}

// A reload that trusts another authority holds for clients that were here
// before, too: no session ticket of theirs leads around it.
func TestClientAuthorityChangesByReload(t *testing.T) {
	ca, other := newCA(t), newCA(t)
	server, _ := ca.issue(t, "one.example.test", nil)
	_, known := ca.issue(t, "alice", func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth} })
	p := startEcho(t, func(c *Config) {
		c.TLS = &ListenTLS{Listen: "127.0.0.1:0", Certificates: []Certificate{server}, ClientCA: ca.file}
	})
	client := &http.Client{Timeout: 3 * time.Second, Transport: &http.Transport{
		DisableKeepAlives: true,
		TLSClientConfig: &tls.Config{
			RootCAs: ca.pool(), ServerName: "one.example.test", Certificates: []tls.Certificate{known}, ClientSessionCache: tls.NewLRUClientSessionCache(1),
		},
	}}
	get := func() (resumed bool, err error) {
		resp, err := client.Get("https://" + p.TLSAddr().String())
		if err != nil {
			return false, err
		}
		body(t, resp)
		return resp.TLS.DidResume, nil
	}
	for _, want := range []bool{false, true} {
		if resumed, err := get(); err != nil || resumed != want {
			t.Fatalf("resumed %v, want %v: %v", resumed, want, err)
		}
	}
	cfg := p.table.Load().cfg
	secure := *cfg.TLS
	secure.ClientCA = other.file
	cfg.TLS = &secure
	if err := p.Reload(cfg); err != nil {
		t.Fatal(err)
	}
	if resumed, err := get(); err == nil {
		t.Errorf("still served (resumed %v) by a certificate of the authority before", resumed)
	}
}

func TestClientTLS(t *testing.T) {
	ca := newCA(t)
	one, _ := ca.issue(t, "one.example.test", nil)
	two, _ := ca.issue(t, "two.example.test", nil)
	backends, port := startBackends(t, 1)
	backends[0].handle(echoHead)
	d := startDNS(t, 1)
	d.set(backends...)
	cfg := simpleConfig(port)
	cfg.TLS = &ListenTLS{Listen: "127.0.0.1:0", Certificates: []Certificate{one, two}}
	p := startProxy(t, cfg, d)
	for _, test := range []struct {
		host  string
		h2    bool
		proto string
	}{{"one.example.test", false, "HTTP/1.1"}, {"two.example.test", false, "HTTP/1.1"}, {"two.example.test", true, "HTTP/2.0"}} {
		transport := &http.Transport{
			TLSClientConfig:   &tls.Config{RootCAs: ca.pool()},
			ForceAttemptHTTP2: test.h2,
			DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
				return (&net.Dialer{}).DialContext(ctx, "tcp", p.TLSAddr().String())
			},
		}
		resp, err := (&http.Client{Transport: transport, Timeout: 3 * time.Second}).Get("https://" + test.host + "/")
		if err != nil {
			t.Fatal(err)
		}
		got := body(t, resp)
		transport.CloseIdleConnections()
		if resp.Proto != test.proto || resp.TLS.PeerCertificates[0].Subject.CommonName != test.host || !strings.Contains(got, "X-Forwarded-Proto: https\r\n") {
			t.Errorf("%s: %s with the certificate of %s; the backend saw\n%s", test.host, resp.Proto, resp.TLS.PeerCertificates[0].Subject.CommonName, got)
		}
	}
}

// An upstream that is to speak HTTP/2 and does not agree on it in TLS is sent nothing:
// what it answered in HTTP/1 would be read by another reader than goproxy's.
func TestHTTP2UpstreamWithoutHTTP2(t *testing.T) {
	ca := newCA(t)
	_, pair := ca.issue(t, backendName, nil)
	for name, protocols := range map[string][]string{"says nothing": nil, "speaks HTTP/1 only": {"http/1.1"}} {
		port, _ := startTLSBackend(t, "127.94.1.10:0", &tls.Config{Certificates: []tls.Certificate{pair}, NextProtos: protocols})
		d := startDNS(t, 1)
		d.set(&backend{addr: netip.MustParseAddr("127.94.1.10")})
		p := startProxy(t, Config{
			Routes: []Route{{Upstream: "backend"}},
			Upstreams: map[string]Upstream{"backend": {
				URL: fmt.Sprintf("https://%s:%d", backendName, port), Protocol: protocolH2, TLS: UpstreamTLS{CA: ca.file},
				Retries: Retries{Window: Duration(300 * time.Millisecond)},
			}},
		}, d)
		if status, body := send(t, p, http.MethodPost, "x"); status != http.StatusBadGateway {
			t.Errorf("an upstream that %s: status %d, %q", name, status, body)
		}
	}
}
