package goproxy

import (
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// 100,000 requests, most on kept connections and every fiftieth on one that is
// closed after it, while each reload by SIGHUP brings new certificates on both
// sides: not one request and not one handshake fails, and each handshake gets a
// certificate that was in force while it ran. Every fifth request goes to an
// upstream that asks the proxy for its certificate.
func TestCertificatesChangeUnderLoad(t *testing.T) {
	ca := newCA(t)
	dir := t.TempDir()
	install := func() tls.Certificate {
		files, pair := ca.issue(t, backendName, nil)
		for name, from := range map[string]string{"cert": files.Cert, "key": files.Key} {
			if err := os.Rename(from, filepath.Join(dir, name)); err != nil {
				t.Fatal(err)
			}
		}
		return pair
	}
	first := install()
	port, _ := startTLSBackend(t, "127.94.1.10:0", &tls.Config{Certificates: []tls.Certificate{first}, ClientAuth: tls.RequireAnyClientCert})
	plain, plainPort := startBackends(t, 1)
	plain[0].handle(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "no TLS") })
	path := writeConfig(t, fmt.Sprintf(`
tls: {listen: "127.0.0.1:0", certificates: [{cert: %s/cert, key: %s/key}]}
routes: [{upstream: plain}, {path: /tls, upstream: secure}]
upstreams:
  plain: {url: "http://127.94.1.10:%d", %s}
  secure: {url: "https://127.94.1.10:%d", tls: {ca: %s, server_name: %s, cert: %s/cert, key: %s/key}, %s}
`, dir, dir, plainPort, patient, port, ca.file, backendName, dir, dir, patient))
	cfg, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	p := startProxy(t, cfg, nil)
	hangup := make(chan os.Signal)
	file := &rereader{path: path, log: discardLog}
	go file.actOn(t.Context(), hangup, p.Proxy)

	var asked, inForce atomic.Int64 // serial numbers
	asked.Store(first.Leaf.SerialNumber.Int64())
	inForce.Store(asked.Load())
	n := fleetSize()
	f := startFleet(t, n, func(c *fleetClient, number int64) error {
		oldest, anew := inForce.Load(), c.conn == nil
		if err := c.dial(p.TLSAddr().String(), &tls.Config{RootCAs: ca.pool(), ServerName: backendName}); err != nil {
			return fmt.Errorf("handshake: %w", err)
		}
		if got := c.serial(); anew && (got < oldest || got > asked.Load()) {
			return fmt.Errorf("a handshake got certificate %d while %d to %d were in force", got, oldest, asked.Load())
		}
		var header []string
		if number%50 == 0 {
			header = append(header, "Connection: close")
		}
		path, want := "/", "no TLS"
		if number%5 == 0 {
			path, want = "/tls", "1 client certificates"
		}
		resp, err := c.roundTrip(number, path, header...)
		if err == nil && resp.body != want {
			err = fmt.Errorf("%s answered %q, want %q", path, resp.body, want)
		}
		return err
	})
	reloads := 0
	for f.running(n / 50) {
		next := install().Leaf.SerialNumber.Int64()
		was := p.table.Load()
		asked.Store(next)
		hangup <- syscall.SIGHUP
		eventually(t, time.Minute, "the reload", func() bool { return p.table.Load() != was })
		inForce.Store(next)
		requireFirstTries(t, p)
		reloads++
	}
	f.requireNoFailure(n)
	t.Logf("%d reloads", reloads)
	if reloads < 10 {
		t.Errorf("%d reloads while the load ran, want many", reloads)
	}
}
