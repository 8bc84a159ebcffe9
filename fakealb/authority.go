package fakealb

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
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
	leaves map[leafSpec]*tls.Certificate
	keys   map[keySpec]crypto.Signer
}

// leafKind is what is wrong with a certificate, if anything.
type leafKind int

const (
	leafGood leafKind = iota
	leafExpired
	leafSelfSigned
	leafStranger   // signed by another authority
	leafWrongChain // signed by an intermediate, with another one's certificate
)

// leafSpec says what certificate is wanted.
type leafSpec struct {
	kind  leafKind
	names string // host names or an IP address, separated by commas
	// With no key type the key is ECDSA of 256 bits, with no hash it is SHA-256.
	keyType             string
	keySize             int
	hash                string
	notBefore, notAfter time.Time // in UTC; zero for the default
}

type keySpec struct {
	keyType string
	size    int
}

// leafLife is how long a certificate lasts by default; the authority lasts longer.
const leafLife = 29 * 24 * time.Hour

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
		IsCA: true, BasicConstraintsValid: true, MaxPathLen: 1,
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
	a.leaves, a.keys = map[leafSpec]*tls.Certificate{}, map[keySpec]crypto.Signer{}
	return nil
}

// CA returns the certificate of the server's authority as PEM, for the trust
// store of a client.
func (s *Server) CA() []byte { return s.caPEM }

// leaf returns a certificate, the same one for the same specification.
func (a *authority) leaf(spec leafSpec) (*tls.Certificate, error) {
	if spec.keyType == "" {
		spec.keyType, spec.keySize = keyECDSA, keySizes[keyECDSA][0]
	}
	a.leafMu.Lock()
	defer a.leafMu.Unlock()
	if c := a.leaves[spec]; c != nil {
		return c, nil
	}
	c, err := a.mint(spec)
	if err != nil {
		return nil, fmt.Errorf("make a certificate for %q: %w", spec.names, err)
	}
	if len(a.leaves) >= maxLeaves {
		clear(a.leaves)
	}
	a.leaves[spec] = c
	return c, nil
}

// keyOf returns the key that all leaves of a kind of key share: RSA keys take
// seconds to make.
func (a *authority) keyOf(spec keySpec) (crypto.Signer, error) {
	if key := a.keys[spec]; key != nil {
		return key, nil
	}
	var key crypto.Signer
	var err error
	switch spec {
	case keySpec{keyECDSA, 384}:
		key, err = ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	case keySpec{keyECDSA, 521}:
		key, err = ecdsa.GenerateKey(elliptic.P521(), rand.Reader)
	case keySpec{keyECDSA, 256}:
		key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	default:
		key, err = rsa.GenerateKey(rand.Reader, spec.size)
	}
	if err == nil {
		a.keys[spec] = key
	}
	return key, err
}

func (a *authority) mint(spec leafSpec) (*tls.Certificate, error) {
	key, err := a.keyOf(keySpec{spec.keyType, spec.keySize})
	if err != nil {
		return nil, err
	}
	template := spec.template()
	issuer, issuerKey, shown := a.root, crypto.Signer(a.key), a.root
	switch spec.kind {
	case leafGood:
	case leafExpired:
		template.NotBefore, template.NotAfter = time.Now().Add(-48*time.Hour), time.Now().Add(-time.Hour)
	case leafSelfSigned:
		issuer, issuerKey, shown = template, key, nil
		template.SignatureAlgorithm = x509.UnknownSignatureAlgorithm // as the key has it
	case leafStranger:
		other := &authority{}
		if err := other.create("another certificate authority"); err != nil {
			return nil, err
		}
		issuer, issuerKey, shown = other.root, other.key, other.root
	case leafWrongChain:
		if issuer, issuerKey, err = a.intermediate("the intermediate that is missing"); err != nil {
			return nil, err
		}
		if shown, _, err = a.intermediate("another intermediate"); err != nil {
			return nil, err
		}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, issuer, key.Public(), issuerKey)
	if err != nil {
		return nil, err
	}
	c := &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
	if shown != nil {
		c.Certificate = append(c.Certificate, shown.Raw)
	}
	c.Leaf, err = x509.ParseCertificate(der)
	return c, err
}

// intermediate makes an authority below the root.
func (a *authority) intermediate(name string) (*x509.Certificate, crypto.Signer, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(now.UnixNano()), Subject: pkix.Name{CommonName: name},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(leafLife),
		IsCA: true, BasicConstraintsValid: true, MaxPathLenZero: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.root, &key.PublicKey, a.key)
	if err != nil {
		return nil, nil, err
	}
	cert, err := x509.ParseCertificate(der)
	return cert, key, err
}

func (spec leafSpec) template() *x509.Certificate {
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(now.UnixNano()),
		NotBefore:    now.Add(-time.Hour), NotAfter: now.Add(leafLife),
		KeyUsage:           x509.KeyUsageDigitalSignature,
		ExtKeyUsage:        []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		SignatureAlgorithm: hashes[spec.hash],
	}
	if spec.keyType == keyRSA {
		template.KeyUsage |= x509.KeyUsageKeyEncipherment // for key exchange with RSA
	}
	if !spec.notBefore.IsZero() {
		template.NotBefore = spec.notBefore
	}
	if !spec.notAfter.IsZero() {
		template.NotAfter = spec.notAfter
	}
	if !template.NotBefore.Before(template.NotAfter) { // of a time that is long past
		template.NotBefore = template.NotAfter.Add(-time.Hour)
	}
	names := strings.Split(spec.names, ",")
	for _, name := range names {
		if ip := net.ParseIP(name); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, name)
		}
	}
	if len(names[0]) <= 64 { // the upper bound of a common name
		template.Subject = pkix.Name{CommonName: names[0]}
	}
	return template
}
