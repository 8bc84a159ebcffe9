package fakealb

import (
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// MutualAuthentication says what an HTTPS listener does about certificates of
// clients (2.3.7 D).
type MutualAuthentication struct {
	// Mode is off (default); passthrough, which hands the client's chain to targets
	// unverified; or verify, which closes the connection unless the trust store
	// vouches for the client.
	Mode string `json:"mode"`
	// TrustStore holds certificates of authorities as PEM, for verify.
	TrustStore string `json:"trust_store,omitempty"`
	// IgnoreExpiry takes expired certificates of clients too, in verify.
	IgnoreExpiry bool `json:"ignore_client_certificate_expiry,omitempty"`
	// AdvertiseNames tells clients the names of the trust store's authorities.
	AdvertiseNames bool `json:"advertise_trust_store_ca_names,omitempty"`
}

// The modes of MutualAuthentication.
const (
	mutualOff         = "off"
	mutualPassthrough = "passthrough"
	mutualVerify      = "verify"
)

// maxClientChain is an ALB's quota for the chain of a client's certificate.
const maxClientChain = 4

func (m MutualAuthentication) check(field string) (MutualAuthentication, error) {
	switch m.Mode {
	case mutualOff, mutualPassthrough, mutualVerify:
	case "":
		m.Mode = mutualOff
	default:
		return m, badField(field+".mode", "got %q, want %s, %s or %s", m.Mode, mutualOff, mutualPassthrough, mutualVerify)
	}
	switch {
	case m.Mode != mutualVerify && m != (MutualAuthentication{Mode: m.Mode}):
		return m, badField(field+".mode", "got %s with settings of %s, want %s, or the mode alone", m.Mode, mutualVerify, mutualVerify)
	case m.Mode == mutualVerify && len(m.authorities()) == 0:
		return m, badField(field+".trust_store", "got no certificate, want at least one as PEM")
	}
	return m, nil
}

// authorities are the certificates of the trust store that can be read.
func (m MutualAuthentication) authorities() []*x509.Certificate {
	var list []*x509.Certificate
	for rest := []byte(m.TrustStore); ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			return list
		}
		if c, err := x509.ParseCertificate(block.Bytes); err == nil && block.Type == "CERTIFICATE" {
			list = append(list, c)
		}
	}
}

// configure makes config ask for a certificate, and keeps the client's chain in c.
func (m MutualAuthentication) configure(config *tls.Config, c *clientConn) {
	if m.Mode == mutualOff || m.Mode == "" {
		return
	}
	config.SessionTicketsDisabled = true // sessions are not resumed with mutual TLS (2.3.7 D)
	config.ClientAuth = tls.RequestClientCert
	pool := x509.NewCertPool()
	if m.Mode == mutualVerify {
		config.ClientAuth = tls.RequireAnyClientCert
		for _, a := range m.authorities() {
			pool.AddCert(a)
		}
		if m.AdvertiseNames {
			config.ClientCAs = pool
		}
	}
	c.mutual = m.Mode
	config.VerifyPeerCertificate = func(raw [][]byte, _ [][]*x509.Certificate) error {
		for _, der := range raw {
			cert, err := x509.ParseCertificate(der)
			if err != nil {
				return &clientCertError{"ClientCertInvalid", err}
			}
			c.clientChain = append(c.clientChain, cert)
		}
		if m.Mode == mutualVerify {
			return m.verify(c.clientChain, pool)
		}
		return nil
	}
}

// clientCertError is why a client's certificate was refused, with the code that
// the connection log has for it.
type clientCertError struct {
	code  string
	cause error
}

func (e *clientCertError) Error() string { return e.code + ": " + e.cause.Error() }

// verify checks the chain of a client, the leaf first. The authorities are trusted
// as roots whether or not they issued themselves.
func (m MutualAuthentication) verify(chain []*x509.Certificate, roots *x509.CertPool) error {
	leaf := chain[0]
	if len(chain) > maxClientChain {
		return &clientCertError{"ClientCertMaxChainDepthExceeded", fmt.Errorf("got %d certificates, want at most %d", len(chain), maxClientChain)}
	}
	if !supportedKey(leaf) {
		return &clientCertError{"ClientCertTypeUnsupported", fmt.Errorf("got a key of type %s, want RSA of 2048 bits or more, or ECDSA", leaf.PublicKeyAlgorithm)}
	}
	now := time.Now()
	if m.IgnoreExpiry && leaf.NotAfter.Before(now) {
		now = leaf.NotAfter
	}
	between := x509.NewCertPool()
	for _, c := range chain[1:] {
		between.AddCert(c)
	}
	_, err := leaf.Verify(x509.VerifyOptions{
		Roots: roots, Intermediates: between, CurrentTime: now, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	})
	var invalid x509.CertificateInvalidError
	var unknown x509.UnknownAuthorityError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &unknown):
		return &clientCertError{"ClientCertUntrusted", err}
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired && now.Before(invalid.Cert.NotBefore):
		return &clientCertError{"ClientCertNotYetValid", err}
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return &clientCertError{"ClientCertExpired", err}
	case errors.As(err, &invalid) && invalid.Reason == x509.IncompatibleUsage:
		return &clientCertError{"ClientCertPurposeInvalid", err}
	}
	return &clientCertError{"ClientCertInvalid", err}
}

// supportedKey reports whether an ALB takes certificates of clients with such a key.
func supportedKey(c *x509.Certificate) bool {
	switch key := c.PublicKey.(type) {
	case *rsa.PublicKey:
		return key.N.BitLen() >= 2048
	case *ecdsa.PublicKey:
		return true
	}
	return false
}

// The request headers that tell targets of the client's certificate (2.3.7 D).
const (
	mutualHeader     = "X-Amzn-Mtls-Clientcert"
	mutualHeaderLeaf = mutualHeader + "-Leaf"
)

// setMutual tells the target of the client's certificate. What the client itself
// claims in these fields is dropped.
func (c *clientConn) setMutual(h http.Header) {
	for name := range h {
		if strings.HasPrefix(name, mutualHeader) {
			delete(h, name)
		}
	}
	if len(c.clientChain) == 0 {
		return
	}
	leaf := c.clientChain[0]
	switch c.mutual {
	case mutualPassthrough:
		var all strings.Builder
		for _, cert := range c.clientChain {
			all.WriteString(escapedPEM(cert))
		}
		h.Set(mutualHeader, all.String())
	case mutualVerify:
		h.Set(mutualHeader+"-Serial-Number", serialText(leaf))
		h.Set(mutualHeader+"-Issuer", nameText(leaf.RawIssuer))
		h.Set(mutualHeader+"-Subject", nameText(leaf.RawSubject))
		h.Set(mutualHeader+"-Validity", validityText(leaf))
		h.Set(mutualHeaderLeaf, escapedPEM(leaf))
	}
}

// escapedPEM is the certificate as PEM, escaped as in a URL but for + = and /.
func escapedPEM(c *x509.Certificate) string {
	text := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw}))
	return strings.NewReplacer(" ", "%20", "\n", "%0A").Replace(text)
}

func serialText(c *x509.Certificate) string { return fmt.Sprintf("%X", c.SerialNumber.Bytes()) }

// nameText is a distinguished name in the form of RFC 2253, which lets bytes be
// given in hex: control characters would end a header field.
func nameText(raw []byte) string {
	var name pkix.RDNSequence
	if _, err := asn1.Unmarshal(raw, &name); err != nil {
		return ""
	}
	var b strings.Builder
	for _, c := range []byte(name.String()) {
		if c < ' ' || c == 0x7f {
			fmt.Fprintf(&b, `\%02X`, c)
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}

func validityText(c *x509.Certificate) string {
	const iso = "2006-01-02T15:04:05Z"
	return "NotBefore=" + c.NotBefore.UTC().Format(iso) + ";NotAfter=" + c.NotAfter.UTC().Format(iso)
}
