// Package cert makes the certificates that the listeners of a load balancer show: an
// authority of its own issues them, right ones and ones with a [Flaw], and of several
// it finds the best one for a client, as an ALB does.
//
// Facts about the real thing are numbered as in the project's aws-facts list, and
// marked D documented or G guessed.
package cert

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

// Authority is a certificate authority that lives in memory only. Many goroutines can
// use it at once.
type Authority struct {
	root   *x509.Certificate
	key    *ecdsa.PrivateKey
	pem    []byte
	mu     sync.Mutex
	leaves map[Leaf]*tls.Certificate
	keys   map[keySpec]crypto.Signer
}

// Flaw is what is wrong with a certificate, if anything.
type Flaw int

// The flaws.
const (
	None Flaw = iota
	Expired
	SelfSigned
	Stranger      // signed by another authority
	WrongChain    // signed by an intermediate, with another one's certificate
	ExpiredIssuer // signed by an authority whose own certificate has expired
)

// Leaf says what certificate is wanted.
type Leaf struct {
	Flaw  Flaw
	Names string // host names or an IP address, separated by commas
	// With no key type the key is ECDSA of 256 bits, with no hash it is SHA-256.
	KeyType             string
	KeySize             int // in bits
	Hash                string
	NotBefore, NotAfter time.Time // in UTC; zero for the default
}

type keySpec struct {
	keyType string
	size    int
}

// leafLife is how long a certificate lasts by default; the authority lasts longer.
const leafLife = 29 * 24 * time.Hour

// NewAuthority makes an authority with a common name.
func NewAuthority(name string) (*Authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make the key of the certificate authority: %w", err)
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
		return nil, fmt.Errorf("make the certificate authority: %w", err)
	}
	root, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("read back the certificate authority: %w", err)
	}
	return &Authority{
		root: root, key: key, pem: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
		leaves: map[Leaf]*tls.Certificate{}, keys: map[keySpec]crypto.Signer{},
	}, nil
}

// PEM is the authority's own certificate, for the trust store of a client.
func (a *Authority) PEM() []byte { return a.pem }

// Leaf returns a certificate, the same one for the same specification.
func (a *Authority) Leaf(spec Leaf) (*tls.Certificate, error) {
	if spec.KeyType == "" {
		spec.KeyType, spec.KeySize = ECDSA, keySizes[ECDSA][0]
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if c := a.leaves[spec]; c != nil {
		return c, nil
	}
	c, err := a.mint(spec)
	if err != nil {
		return nil, fmt.Errorf("make a certificate for %q: %w", spec.Names, err)
	}
	if len(a.leaves) >= maxLeaves {
		clear(a.leaves)
	}
	a.leaves[spec] = c
	return c, nil
}

// keyOf returns the key that all leaves of a kind of key share: RSA keys take
// seconds to make.
func (a *Authority) keyOf(spec keySpec) (crypto.Signer, error) {
	if key := a.keys[spec]; key != nil {
		return key, nil
	}
	var key crypto.Signer
	var err error
	switch spec {
	case keySpec{ECDSA, 384}:
		key, err = ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	case keySpec{ECDSA, 521}:
		key, err = ecdsa.GenerateKey(elliptic.P521(), rand.Reader)
	case keySpec{ECDSA, 256}:
		key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	default:
		key, err = rsa.GenerateKey(rand.Reader, spec.size)
	}
	if err == nil {
		a.keys[spec] = key
	}
	return key, err
}

func (a *Authority) mint(spec Leaf) (*tls.Certificate, error) {
	key, err := a.keyOf(keySpec{spec.KeyType, spec.KeySize})
	if err != nil {
		return nil, err
	}
	template := spec.template()
	issuer, issuerKey, shown := a.root, crypto.Signer(a.key), a.root
	switch spec.Flaw {
	case None:
	case Expired:
		template.NotBefore, template.NotAfter = time.Now().Add(-48*time.Hour), time.Now().Add(-time.Hour)
	case SelfSigned:
		issuer, issuerKey, shown = template, key, nil
		template.SignatureAlgorithm = x509.UnknownSignatureAlgorithm // as the key has it
	case Stranger:
		other, err := NewAuthority("another certificate authority")
		if err != nil {
			return nil, err
		}
		issuer, issuerKey, shown = other.root, other.key, other.root
	case WrongChain:
		if issuer, issuerKey, err = a.intermediate("the intermediate that is missing", leafLife); err != nil {
			return nil, err
		}
		if shown, _, err = a.intermediate("another intermediate", leafLife); err != nil {
			return nil, err
		}
	case ExpiredIssuer:
		if issuer, issuerKey, err = a.intermediate("the authority that has expired", -time.Hour); err != nil {
			return nil, err
		}
		shown = issuer
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

// intermediate makes an authority below the root, which lasts for so long from now on.
func (a *Authority) intermediate(name string, life time.Duration) (*x509.Certificate, crypto.Signer, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(now.UnixNano()), Subject: pkix.Name{CommonName: name},
		NotBefore: now.Add(-48 * time.Hour), NotAfter: now.Add(life),
		IsCA: true, BasicConstraintsValid: true, MaxPathLenZero: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.root, &key.PublicKey, a.key)
	if err != nil {
		return nil, nil, err
	}
	cert, err := x509.ParseCertificate(der)
	return cert, key, err
}

func (spec Leaf) template() *x509.Certificate {
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(now.UnixNano()),
		NotBefore:    now.Add(-time.Hour), NotAfter: now.Add(leafLife),
		KeyUsage:           x509.KeyUsageDigitalSignature,
		ExtKeyUsage:        []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		SignatureAlgorithm: hashes[spec.Hash],
	}
	if spec.KeyType == RSA {
		template.KeyUsage |= x509.KeyUsageKeyEncipherment // for key exchange with RSA
	}
	if !spec.NotBefore.IsZero() {
		template.NotBefore = spec.NotBefore
	}
	if !spec.NotAfter.IsZero() {
		template.NotAfter = spec.NotAfter
	}
	if !template.NotBefore.Before(template.NotAfter) { // of a time that is long past
		template.NotBefore = template.NotAfter.Add(-time.Hour)
	}
	names := strings.Split(spec.Names, ",")
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
