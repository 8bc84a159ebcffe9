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
	leaves map[string]*tls.Certificate
}

func (a *authority) create() error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return fmt.Errorf("make the key of the certificate authority: %w", err)
	}
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		Subject:      pkix.Name{CommonName: "fakealb TEST ONLY certificate authority"},
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
	a.leaves = map[string]*tls.Certificate{}
	return nil
}

// CA returns the certificate of the server's authority as PEM, for the trust
// store of a client.
func (s *Server) CA() []byte { return s.caPEM }

// leaf returns a certificate for name, which is a host name or an IP address.
func (a *authority) leaf(name string) (*tls.Certificate, error) {
	a.leafMu.Lock()
	defer a.leafMu.Unlock()
	if c := a.leaves[name]; c != nil {
		return c, nil
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make a key for %q: %w", name, err)
	}
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(int64(len(a.leaves)) + 2),
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
	der, err := x509.CreateCertificate(rand.Reader, template, a.root, &key.PublicKey, a.key)
	if err != nil {
		return nil, fmt.Errorf("make a certificate for %q: %w", name, err)
	}
	if len(a.leaves) >= maxLeaves {
		clear(a.leaves)
	}
	c := &tls.Certificate{Certificate: [][]byte{der, a.root.Raw}, PrivateKey: key}
	a.leaves[name] = c
	return c, nil
}

// tlsConfig mints a certificate for whatever name the client asks for, and for
// the node's address when it asks for none. A real ALB then shows its default
// certificate (2.3.3 D).
func (s *Server) tlsConfig(c *clientConn) *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS12,
		NextProtos: []string{"h2", "http/1.1"}, // 2.2.5 O1
		GetCertificate: func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
			if hello.ServerName == "" {
				return s.leaf(c.node.addr.String())
			}
			return s.leaf(hello.ServerName)
		},
	}
}
