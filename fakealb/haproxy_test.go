package fakealb_test

import (
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/proxychaos/proxychaos/fakealb"
)

// haproxy is a real one.
type haproxy struct {
	at  string // address and port on which it listens
	log *logBuffer
}

// startHAProxy runs HAProxy with a backend of the servers given, a line each, on an
// address that is free on the host.
func startHAProxy(t *testing.T, host string, servers ...string) *haproxy {
	t.Helper()
	need(t, "haproxy")
	addr := netip.MustParseAddr(host)
	h := &haproxy{at: netip.AddrPortFrom(addr, freePort(t, addr)).String(), log: &logBuffer{}}
	conf := `
global
	log stdout format raw local0
	maxconn 200
defaults
	mode http
	log global
	option httplog
	timeout connect 2s
	timeout client 10s
	timeout server 10s
	retries 1
	option redispatch 1
frontend front
	bind ` + h.at + `
	default_backend nodes
backend nodes
	balance roundrobin
	` + strings.Join(servers, "\n	") + "\n"
	file := filepath.Join(t.TempDir(), "haproxy.cfg")
	if err := os.WriteFile(file, []byte(conf), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("haproxy", "-db", "-f", file)
	cmd.Stdout, cmd.Stderr = h.log, h.log
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("haproxy's log:\n%s", h.log)
		}
	})
	runProxy(t, h.at, cmd)
	return h
}

func TestHAProxyInFrontOfNodes(t *testing.T) {
	f := start(t, nil, "127.0.80.50", "127.0.80.51")
	const name = "haproxy.example.test"
	secure := " ssl verify required ca-file " + f.caFile(t) + " sni str(" + name + ") verifyhost " + name
	for _, c := range []struct{ options, proto string }{
		{"", "HTTP/1.1"}, {secure, "HTTP/1.1"}, {secure + " alpn h2", "HTTP/2.0"},
	} {
		if _, err := f.Reset(f.ctx); err != nil {
			t.Fatal(err)
		}
		h := startHAProxy(t, "127.0.80.52", "server a "+f.at(0)+c.options, "server b "+f.at(1)+c.options)
		for range 4 {
			if got := curl(t, "--data", strings.Repeat("x", 100_000), "http://"+h.at+"/"); !strings.Contains(got, "received=100000") {
				t.Errorf("got %q", got)
			}
		}
		nodes := map[netip.Addr]int{}
		for _, a := range f.finished(t, 4) {
			nodes[a.Node]++
			if a.Proto != c.proto || a.TLS != (c.options != "") || a.TLS && a.SNI != name {
				t.Errorf("%q: the node saw %+v", c.options, a)
			}
		}
		if nodes[f.nodes[0]] != 2 || nodes[f.nodes[1]] != 2 {
			t.Errorf("%q: requests by node: %v, want 2 each", c.options, nodes)
		}
	}
}

func TestHAProxyTurnsToTheOtherNode(t *testing.T) {
	f := start(t, nil, "127.0.80.53", "127.0.80.54")
	secure := " ssl verify required ca-file " + f.caFile(t) + " sni str(x.test) verifyhost x.test"
	h := startHAProxy(t, "127.0.80.55", "server a "+f.at(0)+secure, "server b "+f.at(1)+secure)
	for _, kind := range []fakealb.FaultKind{fakealb.FaultTLSExpired, fakealb.FaultTLSAlert, fakealb.FaultTLSReset, fakealb.FaultRefuse} {
		f.set(t, kind, f.nodes[0])
		for range 2 { // one of which begins with the faulty node
			if got := curl(t, "http://"+h.at+"/"); !strings.Contains(got, "node=127.0.80.54") {
				t.Errorf("%s: got %q, want the other node's answer", kind, got)
			}
		}
		f.set(t, kind, f.nodes...)
		begin := time.Now()
		if got := curl(t, "-o", "/dev/null", "-w", "%{http_code}", "http://"+h.at+"/"); got != "503" {
			t.Errorf("%s on both: got %s after %s, want 503", kind, got, time.Since(begin))
		}
		f.set(t, fakealb.FaultNone, f.nodes...)
	}
}
