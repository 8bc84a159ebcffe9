package fakealb_test

import (
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"testing"
)

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
