package fakealb

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"
)

// maxLeaves bounds the certificates kept, against a client that asks for ever new
// names.
const maxLeaves = 10000

// authority is the server's own certificate authority. It lives in memory only.
type authority struct {
	root   *x509.Certificate
	key    *ecdsa.PrivateKey
	caPEM  []byte
	leafMu sync.Mutex
	leaves map[leafKey]*tls.Certificate
}

// leafKind is what is wrong with a certificate, if anything.
type leafKind int

const (
	leafGood leafKind = iota
	leafExpired
	leafSelfSigned
	leafStranger // signed by another authority
)

type leafKey struct {
	kind leafKind
	name string
}

func (a *authority) create(name string) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return fmt.Errorf("make the key of the certificate authority: %w", err)
	}
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		Subject:      pkix.Name{CommonName: name},
		NotBefore:    now.Add(-time.Hour), NotAfter: now.AddDate(0, 0, 30),
		IsCA: true, BasicConstraintsValid: true, MaxPathLenZero: true,
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return fmt.Errorf("make the certificate authority: %w", err)
	}
	if a.root, err = x509.ParseCertificate(der); err != nil {
		return fmt.Errorf("read back the certificate authority: %w", err)
	}
	a.key = key
	a.caPEM = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	a.leaves = map[leafKey]*tls.Certificate{}
	return nil
}

// CA returns the certificate of the server's authority as PEM, for the trust
// store of a client.
func (s *Server) CA() []byte { return s.caPEM }

// leaf returns a certificate of one kind for name, a host name or an IP address.
func (a *authority) leaf(kind leafKind, name string) (*tls.Certificate, error) {
	a.leafMu.Lock()
	defer a.leafMu.Unlock()
	at := leafKey{kind, name}
	if c := a.leaves[at]; c != nil {
		return c, nil
	}
	c, err := a.mint(kind, name)
	if err != nil {
		return nil, fmt.Errorf("make a certificate for %q: %w", name, err)
	}
	if len(a.leaves) >= maxLeaves {
		clear(a.leaves)
	}
	a.leaves[at] = c
	return c, nil
}

func (a *authority) mint(kind leafKind, name string) (*tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template := leafTemplate(name)
	issuer, issuerKey := a.root, a.key
	switch kind {
	case leafGood:
	case leafExpired:
		template.NotBefore, template.NotAfter = time.Now().Add(-48*time.Hour), time.Now().Add(-time.Hour)
	case leafSelfSigned:
		issuer, issuerKey = template, key
	case leafStranger:
		other := &authority{}
		if err := other.create("another certificate authority"); err != nil {
			return nil, err
		}
		issuer, issuerKey = other.root, other.key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, issuer, &key.PublicKey, issuerKey)
	if err != nil {
		return nil, err
	}
	c := &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
	if kind != leafSelfSigned {
		c.Certificate = append(c.Certificate, issuer.Raw)
	}
	return c, nil
}

// certificateName is the name of the certificate shown to a client that asks for
// asked, which may be empty.
func (lb LoadBalancer) certificateName(asked string, node netip.Addr) string {
	asked = strings.ToLower(strings.TrimSuffix(asked, "."))
	if len(lb.Certificates) == 0 {
		if asked == "" {
			return node.String()
		}
		return asked
	}
	_, parent, _ := strings.Cut(asked, ".")
	for _, wanted := range []string{asked, "*." + parent} {
		if i := slices.IndexFunc(lb.Certificates, func(c string) bool { return strings.EqualFold(c, wanted) }); i >= 0 {
			return lb.Certificates[i]
		}
	}
	return lb.Certificates[0]
}

func leafTemplate(name string) *x509.Certificate {
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(now.UnixNano()),
		NotBefore:    now.Add(-time.Hour), NotAfter: now.AddDate(0, 0, 29),
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	if ip := net.ParseIP(name); ip != nil {
		template.IPAddresses = []net.IP{ip}
	} else {
		template.DNSNames = []string{name}
	}
	if len(name) <= 64 { // the upper bound of a common name
		template.Subject = pkix.Name{CommonName: name}
	}
	return template
}

// tlsConfig shows the certificate that the load balancer has for the name the
// client asks for, and its default one if it has none or no name is asked for
// (2.3.3 D). A fault may show another.
func (s *Server) tlsConfig(c *clientConn, shown func(*authority, string) (*tls.Certificate, error)) *tls.Config {
	if shown == nil {
		shown = func(a *authority, name string) (*tls.Certificate, error) { return a.leaf(leafGood, name) }
	}
	return &tls.Config{
		MinVersion: tls.VersionTLS12,
		NextProtos: []string{"h2", "http/1.1"}, // 2.2.5 O1
		GetCertificate: func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
			return shown(&s.authority, c.node.view().lb.certificateName(hello.ServerName, c.node.addr))
		},
	}
}
