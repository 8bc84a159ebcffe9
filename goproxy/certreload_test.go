package goproxy

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Reloads by SIGHUP, each with new certificates on both sides, while a real
// client sends 10,000 requests on 32 connections: not one fails.
func TestCertificatesChangeUnderLoad(t *testing.T) {
	ca := newCA(t)
	files, pair := ca.issue(t, backendName, nil)
	port, _ := startTLSBackend(t, "127.94.1.10:0", &tls.Config{Certificates: []tls.Certificate{pair}})
	dir := t.TempDir()
	install := func(c Certificate) {
		for name, from := range map[string]string{"cert": c.Cert, "key": c.Key} {
			data, err := os.ReadFile(from)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	install(files)
	path := writeConfig(t, fmt.Sprintf(`
access_log: off
tls: {listen: "127.0.0.1:0", certificates: [{cert: %s/cert, key: %s/key}]}
routes: [{upstream: a}]
upstreams: {a: {url: "https://127.94.1.10:%d", tls: {ca: %s, server_name: %s, cert: %s/cert, key: %s/key}}}
`, dir, dir, port, ca.file, backendName, dir, dir))
	cfg, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	p := startProxy(t, cfg, nil)
	hangup := make(chan os.Signal)
	go reloadOn(t.Context(), hangup, p.Proxy, path, discardLog)
	serial := func() string {
		conn, err := tls.Dial("tcp", p.TLSAddr().String(), &tls.Config{RootCAs: ca.pool(), ServerName: backendName})
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		return conn.ConnectionState().PeerCertificates[0].SerialNumber.String()
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	_, tlsPort, err := net.SplitHostPort(p.TLSAddr().String())
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan string, 1)
	go func() {
		out, err := exec.CommandContext(ctx, "h2load", "--h1", "-n", "10000", "-c", "32", "-t", "1", "https://127.0.0.1:"+tlsPort+"/").CombinedOutput()
		done <- fmt.Sprintf("%s%v", out, err)
	}()
	reloads := 0
	for {
		select {
		case out := <-done:
			m := regexp.MustCompile(`requests: 10000 total, 10000 started, 10000 done, 10000 succeeded`).FindString(out)
			if m == "" || !strings.Contains(out, "status codes: 10000 2xx") {
				t.Errorf("after %d reloads:\n%s", reloads, out)
			}
			if reloads < 1 {
				t.Errorf("%d reloads while the load ran, want some", reloads)
			}
			t.Logf("%d reloads", reloads)
			return
		case <-time.After(50 * time.Millisecond):
		}
		next, _ := ca.issue(t, backendName, func(c *x509.Certificate) { c.DNSNames = append(c.DNSNames, strconv.Itoa(reloads)) })
		install(next)
		before := serial()
		hangup <- syscall.SIGHUP
		eventually(t, 30*time.Second, "new connections get the new certificate", func() bool { return serial() != before })
		reloads++
	}
}
