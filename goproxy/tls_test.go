package goproxy

import (
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
		Upstreams: map[string]Upstream{"backend": {URL: fmt.Sprintf("https://%s:%d", backendName, port), TLS: settings}},
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
