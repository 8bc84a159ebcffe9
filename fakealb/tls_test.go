package fakealb_test

import (
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"os/exec"
	"strings"
	"testing"

	"github.com/proxychaos/proxychaos/fakealb"
)

// Fact 2.3.3 (D): an unknown name, or none, gets the default certificate, and the
// handshake succeeds.
func TestDefaultCertificate(t *testing.T) {
	need(t, "openssl")
	f := start(t, nil, "127.0.71.15")
	_, err := f.PutLoadBalancer(f.ctx, fakealb.LoadBalancer{
		Name: "blue", Targets: 1, Certificates: []string{"www.example.test", "*.shop.test", "one.shop.test"},
	})
	if err != nil {
		t.Fatal(err)
	}
	for asked, want := range map[string]string{
		"":                 "www.example.test",
		"other.test":       "www.example.test",
		"WWW.example.test": "www.example.test",
		"two.shop.test":    "*.shop.test",
		"one.shop.test":    "one.shop.test",
		"a.two.shop.test":  "www.example.test",
	} {
		args := []string{"s_client", "-connect", f.at(0), "-servername", asked}
		if asked == "" {
			args = []string{"s_client", "-connect", f.at(0), "-noservername"}
		}
		out, err := exec.Command("openssl", args...).CombinedOutput() // reads no input: ends after the handshake
		if err != nil || !strings.Contains(string(out), "subject=CN = "+want+"\n") {
			t.Errorf("asked for %q: want %s, got %v\n%s", asked, want, err, out)
		}
	}
}

// tlsTransport trusts the server's authority and may speak HTTP/2.
func tlsTransport(t *testing.T, f *fixture) *http.Transport {
	t.Helper()
	pem, err := f.CA(f.ctx)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		t.Fatalf("the CA is no PEM: %q", pem)
	}
	tr := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}, ForceAttemptHTTP2: true}
	t.Cleanup(tr.CloseIdleConnections)
	return tr
}
