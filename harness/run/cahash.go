package run

import (
	"bytes"
	"crypto/sha1" //nolint:gosec // OpenSSL names files by it; nothing is kept secret
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/binary"
	"encoding/pem"
	"fmt"
	"strings"

	"github.com/proxychaos/proxychaos/harness/kind"
)

// caFolders are where distributions have one file for each authority that they trust, which
// OpenSSL finds by the name of its subject.
var caFolders = []string{"/etc/ssl/certs", "/etc/pki/tls/certs"}

// caLinks have the nodes' authority found in those folders, as by Apache's
// SSLProxyCACertificatePath.
func caLinks(ca []byte) ([]kind.Placed, error) {
	block, _ := pem.Decode(ca)
	if block == nil {
		return nil, fmt.Errorf("the nodes' authority: got %d bytes, want a certificate as PEM", len(ca))
	}
	certificate, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("the nodes' authority: %w", err)
	}
	name, err := subjectHash(certificate)
	if err != nil {
		return nil, fmt.Errorf("the nodes' authority: %w", err)
	}
	var links []kind.Placed
	for _, folder := range caFolders {
		links = append(links, kind.Placed{Path: folder + "/" + name + ".0", Link: kind.CAPath})
	}
	return links, nil
}

// subjectHash is what OpenSSL (1.0 and later) calls a file by that has a certificate: the
// beginning of the SHA-1 of its subject, with texts as UTF-8, in small letters, one blank
// between words (x509_name_canon in crypto/x509/x_name.c).
func subjectHash(certificate *x509.Certificate) (string, error) {
	var subject pkix.RDNSequence
	if _, err := asn1.Unmarshal(certificate.RawSubject, &subject); err != nil {
		return "", err
	}
	var canonical bytes.Buffer
	for _, set := range subject {
		var parts []asn1.RawValue
		for _, attribute := range set {
			text, isText := attribute.Value.(string)
			if !isText {
				return "", fmt.Errorf("the subject has %v, want texts alone", attribute.Value)
			}
			text = strings.ToLower(strings.Join(strings.Fields(text), " "))
			part, err := asn1.Marshal(struct {
				Type  asn1.ObjectIdentifier
				Value string `asn1:"utf8"`
			}{attribute.Type, text})
			if err != nil {
				return "", err
			}
			parts = append(parts, asn1.RawValue{FullBytes: part})
		}
		rdn, err := asn1.MarshalWithParams(parts, "set")
		if err != nil {
			return "", err
		}
		canonical.Write(rdn)
	}
	sum := sha1.Sum(canonical.Bytes()) //nolint:gosec // as above
	return fmt.Sprintf("%08x", binary.LittleEndian.Uint32(sum[:4])), nil
}
