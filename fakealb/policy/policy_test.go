package policy

import (
	"crypto/tls"
	"slices"
	"testing"
)

func TestBackendFollowsTheListeners(t *testing.T) {
	const hybrid, tls13, tls12 = "ELBSecurityPolicy-TLS13-1-2-PQ-2025-09", "ELBSecurityPolicy-TLS13-1-2-2021-06", Default
	for _, c := range []struct {
		names []string
		max   uint16
		pq    bool
	}{
		{nil, tls.VersionTLS13, true},
		{[]string{tls12}, tls.VersionTLS12, false},
		{[]string{tls12, tls13}, tls.VersionTLS13, false},
		{[]string{tls13, tls12}, tls.VersionTLS13, false},
		{[]string{tls12, tls13, hybrid}, tls.VersionTLS13, true},
	} {
		got := Backend(c.names)
		if got.MaxVersion != c.max || slices.Contains(got.CurvePreferences, tls.X25519MLKEM768) != c.pq {
			t.Errorf("%q: got up to %s, %v, want %s, post-quantum %t", c.names, tls.VersionName(got.MaxVersion), got.CurvePreferences, tls.VersionName(c.max), c.pq)
		}
		if again := Backend(c.names); again != got {
			t.Errorf("%q: got another config the second time", c.names)
		}
	}
}

// Every policy is one with which a handshake is possible, and none is weaker than it says.
func TestPolicies(t *testing.T) {
	names := Names()
	if !slices.IsSorted(names) || !slices.Contains(names, Default) || !slices.Contains(names, AnyPort) {
		t.Errorf("got %q, want all policies in order, with %s and %s", names, Default, AnyPort)
	}
	for _, name := range names {
		p, ok := Named(name)
		config := p.Config()
		if !ok || config.MinVersion > config.MaxVersion || config.MinVersion == 0 || config.MinVersion < tls.VersionTLS13 && len(config.CipherSuites) == 0 {
			t.Errorf("%s: got %+v", name, p)
		}
	}
	if _, ok := Named("ELBSecurityPolicy-2015"); ok {
		t.Error("got a policy that ALBs do not have")
	}
}

func TestNamesAreThoseOfOpenSSL(t *testing.T) {
	for id, want := range map[uint16]string{
		0: "-", tls.TLS_AES_128_GCM_SHA256: "TLS_AES_128_GCM_SHA256", tls.TLS_RSA_WITH_AES_256_GCM_SHA384: "AES256-GCM-SHA384",
		tls.TLS_RSA_WITH_AES_128_CBC_SHA: "AES128-SHA", tls.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256: "ECDHE-RSA-AES128-SHA256",
		tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384: "ECDHE-ECDSA-AES256-GCM-SHA384",
	} {
		if got := CipherName(id); got != want {
			t.Errorf("cipher suite %#x: got %s, want %s", id, got, want)
		}
	}
	for version, want := range map[uint16]string{0: "-", tls.VersionTLS10: "TLSv1", tls.VersionTLS11: "TLSv1.1", tls.VersionTLS13: "TLSv1.3"} {
		if got := VersionName(version); got != want {
			t.Errorf("version %#x: got %s, want %s", version, got, want)
		}
	}
	for id, want := range map[tls.CurveID]string{0: "-", tls.CurveP256: "secp256r1", tls.X25519MLKEM768: "X25519MLKEM768"} {
		if got := ExchangeName(id); got != want {
			t.Errorf("key exchange %d: got %s, want %s", id, got, want)
		}
	}
}
