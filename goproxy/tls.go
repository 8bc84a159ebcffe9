package goproxy

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
)

// client builds the TLS settings for an upstream. ServerName is left to the
// member unless the config names one.
func (t UpstreamTLS) client() (*tls.Config, error) {
	cfg := &tls.Config{
		MinVersion:         tls.VersionTLS12,
		ServerName:         t.ServerName,
		InsecureSkipVerify: t.InsecureSkipVerify, //nolint:gosec // only where the config says so
	}
	var err error
	if cfg.RootCAs, err = authorities("tls.ca", t.CA); err != nil {
		return nil, err
	}
	if t.Cert != "" {
		pair, err := tls.LoadX509KeyPair(t.Cert, t.Key)
		if err != nil {
			return nil, fmt.Errorf("tls.cert: %w", err)
		}
		cfg.Certificates = []tls.Certificate{pair}
	}
	return cfg, nil
}

func (t *ListenTLS) address() string {
	if t.Listen == "" {
		return ":8443"
	}
	return t.Listen
}

// server builds the TLS settings for clients.
func (t *ListenTLS) server() (*tls.Config, error) {
	cfg := &tls.Config{MinVersion: tls.VersionTLS12, NextProtos: []string{"h2", "http/1.1"}}
	for i, c := range t.Certificates {
		pair, err := tls.LoadX509KeyPair(c.Cert, c.Key)
		if err != nil {
			return nil, fmt.Errorf("tls.certificates.%d: %w", i, err)
		}
		cfg.Certificates = append(cfg.Certificates, pair)
	}
	var err error
	if cfg.ClientCAs, err = authorities("tls.client_ca", t.ClientCA); err != nil {
		return nil, err
	}
	if cfg.ClientCAs != nil {
		cfg.ClientAuth = tls.RequireAndVerifyClientCert
	}
	return cfg, nil
}

// authorities reads a PEM file; nil without one.
func authorities(key, file string) (*x509.CertPool, error) {
	if file == "" {
		return nil, nil
	}
	pem, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", key, err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("%s: %s holds no PEM certificate", key, file)
	}
	return pool, nil
}
