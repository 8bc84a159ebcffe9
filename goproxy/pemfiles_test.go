package goproxy

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A file that is read while it is written is not used for what is there of it, wherever
// it ends: a chain would lack certificates without which clients do not verify it, and
// those whose authority is missing would be locked out.
func TestHalfWrittenFilesAreRefused(t *testing.T) {
	ca, second := newCA(t), newCA(t)
	pair, _ := ca.issue(t, backendName, nil)
	read := func(name string) []byte {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	one, two := read(pair.Cert), read(second.file)
	whole := append(bytes.Clone(one), two...)
	chain := Certificate{Cert: filepath.Join(t.TempDir(), "chain.pem"), Key: pair.Key}
	listen := &ListenTLS{Listen: "127.0.0.1:0", Certificates: []Certificate{chain}, ClientCA: filepath.Join(t.TempDir(), "clients.pem")}
	upstream := UpstreamTLS{CA: filepath.Join(t.TempDir(), "ca.pem")}
	write := func(name string, data []byte) {
		if err := os.WriteFile(name, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	all := func(data []byte) {
		write(chain.Cert, data)
		write(listen.ClientCA, data)
		write(upstream.CA, data)
	}
	all(whole)
	cfg := Config{
		TLS: listen, Routes: []Route{{Upstream: "app"}},
		Upstreams: map[string]Upstream{"app": {URL: "https://127.0.0.1:1", TLS: upstream}},
	}
	p := startProxy(t, cfg, nil)
	for name, half := range map[string][]byte{
		"within the first":          one[:len(one)/2],
		"within the second":         whole[:len(one)+len(two)/2],
		"before the last line":      whole[:len(whole)-len("-----END CERTIFICATE-----\n")],
		"within the last line":      whole[:len(whole)-len("CERTIFICATE-----\n")],
		"behind a first line":       append(bytes.Clone(one), "-----BEGIN CERTIFICATE-----\n"...),
		"with a hole in the middle": append(bytes.Clone(one[:len(one)/2]), two...),
	} {
		for _, file := range []string{chain.Cert, listen.ClientCA, upstream.CA} {
			all(whole)
			write(file, half)
			was := p.table.Load()
			if err := p.Reload(cfg); err == nil || !strings.Contains(err.Error(), file) || p.table.Load() != was {
				t.Errorf("%s, %s: %v", name, filepath.Base(file), err)
			}
		}
	}
	for name, good := range map[string][]byte{
		"whole":               whole,
		"one":                 one,
		"with text around":    []byte("subject=a\n" + string(one) + "\nissuer=b\n" + string(two) + "\nthe end\n"),
		"without a last line": bytes.TrimSuffix(whole, []byte("\n")),
		"with CR LF":          bytes.ReplaceAll(whole, []byte("\n"), []byte("\r\n")),
	} {
		all(good)
		if err := p.Reload(cfg); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
