package peer

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"path/filepath"
	"time"
)

// Identity is a certificate for localhost with its key, and the authority that
// signed it: PEM files that every program is given. The key is ECDSA P-256.
type Identity struct {
	CA, Cert, Key string
	Both          string // certificate and key in one file, as HAProxy wants it
}

// Identity makes one.
func (s *Shop) Identity() (*Identity, error) {
	caKey, errCA := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil || errCA != nil {
		return nil, fmt.Errorf("make keys: %w", err)
	}
	from, until := time.Now().Add(-time.Hour), time.Now().Add(24*time.Hour)
	authority := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "benchmark authority"}, NotBefore: from, NotAfter: until,
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	leaf := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "localhost"}, NotBefore: from, NotAfter: until,
		DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	caDER, err := x509.CreateCertificate(rand.Reader, authority, authority, caKey.Public(), caKey)
	if err != nil {
		return nil, fmt.Errorf("sign the authority: %w", err)
	}
	leafDER, err := x509.CreateCertificate(rand.Reader, leaf, authority, key.Public(), caKey)
	if err != nil {
		return nil, fmt.Errorf("sign the certificate: %w", err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("encode the key: %w", err)
	}
	in := func(name string) string { return filepath.Join(s.Dir, name) }
	id := &Identity{CA: in("ca.pem"), Cert: in("cert.pem"), Key: in("key.pem"), Both: in("both.pem")}
	cert, keyPEM := encode("CERTIFICATE", leafDER), encode("PRIVATE KEY", keyDER)
	for path, content := range map[string]string{
		id.CA: encode("CERTIFICATE", caDER), id.Cert: cert, id.Key: keyPEM, id.Both: cert + keyPEM,
	} {
		if _, err := s.file(filepath.Base(path), content); err != nil {
			return nil, err
		}
	}
	return id, nil
}

func encode(kind string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}
