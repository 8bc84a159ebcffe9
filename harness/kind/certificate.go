package kind

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	_ "embed"
	"encoding/pem"
	"math/big"
	"path"
	"slices"
	"strings"
	"sync"
	"time"
)

// CAPath is where a configuration finds the authority of the nodes' certificates, as PEM.
const CAPath = "/etc/proxychaos/ca.pem"

// dhParameters are the group ffdhe2048 of RFC 7919, for configurations that name a file
// of their own.
//
//go:embed files/shipped/tls/ffdhe2048.pem
var dhParameters []byte

// ticketKey is a key for session tickets.
var ticketKey = make([]byte, 80)

// credentials are a certificate and its key, as PEM in one text, made once for all: the keys
// of a production machine have no business in a test, and the load takes any certificate.
// Who reads one of the two passes over the other.
var credentials = sync.OnceValue(func() []byte {
	certificate, key := pairFor("localhost", "*.example.com")
	return slices.Concat(certificate, key)
})

// pairFor makes a certificate for names, and its key. What is not written in ASCII can be in no
// certificate, and is left out.
func pairFor(names ...string) (certificate, key []byte) {
	names = slices.DeleteFunc(slices.Clone(names), func(name string) bool {
		return strings.ContainsFunc(name, func(r rune) bool { return r <= ' ' || r > '~' })
	})
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err) // the machine has no randomness
	}
	template := x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "proxychaos"}, DNSNames: names,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().AddDate(10, 0, 0),
		BasicConstraintsValid: true, IsCA: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, &template, &template, private.Public(), private)
	if err != nil {
		panic(err) // the template is the program's own
	}
	private8, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		panic(err) // as above
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private8})
}

// pair makes a file with a certificate and its key, if nobody gave it.
func (l *Layout) pair(where string) { l.spare(where, credentials()) }

// couple has a certificate fit its key: if only one of them is the user's own, such as the
// certificate in a repository that keys are kept out of, both are made.
func (l *Layout) couple(certificate, key string) {
	certificate, key = l.target(certificate), l.target(key)
	var own, made *Placed
	for i := range l.Files {
		switch p := &l.Files[i]; {
		case p.Path != certificate && p.Path != key:
		case p.Spare:
			made = p
		case p.Own != "":
			own = p
		}
	}
	if own != nil && made != nil && own.Path != made.Path {
		own.Content, own.Instead = made.Content, path.Base(made.Path)+" is not there"
	}
}

// authority makes the file of the authorities that the proxy trusts behind it: it has
// the nodes' own.
func (l *Layout) authority(where string) {
	if where = l.target(where); l.wanted(where) && where != CAPath {
		l.Files = append(l.Files, spareLink(where, CAPath))
	}
}

func (l *Layout) spare(where string, content []byte) {
	if where = l.target(where); l.wanted(where) {
		l.Files = append(l.Files, Placed{Path: where, Content: content, Spare: true})
	}
}

// wanted says whether a path is one of the container that nothing is put at yet.
func (l *Layout) wanted(where string) bool {
	return path.IsAbs(where) && !strings.ContainsAny(where, "$%{") &&
		!slices.ContainsFunc(l.Files, func(p Placed) bool { return p.Path == where })
}

// target is where a path leads if it is, or lies below, a link that is put in place.
func (l *Layout) target(where string) string {
	where = path.Clean(where)
	for _, p := range l.Files {
		below, is := strings.CutPrefix(where+"/", p.Path+"/")
		if !is || p.Link == "" {
			continue
		}
		to := p.Link
		if !path.IsAbs(to) {
			to = path.Join(path.Dir(p.Path), to)
		}
		return path.Join(to, below)
	}
	return where
}
