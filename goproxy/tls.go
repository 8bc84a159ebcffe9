package goproxy

import (
	"crypto/tls"
	"fmt"
)

// client builds the TLS settings for an upstream, of the files that it returns.
// ServerName is left to the member unless the config names one.
func (t UpstreamTLS) client() (*tls.Config, pemFiles, error) {
	cfg := &tls.Config{
		MinVersion:         tls.VersionTLS12,
		ServerName:         t.ServerName,
		InsecureSkipVerify: t.InsecureSkipVerify, //nolint:gosec // only where the config says so
	}
	files := pemFiles{}
	var err error
	if cfg.RootCAs, err = files.authorities("tls.ca", t.CA); err != nil {
		return nil, nil, err
	}
	if t.Cert != "" {
		pair, err := files.pair("tls.cert", t.Cert, t.Key)
		if err != nil {
			return nil, nil, err
		}
		cfg.Certificates = []tls.Certificate{pair}
	}
	return cfg, files, nil
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
	files := pemFiles{} // read anew by each reload
	for i, c := range t.Certificates {
		pair, err := files.pair(fmt.Sprintf("tls.certificates.%d", i), c.Cert, c.Key)
		if err != nil {
			return nil, err
		}
		cfg.Certificates = append(cfg.Certificates, pair)
	}
	var err error
	if cfg.ClientCAs, err = files.authorities("tls.client_ca", t.ClientCA); err != nil {
		return nil, err
	}
	if cfg.ClientCAs != nil {
		cfg.ClientAuth = tls.RequireAndVerifyClientCert
	}
	return cfg, nil
}
