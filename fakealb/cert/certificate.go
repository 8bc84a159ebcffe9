package cert

import (
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"regexp"
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

// The types of key.
const (
	RSA   = "RSA"
	ECDSA = "ECDSA"
)

// MaxNames is the most that AWS's certificate manager puts into a certificate.
const MaxNames = 100

// keySizes are the bits that a key may have; the first is the default.
var keySizes = map[string][]int{RSA: {2048, 3072, 4096}, ECDSA: {256, 384, 521}}

var hashes = map[string]x509.SignatureAlgorithm{
	"SHA256": x509.ECDSAWithSHA256, "SHA384": x509.ECDSAWithSHA384, "SHA512": x509.ECDSAWithSHA512,
}

// Check returns c with its defaults filled in, or the field that is wrong, and why.
func (c Certificate) Check() (checked Certificate, field string, err error) {
	if c.KeyType == "" {
		c.KeyType = RSA
	}
	sizes := keySizes[c.KeyType]
	if c.KeySize == 0 && len(sizes) > 0 {
		c.KeySize = sizes[0]
	}
	if c.Hash == "" {
		c.Hash = "SHA256"
	}
	switch {
	case len(c.Names) == 0 || len(c.Names) > MaxNames:
		return c, "names", fmt.Errorf("got %d names, want 1 to %d", len(c.Names), MaxNames)
	case slices.ContainsFunc(c.Names, func(n string) bool { return !IsName(n) }):
		return c, "names", fmt.Errorf("got %q, want host names, the first label of which may be *", c.Names)
	case sizes == nil:
		return c, "key_type", fmt.Errorf("got %q, want %s or %s", c.KeyType, RSA, ECDSA)
	case !slices.Contains(sizes, c.KeySize):
		return c, "key_size", fmt.Errorf("got %d bits, want one of %d for %s", c.KeySize, sizes, c.KeyType)
	case hashes[c.Hash] == 0:
		return c, "hash", fmt.Errorf("got %q, want SHA256, SHA384 or SHA512", c.Hash)
	case !c.NotAfter.IsZero() && !c.NotAfter.After(c.NotBefore):
		return c, "not_after", fmt.Errorf("got %s, want a time after not_before (%s)", c.NotAfter, c.NotBefore)
	}
	return c, "", nil
}

var hostName = regexp.MustCompile(`^(\*\.)?([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)*[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$`)

// IsName reports whether a certificate can be for a name: a host name, the first label
// of which may be *.
func IsName(name string) bool {
	return len(name) <= 253 && hostName.MatchString(name)
}

// Leaf is what the authority is asked for.
func (c Certificate) Leaf() Leaf {
	return Leaf{
		Names: strings.ToLower(strings.Join(c.Names, ",")), KeyType: c.KeyType, KeySize: c.KeySize, Hash: c.Hash,
		NotBefore: c.NotBefore.UTC(), NotAfter: c.NotAfter.UTC(),
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
		if c.KeyType == ECDSA {
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

// Best is the certificate of a list, which is not empty, for a client that asks for a
// name, in lower case, or for none: the best one for the name that the client can use,
// or else the first of the list (2.3.3 D).
func (a *Authority) Best(list []Certificate, asked string, hello *tls.ClientHelloInfo) (Leaf, error) {
	matches := slices.DeleteFunc(slices.Clone(list), func(c Certificate) bool { return !c.covers(asked) })
	if len(matches) == 0 {
		return list[0].Leaf(), nil
	}
	now := time.Now()
	slices.SortStableFunc(matches, func(a, b Certificate) int { return better(a, b, asked, now) })
	for _, c := range matches {
		leaf, err := a.Leaf(c.Leaf())
		if err != nil {
			return Leaf{}, err
		}
		if hello.SupportsCertificate(leaf) == nil {
			return c.Leaf(), nil
		}
	}
	return matches[0].Leaf(), nil
}
