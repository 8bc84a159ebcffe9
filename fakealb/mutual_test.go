package fakealb_test

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/proxychaos/proxychaos/fakealb"
	"github.com/proxychaos/proxychaos/fakealb/targets"
)

// issuer is an authority of clients.
type issuer struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newIssuer(t *testing.T, name string) *issuer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(7), Subject: pkix.Name{CommonName: name, Country: []string{"US"}},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &issuer{cert, key}
}

func (i *issuer) pem() string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: i.cert.Raw}))
}

// client issues a certificate, which change may alter, and writes it with its key
// into one file.
func (i *issuer) client(t *testing.T, change func(*x509.Certificate)) string {
	t.Helper()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(0x03A5B1), Subject: pkix.Name{CommonName: "client.test", Organization: []string{"mTLS"}, Country: []string{"US"}},
		NotBefore: time.Unix(1700000000, 0), NotAfter: time.Now().Add(time.Hour),
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
	var public, private any
	if key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		t.Fatal(err)
	} else {
		public, private = &key.PublicKey, key
	}
	if change != nil {
		change(template)
	}
	if template.PublicKey != nil {
		public, private = template.PublicKey, ed25519.PrivateKey(template.RawSubjectPublicKeyInfo)
	}
	der, err := x509.CreateCertificate(rand.Reader, template, i.cert, public, i.key)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	out := append(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), i.pem()...)
	out = append(out, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER})...)
	name := filepath.Join(t.TempDir(), "client.pem")
	if err := os.WriteFile(name, out, 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// headerTarget answers with the request's headers as JSON.
func headerTarget(t *testing.T) netip.AddrPort {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = json.NewEncoder(w).Encode(r.Header)
	}))
	t.Cleanup(s.Close)
	return netip.MustParseAddrPort(s.Listener.Addr().String())
}

func mutual(t *testing.T, addr string, m fakealb.MutualAuthentication) (*fixture, *logBuffer) {
	t.Helper()
	l := &logBuffer{}
	return start(t, func(c *fakealb.Config) {
		c.ConnectionLog = l
		c.LoadBalancers = []fakealb.LoadBalancer{{
			Name:        "blue",
			TargetGroup: &targets.Group{Targets: targets.At(headerTarget(t))},
			Listeners: []fakealb.Listener{{
				Port: c.Ports[0], Protocol: fakealb.ProtocolHTTPS, SSLPolicy: "ELBSecurityPolicy-TLS13-1-2-2021-06", MutualAuthentication: m,
			}},
		}}
	}, addr), l
}

// claim is what a client says in a header that only the load balancer may set.
var claim = []string{"-H", "X-Amzn-Mtls-Clientcert-Subject: CN=root", "-H", "X-Amzn-Mtls-Clientcert: forged"}

func headersOf(t *testing.T, body string) http.Header {
	t.Helper()
	var h http.Header
	if err := json.Unmarshal([]byte(body), &h); err != nil {
		t.Fatalf("got %q: %v", body, err)
	}
	return h
}

func TestMutualTLSPassthrough(t *testing.T) {
	t.Attr("aws-fact", "2.3.7")
	f, l := mutual(t, "127.0.80.20", fakealb.MutualAuthentication{Mode: "passthrough"})
	nobody := newIssuer(t, "nobody trusts this one")
	h := headersOf(t, curl(t, append(claim, "-k", "--cert", nobody.client(t, nil), "https://"+f.at(0)+"/")...))
	chain, err := url.PathUnescape(h.Get("X-Amzn-Mtls-Clientcert"))
	if err != nil || strings.Count(chain, "-----BEGIN CERTIFICATE-----\n") != 2 || !strings.HasSuffix(chain, nobody.pem()) {
		t.Errorf("the chain: got %q, %v, want the leaf and its issuer", chain, err)
	}
	if raw := h.Get("X-Amzn-Mtls-Clientcert"); !strings.HasPrefix(raw, "-----BEGIN%20CERTIFICATE-----%0A") || strings.Contains(raw, "%2B") {
		t.Errorf("its encoding: got %.60q, want + = / as they are", raw)
	}
	if got := h.Get("X-Amzn-Mtls-Clientcert-Subject"); got != "" {
		t.Errorf("the client's own claim reached the target: %q", got)
	}
	h = headersOf(t, curl(t, append(claim, "-k", "https://"+f.at(0)+"/")...))
	if got := h.Get("X-Amzn-Mtls-Clientcert"); got != "" {
		t.Errorf("without a certificate: got %q", got)
	}
	if line := l.connection(t, 0); line[7] != `"CN=client.test,O=mTLS,C=US"` || line[10] != "Success" {
		t.Errorf("the connection log: %v", line)
	}
}

func TestMutualTLSVerify(t *testing.T) {
	t.Attr("aws-fact", "2.3.7")
	ours := newIssuer(t, "trusted.test")
	f, l := mutual(t, "127.0.80.21", fakealb.MutualAuthentication{Mode: "verify", TrustStore: ours.pem(), AdvertiseNames: true})
	h := headersOf(t, curl(t, append(claim, "-k", "--cert", ours.client(t, nil), "https://"+f.at(0)+"/")...))
	for name, want := range map[string]string{
		"Serial-Number": "03A5B1", "Issuer": "CN=trusted.test,C=US", "Subject": "CN=client.test,O=mTLS,C=US",
	} {
		if got := h.Get("X-Amzn-Mtls-Clientcert-" + name); got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
	if got := h.Get("X-Amzn-Mtls-Clientcert-Validity"); !strings.HasPrefix(got, "NotBefore=2023-11-14T22:13:20Z;NotAfter=") {
		t.Errorf("the validity: got %q", got)
	}
	if leaf, err := url.PathUnescape(h.Get("X-Amzn-Mtls-Clientcert-Leaf")); err != nil || strings.Count(leaf, "BEGIN CERTIFICATE") != 1 {
		t.Errorf("the leaf: got %q, %v", leaf, err)
	}
	if got := h.Get("X-Amzn-Mtls-Clientcert"); got != "" {
		t.Errorf("the header of the other mode: got %q", got)
	}
	out, _ := f.sClient(t, "-tls1_2")
	if !strings.Contains(out, "Acceptable client certificate CA names\nC = US, CN = trusted.test\n") {
		t.Errorf("want the name of the authority advertised:\n%s", out)
	}
	// Sessions are not resumed with mutual TLS.
	if out, _ := f.sClient(t, "-tls1_2", "-cert", ours.client(t, nil)); strings.Contains(out, "TLS session ticket:") {
		t.Errorf("got a session ticket:\n%s", out)
	}
	if line := l.connection(t, 0); line[9] != "03A5B1" || line[8] != h.Get("X-Amzn-Mtls-Clientcert-Validity") || line[10] != "Success" {
		t.Errorf("the connection log: %v", line)
	}
}

func TestMutualTLSRefusesClients(t *testing.T) {
	t.Attr("aws-fact", "2.3.7")
	t.Attr("aws-fact", "6.3")
	ours, foreign := newIssuer(t, "trusted.test"), newIssuer(t, "foreign.test")
	store := fakealb.MutualAuthentication{Mode: "verify", TrustStore: ours.pem()}
	f, l := mutual(t, "127.0.80.22", store)
	expired := func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Minute) }
	for n, c := range []struct {
		status string
		cert   string
	}{
		{"Failed:ClientCertUntrusted", foreign.client(t, nil)},
		{"Failed:ClientCertExpired", ours.client(t, expired)},
		{"Failed:ClientCertNotYetValid", ours.client(t, func(c *x509.Certificate) { c.NotBefore = time.Now().Add(time.Minute) })},
		{"Failed:ClientCertPurposeInvalid", ours.client(t, func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth} })},
		{"Failed:ClientCertTypeUnsupported", ours.client(t, func(c *x509.Certificate) {
			public, private, _ := ed25519.GenerateKey(rand.Reader)
			c.PublicKey, c.RawSubjectPublicKeyInfo = public, private
		})},
		{"Failed:UnmappedConnectionError", ""}, // none at all
	} {
		args := []string{"-k", "-sS", "--max-time", "10", "https://" + f.at(0) + "/"}
		if c.cert != "" {
			args = append(args, "--cert", c.cert)
		}
		if out, err := command("curl", args...); err == nil {
			t.Errorf("%s: curl got %s", c.status, out)
		}
		line := l.connection(t, n)
		if line[10] != c.status || line[6] != "-" || (c.cert != "") != (line[7] == `"CN=client.test,O=mTLS,C=US"`) {
			t.Errorf("want %s, got the line %v", c.status, line)
		}
	}
	if rows, err := f.Attempts(f.ctx); err != nil || len(rows) != 0 {
		t.Errorf("requests of refused clients: %v, %v", rows, err)
	}
	store.IgnoreExpiry = true
	_, err := f.PutLoadBalancer(f.ctx, fakealb.LoadBalancer{Name: "blue", Targets: 1, Listeners: []fakealb.Listener{{
		Port: f.port, Protocol: fakealb.ProtocolHTTPS, MutualAuthentication: store,
	}}})
	if err != nil {
		t.Fatal(err)
	}
	if got := curl(t, "-k", "--cert", ours.client(t, expired), "https://"+f.at(0)+"/"); !strings.Contains(got, "lb=blue") {
		t.Errorf("an expired certificate where expiry is ignored: got %q", got)
	}
}

func TestMutualTLSSettingsAreChecked(t *testing.T) {
	f := secured(t, "127.0.80.23", fakealb.Listener{})
	for field, m := range map[string]fakealb.MutualAuthentication{
		"mode":        {Mode: "on"},
		"trust_store": {Mode: "verify", TrustStore: "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"},
	} {
		_, err := f.PutLoadBalancer(f.ctx, fakealb.LoadBalancer{Name: "blue", Listeners: []fakealb.Listener{{
			Port: f.port, Protocol: fakealb.ProtocolHTTPS, MutualAuthentication: m,
		}}})
		if e := apiErr(t, err); e.Field != "listeners[0].mutual_authentication."+field {
			t.Errorf("want field %s, got %v", field, err)
		}
	}
}

// Whatever a client has in its name, it is one header field for the target.
func TestNameOfAClientCannotForgeHeaders(t *testing.T) {
	ours := newIssuer(t, "trusted.test")
	f, l := mutual(t, "127.0.80.24", fakealb.MutualAuthentication{Mode: "verify", TrustStore: ours.pem()})
	forger := ours.client(t, func(c *x509.Certificate) {
		c.Subject = pkix.Name{CommonName: "a\r\nX-Amzn-Mtls-Clientcert-Leaf: forged", Organization: []string{"b \"c\""}}
	})
	h := headersOf(t, curl(t, "-k", "--cert", forger, "https://"+f.at(0)+"/"))
	const want = `CN=a\0D\0AX-Amzn-Mtls-Clientcert-Leaf: forged,O=b \"c\"`
	if got := h["X-Amzn-Mtls-Clientcert-Subject"]; len(got) != 1 || got[0] != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if line := l.connection(t, 0); line[10] != "Success" {
		t.Errorf("the connection log: %q", line)
	}
}
