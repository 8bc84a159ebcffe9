package fakealb

import (
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"
)

// Certificate is a certificate of an HTTPS listener. The server's own authority
// issues it; certificates with the same kind of key share one key.
type Certificate struct {
	// Names are 1 to 100 host names, the first label of which may be *. The first
	// is also the common name.
	Names []string `json:"names"`
	// KeyType is RSA (default) or ECDSA. An ALB takes no Ed25519 (2.3.2 D).
	KeyType string `json:"key_type,omitempty"`
	// KeySize in bits is 2048 (default), 3072 or 4096 for RSA, 256 (default), 384
	// or 521 for ECDSA.
	KeySize int `json:"key_size,omitempty"`
	// Hash of the signature is SHA256 (default), SHA384 or SHA512.
	Hash string `json:"hash,omitempty"`
	// NotBefore and NotAfter are one hour ago and in 29 days by default.
	NotBefore time.Time `json:"not_before,omitzero"`
	NotAfter  time.Time `json:"not_after,omitzero"`
}

const (
	keyRSA   = "RSA"
	keyECDSA = "ECDSA"
)

// maxNames is the most that AWS's certificate manager puts into a certificate.
const maxNames = 100

// keySizes are the bits that a key may have; the first is the default.
var keySizes = map[string][]int{keyRSA: {2048, 3072, 4096}, keyECDSA: {256, 384, 521}}

var hashes = map[string]x509.SignatureAlgorithm{
	"SHA256": x509.ECDSAWithSHA256, "SHA384": x509.ECDSAWithSHA384, "SHA512": x509.ECDSAWithSHA512,
}

// check returns c with its defaults filled in, or the field that is wrong.
func (c Certificate) check(field string) (Certificate, error) {
	if c.KeyType == "" {
		c.KeyType = keyRSA
	}
	sizes := keySizes[c.KeyType]
	if c.KeySize == 0 && len(sizes) > 0 {
		c.KeySize = sizes[0]
	}
	if c.Hash == "" {
		c.Hash = "SHA256"
	}
	switch {
	case len(c.Names) == 0 || len(c.Names) > maxNames:
		return c, badField(field+".names", "got %d names, want 1 to %d", len(c.Names), maxNames)
	case slices.ContainsFunc(c.Names, func(n string) bool { return !isCertificateName(n) }):
		return c, badField(field+".names", "got %q, want host names, the first label of which may be *", c.Names)
	case sizes == nil:
		return c, badField(field+".key_type", "got %q, want %s or %s", c.KeyType, keyRSA, keyECDSA)
	case !slices.Contains(sizes, c.KeySize):
		return c, badField(field+".key_size", "got %d bits, want one of %d for %s", c.KeySize, sizes, c.KeyType)
	case hashes[c.Hash] == 0:
		return c, badField(field+".hash", "got %q, want SHA256, SHA384 or SHA512", c.Hash)
	case !c.NotAfter.IsZero() && !c.NotAfter.After(c.NotBefore):
		return c, badField(field+".not_after", "got %s, want a time after not_before (%s)", c.NotAfter, c.NotBefore)
	}
	return c, nil
}

func isCertificateName(name string) bool {
	return len(name) <= 253 && certificateName.MatchString(name)
}

// leaf is what the authority is asked for.
func (c Certificate) leaf() leafSpec {
	return leafSpec{
		names: strings.ToLower(strings.Join(c.Names, ",")), keyType: c.KeyType, keySize: c.KeySize, hash: c.Hash,
		notBefore: c.NotBefore.UTC(), notAfter: c.NotAfter.UTC(),
	}
}

// covers reports whether the certificate is for a host name, in lower case; a
// wildcard stands for one label.
func (c Certificate) covers(host string) bool {
	_, parent, _ := strings.Cut(host, ".")
	return slices.ContainsFunc(c.Names, func(n string) bool {
		return strings.EqualFold(n, host) || strings.EqualFold(n, "*."+parent)
	})
}

// spells reports whether one of the certificate's names is host itself.
func (c Certificate) spells(host string) bool {
	return slices.ContainsFunc(c.Names, func(n string) bool { return strings.EqualFold(n, host) })
}

// better compares two certificates for the same host at a time, the better one
// first: key type, expiry, hash, key length, validity (2.3.3 D). That an exact name
// comes before a wildcard where all of that is equal is a guess (G).
func better(a, b Certificate, host string, now time.Time) int {
	rank := func(c Certificate) []int {
		r := make([]int, 3)
		if c.KeyType == keyECDSA {
			r[0] = 1
		}
		if c.NotAfter.IsZero() || c.NotAfter.After(now) {
			r[1] = 1
		}
		r[2] = int(hashes[c.Hash])
		return append(r, c.KeySize)
	}
	last := func(c Certificate) time.Time {
		if c.NotAfter.IsZero() {
			return now.Add(leafLife)
		}
		return c.NotAfter
	}
	exact := func(c Certificate) int {
		if c.spells(host) {
			return 1
		}
		return 0
	}
	return cmp.Or(slices.Compare(rank(b), rank(a)), last(b).Compare(last(a)), cmp.Compare(exact(b), exact(a)))
}

// certificateFor is the certificate that a client gets that asks for a name, or for
// none: the best one for the name that it can use, or else the default one (2.3.3 D).
func (s *Server) certificateFor(lb LoadBalancer, l Listener, hello *tls.ClientHelloInfo, node netip.Addr) (leafSpec, error) {
	asked := strings.ToLower(strings.TrimSuffix(hello.ServerName, "."))
	list := l.Certificates
	if len(list) == 0 {
		list = lb.shortCertificates()
	}
	if len(list) == 0 {
		if asked == "" {
			return s.defaultLeaf(node.String()), nil
		}
		return leafSpec{names: asked}, nil
	}
	matches := slices.DeleteFunc(slices.Clone(list), func(c Certificate) bool { return !c.covers(asked) })
	if len(matches) == 0 {
		return list[0].leaf(), nil
	}
	now := time.Now()
	slices.SortStableFunc(matches, func(a, b Certificate) int { return better(a, b, asked, now) })
	for _, c := range matches {
		leaf, err := s.leaf(c.leaf())
		if err != nil {
			return leafSpec{}, err
		}
		if hello.SupportsCertificate(leaf) == nil {
			return c.leaf(), nil
		}
	}
	return matches[0].leaf(), nil
}

// shortCertificates are those of LoadBalancer.Certificates.
func (lb LoadBalancer) shortCertificates() []Certificate {
	var list []Certificate
	for _, name := range lb.Certificates {
		list = append(list, Certificate{Names: []string{name}, KeyType: keyECDSA, KeySize: 256, Hash: "SHA256"})
	}
	return list
}

// prepare makes the certificates of a load balancer, so that no client waits for
// the making of its key.
func (s *Server) prepare(lb LoadBalancer) error {
	for i, l := range lb.Listeners {
		for j, c := range l.Certificates {
			if _, err := s.leaf(c.leaf()); err != nil {
				return fmt.Errorf("listeners[%d].certificates[%d]: %w", i, j, err)
			}
		}
	}
	return nil
}
