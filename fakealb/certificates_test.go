package fakealb_test

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/proxychaos/proxychaos/fakealb"
	"github.com/proxychaos/proxychaos/fakealb/cert"
)

// secured runs a node with one HTTPS listener, l but for its port.
func secured(t *testing.T, addr string, l fakealb.Listener) *fixture {
	t.Helper()
	return start(t, func(c *fakealb.Config) {
		l.Port, l.Protocol = c.Ports[0], fakealb.ProtocolHTTPS
		c.LoadBalancers = []fakealb.LoadBalancer{{Name: "blue", Targets: 1, Listeners: []fakealb.Listener{l}}}
	}, addr)
}

// listen puts another listener in place of the one that secured made.
func (f *fixture) listen(t *testing.T, l fakealb.Listener) {
	t.Helper()
	l.Port, l.Protocol = f.port, fakealb.ProtocolHTTPS
	if _, err := f.PutLoadBalancer(f.ctx, fakealb.LoadBalancer{Name: "blue", Targets: 1, Listeners: []fakealb.Listener{l}}); err != nil {
		t.Fatal(err)
	}
}

// sClient makes one handshake with openssl s_client, which trusts the server's
// authority. It reads no input, so it ends after the handshake.
func (f *fixture) sClient(t *testing.T, args ...string) (string, error) {
	t.Helper()
	need(t, "openssl")
	out, err := exec.Command("openssl", append([]string{"s_client", "-connect", f.at(0), "-CAfile", f.caFile(t)}, args...)...).CombinedOutput()
	return string(out), err
}

// caFile is a file with the certificate of the server's authority.
func (f *fixture) caFile(t *testing.T) string {
	t.Helper()
	pem, err := f.CA(f.ctx)
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(name, pem, 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

var keyLine = regexp.MustCompile(`(?m)^Server public key is (\d+) bit$`)

func TestBestCertificateForAName(t *testing.T) {
	t.Attr("aws-fact", "2.3.3")
	past, next := time.Now().Add(-time.Minute).UTC(), time.Now().Add(48*time.Hour).UTC()
	name := func(n string, c cert.Certificate) cert.Certificate {
		c.Names = []string{n}
		return c
	}
	f := secured(t, "127.0.80.5", fakealb.Listener{Certificates: []cert.Certificate{
		name("default.test", cert.Certificate{}),
		// Each name has two, of which the second is the better one.
		name("key.test", cert.Certificate{KeySize: 3072}),
		name("key.test", cert.Certificate{KeyType: "ECDSA"}),
		name("expired.test", cert.Certificate{KeySize: 3072, NotBefore: past.Add(-time.Hour), NotAfter: past}),
		name("expired.test", cert.Certificate{}),
		name("hash.test", cert.Certificate{KeySize: 3072}),
		name("hash.test", cert.Certificate{Hash: "SHA384"}),
		name("length.test", cert.Certificate{}),
		name("length.test", cert.Certificate{KeySize: 3072}),
		name("validity.test", cert.Certificate{NotAfter: next}),
		name("validity.test", cert.Certificate{}),
		name("*.wild.test", cert.Certificate{KeyType: "ECDSA", KeySize: 384}),
	}})
	tls12 := []string{"-tls1_2"}
	for _, c := range []struct {
		asked string
		args  []string
		want  string
	}{
		{"", []string{"-noservername"}, "CN = default.test\n"},
		{"unknown.test", nil, "CN = default.test\n"},
		{"key.test", nil, "Server public key is 256 bit"},
		{"key.test", append(tls12, "-cipher", "ECDHE-RSA-AES128-GCM-SHA256"), "Server public key is 3072 bit"}, // all that this client can use
		{"expired.test", nil, "Server public key is 2048 bit"},
		{"hash.test", nil, "Server public key is 2048 bit"},
		{"length.test", nil, "Server public key is 3072 bit"},
		{"validity.test", nil, "NotAfter: " + time.Now().Add(29*24*time.Hour).UTC().Format("Jan _2 ")},
		{"a.wild.test", nil, "Server public key is 384 bit"},
		{"a.b.wild.test", nil, "CN = default.test\n"},
		{"wild.test", nil, "CN = default.test\n"},
	} {
		args := c.args
		if c.asked != "" {
			args = append([]string{"-servername", c.asked}, args...)
		}
		if out, err := f.sClient(t, args...); err != nil || !strings.Contains(out, c.want) {
			t.Errorf("asked for %q %v: want %q, got %v\n%s", c.asked, c.args, c.want, err, out)
		}
	}
}

func TestDefaultCertificateIsSwappedWhileItRuns(t *testing.T) {
	t.Attr("aws-fact", "2.3.3")
	f := secured(t, "127.0.80.6", fakealb.Listener{Certificates: []cert.Certificate{{Names: []string{"old.test"}}}})
	url := "https://old.test:" + fmt.Sprint(f.port) + "/"
	args := []string{"--cacert", f.caFile(t), "--resolve", strings.TrimSuffix(strings.TrimPrefix(url, "https://"), "/") + ":127.0.80.6"}
	curl(t, append(args, url)...)
	f.listen(t, fakealb.Listener{Certificates: []cert.Certificate{{Names: []string{"new.test"}, KeyType: "ECDSA"}}})
	out, err := f.sClient(t, "-servername", "new.test", "-verify_hostname", "new.test", "-verify_return_error")
	if err != nil || keyLine.FindStringSubmatch(out)[1] != "256" {
		t.Errorf("the new default certificate: %v\n%s", err, out)
	}
	if out, err := exec.Command("curl", append(append([]string{"-sS", "--max-time", "10"}, args...), url)...).CombinedOutput(); err == nil || !strings.Contains(string(out), "no alternative certificate subject name matches") {
		t.Errorf("curl asking for the old name: got %v %s", err, out)
	}
}

func TestCertificatesAreChecked(t *testing.T) {
	f := secured(t, "127.0.80.7", fakealb.Listener{})
	names := []string{"a.test"}
	for _, c := range []struct {
		field string
		l     fakealb.Listener
	}{
		{"certificates[0].names", fakealb.Listener{Certificates: []cert.Certificate{{}}}},
		{"certificates[0].names", fakealb.Listener{Certificates: []cert.Certificate{{Names: []string{"a b"}}}}},
		{"certificates[0].key_type", fakealb.Listener{Certificates: []cert.Certificate{{Names: names, KeyType: "ED25519"}}}},
		{"certificates[0].key_size", fakealb.Listener{Certificates: []cert.Certificate{{Names: names, KeySize: 1024}}}},
		{"certificates[1].hash", fakealb.Listener{Certificates: []cert.Certificate{{Names: names}, {Names: names, Hash: "MD5"}}}},
		{"certificates[0].not_after", fakealb.Listener{Certificates: []cert.Certificate{{Names: names, NotBefore: time.Unix(2e9, 0), NotAfter: time.Unix(1e9, 0)}}}},
		{"certificates", fakealb.Listener{Certificates: make([]cert.Certificate, 27)}},
		{"ssl_policy", fakealb.Listener{SSLPolicy: "ELBSecurityPolicy-2015-05"}},
		{"protocol", fakealb.Listener{Protocol: fakealb.ProtocolHTTP, SSLPolicy: "ELBSecurityPolicy-2016-08"}},
	} {
		c.l.Port = f.port
		if c.l.Protocol == "" {
			c.l.Protocol = fakealb.ProtocolHTTPS
		}
		_, err := f.PutLoadBalancer(f.ctx, fakealb.LoadBalancer{Name: "blue", Listeners: []fakealb.Listener{c.l}})
		if e := apiErr(t, err); e.Field != "listeners[0]."+c.field || e.Status != 400 {
			t.Errorf("want field %s, got %v", c.field, err)
		}
	}
}

// Handshakes while the default certificate changes get one or the other, whole.
func TestCertificateSwapUnderHandshakes(t *testing.T) {
	listeners := []fakealb.Listener{
		{Certificates: []cert.Certificate{{Names: []string{"old.test"}}}},
		{Certificates: []cert.Certificate{{Names: []string{"new.test"}, KeyType: "ECDSA"}}},
	}
	f := secured(t, "127.0.80.8", listeners[0])
	pool := tlsTransport(t, f).TLSClientConfig.RootCAs
	seen := make(chan string, 400) // at most two a handshake
	var clients sync.WaitGroup
	for range 4 {
		clients.Go(func() {
			for range 50 {
				c, err := tls.Dial("tcp4", f.at(0), &tls.Config{InsecureSkipVerify: true}) // no name: the default one
				if err != nil {
					seen <- err.Error()
					continue
				}
				leaf := c.ConnectionState().PeerCertificates[0]
				if _, err := leaf.Verify(x509.VerifyOptions{Roots: pool}); err != nil {
					seen <- err.Error()
				}
				seen <- leaf.DNSNames[0] + " " + leaf.PublicKeyAlgorithm.String()
				c.Close()
			}
		})
	}
	ended := make(chan struct{})
	go func() { clients.Wait(); close(seen); close(ended) }()
	for swaps := 1; ; swaps++ {
		f.listen(t, listeners[swaps%2])
		select {
		case <-ended:
			count := map[string]int{}
			for s := range seen {
				count[s]++
			}
			if len(count) != 2 || count["old.test RSA"] == 0 || count["new.test ECDSA"] == 0 {
				t.Errorf("after %d swaps: got %v, want both certificates and no error", swaps, count)
			}
			return
		default:
		}
	}
}
