package goproxy

import (
	"bytes"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os"
)

// pemFiles are files that were read, by name, with the hash of what was in them.
type pemFiles map[string][sha256.Size]byte

func (f pemFiles) read(key, name string) ([]byte, error) {
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", key, err)
	}
	f[name] = sha256.Sum256(data)
	if err := checkPEM(data); err != nil {
		return nil, fmt.Errorf("%s: %s: %w", key, name, err)
	}
	return data, nil
}

// checkPEM refuses what package tls would take without a word: a file that is read while
// it is written may end within a chain, or within its authorities. What is there of the
// last one would be left out.
func checkPEM(data []byte) error {
	for part := 1; ; part++ {
		block, rest := pem.Decode(data)
		begins := bytes.Count(data[:len(data)-len(rest)], pemBegin)
		switch {
		case begins > 1 || block == nil && bytes.Contains(data, pemBegin):
			return fmt.Errorf("its part %d has no end, or cannot be read: it may be half written", part)
		case block == nil:
			return nil
		}
		data = rest
	}
}

var pemBegin = []byte("-----BEGIN ")

// unchanged reports whether the same is in them now.
func (f pemFiles) unchanged() bool {
	for name, was := range f {
		if data, err := os.ReadFile(name); err != nil || sha256.Sum256(data) != was {
			return false
		}
	}
	return true
}

// pair reads a certificate and its key.
func (f pemFiles) pair(key, certFile, keyFile string) (tls.Certificate, error) {
	cert, err := f.read(key, certFile)
	if err != nil {
		return tls.Certificate{}, err
	}
	private, err := f.read(key, keyFile)
	if err != nil {
		return tls.Certificate{}, err
	}
	pair, err := tls.X509KeyPair(cert, private)
	if err != nil {
		return pair, fmt.Errorf("%s: %w", key, err)
	}
	return pair, nil
}

// authorities reads certificates to trust; nil without a file.
func (f pemFiles) authorities(key, name string) (*x509.CertPool, error) {
	if name == "" {
		return nil, nil
	}
	data, err := f.read(key, name)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(data) {
		return nil, fmt.Errorf("%s: %s holds no PEM certificate", key, name)
	}
	return pool, nil
}
