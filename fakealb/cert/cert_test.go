package cert

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"strings"
	"testing"
	"time"
)

func authority(t *testing.T) (*Authority, *x509.CertPool) {
	t.Helper()
	a, err := NewAuthority("test")
	if err != nil {
		t.Fatal(err)
	}
	trusted := x509.NewCertPool()
	if !trusted.AppendCertsFromPEM(a.PEM()) {
		t.Fatalf("got no certificate in %s", a.PEM())
	}
	return a, trusted
}

// Each flaw is the one that a client which verifies finds, and no other.
func TestFlaws(t *testing.T) {
	a, trusted := authority(t)
	for flaw, want := range map[Flaw]string{
		None: "", Expired: "expired", SelfSigned: "unknown authority", Stranger: "unknown authority", WrongChain: "unknown authority", ExpiredIssuer: "expired",
	} {
		spec := Leaf{Flaw: flaw, Names: "app.test,127.0.0.1"}
		c, err := a.Leaf(spec)
		if err != nil {
			t.Fatal(err)
		}
		between := x509.NewCertPool()
		for _, der := range c.Certificate[1:] {
			if shown, err := x509.ParseCertificate(der); err == nil {
				between.AddCert(shown)
			}
		}
		for _, name := range []string{"app.test", "127.0.0.1"} {
			_, err = c.Leaf.Verify(x509.VerifyOptions{DNSName: name, Roots: trusted, Intermediates: between})
			if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
				t.Errorf("flaw %d, asked for %s: got %v, want %q", flaw, name, err, want)
			}
		}
		wrongName := x509.HostnameError{}
		if _, err = c.Leaf.Verify(x509.VerifyOptions{DNSName: "other.test", Roots: trusted, Intermediates: between}); flaw == None && !errors.As(err, &wrongName) {
			t.Errorf("asked for another name: got %v", err)
		}
		if again, err := a.Leaf(spec); again != c || err != nil {
			t.Errorf("flaw %d, asked again: got another one, %v", flaw, err)
		}
	}
}

func TestBestOfAList(t *testing.T) {
	a, _ := authority(t)
	past := time.Now().Add(-time.Hour)
	named := func(name string, c Certificate) Certificate {
		c.Names = []string{name}
		checked, field, err := c.Check()
		if err != nil {
			t.Fatalf("%s: %v", field, err)
		}
		return checked
	}
	list := []Certificate{
		named("first.test", Certificate{KeyType: ECDSA}),
		named("*.Wild.test", Certificate{KeyType: ECDSA}),
		named("a.wild.test", Certificate{KeyType: ECDSA}),
		named("long.test", Certificate{KeyType: ECDSA}),
		named("long.test", Certificate{KeyType: ECDSA, KeySize: 384}),
		named("old.test", Certificate{KeyType: ECDSA, KeySize: 521, NotBefore: past.Add(-time.Hour), NotAfter: past}),
		named("old.test", Certificate{KeyType: ECDSA}),
	}
	hello := &tls.ClientHelloInfo{
		SupportedVersions: []uint16{tls.VersionTLS13}, SupportedCurves: []tls.CurveID{tls.X25519, tls.CurveP256, tls.CurveP384},
		SignatureSchemes: []tls.SignatureScheme{tls.ECDSAWithP256AndSHA256, tls.ECDSAWithP384AndSHA384, tls.ECDSAWithP521AndSHA512},
		CipherSuites:     []uint16{tls.TLS_AES_128_GCM_SHA256},
	}
	onlyP256 := *hello
	onlyP256.SignatureSchemes = hello.SignatureSchemes[:1]
	for _, c := range []struct {
		asked string
		hello *tls.ClientHelloInfo
		want  int // of the list
	}{
		{"", hello, 0},
		{"unknown.test", hello, 0},
		{"wild.test", hello, 0},
		{"b.a.wild.test", hello, 0},
		{"b.wild.test", hello, 1},
		{"a.wild.test", hello, 2},
		{"long.test", hello, 4},
		{"long.test", &onlyP256, 3},
		{"old.test", hello, 6},
	} {
		got, err := a.Best(list, c.asked, c.hello)
		if err != nil || got != list[c.want].Leaf() {
			t.Errorf("asked for %q: got %+v, %v, want that of %v", c.asked, got, err, list[c.want].Names)
		}
	}
}

func TestCheckNamesTheField(t *testing.T) {
	names := []string{"app.test"}
	for field, c := range map[string]Certificate{
		"names":     {Names: []string{"a b"}},
		"key_type":  {Names: names, KeyType: "ED25519"},
		"key_size":  {Names: names, KeyType: ECDSA, KeySize: 2048},
		"hash":      {Names: names, Hash: "MD5"},
		"not_after": {Names: names, NotBefore: time.Unix(2e9, 0), NotAfter: time.Unix(1e9, 0)},
	} {
		if _, got, err := c.Check(); got != field || err == nil {
			t.Errorf("%+v: got field %q, %v, want %q", c, got, err, field)
		}
	}
	if _, field, err := (Certificate{}).Check(); field != "names" || err == nil {
		t.Errorf("without names: got field %q, %v", field, err)
	}
	checked, _, err := Certificate{Names: names}.Check()
	if err != nil || checked.KeyType != RSA || checked.KeySize != 2048 || checked.Hash != "SHA256" {
		t.Errorf("got %+v, %v, want the defaults", checked, err)
	}
}
