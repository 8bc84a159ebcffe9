package goproxy

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
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
	return data, nil
}

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
	pem, err := f.read(key, name)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("%s: %s holds no PEM certificate", key, name)
	}
	return pool, nil
}
