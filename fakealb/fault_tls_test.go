package fakealb_test

import (
	"fmt"
	"os/exec"
	"strings"
	"testing"

	"github.com/proxychaos/proxychaos/fakealb"
)

// faultyName is the name by which the clients in these tests ask.
const faultyName = "shop.example.test"

// tlsFaults are the faults and the words that each client has for them.
var tlsFaults = map[fakealb.FaultKind]struct{ openssl, curl, nginx string }{
	fakealb.FaultTLSAlert:       {"alert handshake failure", "alert handshake failure", "alert handshake failure"},
	fakealb.FaultTLSReset:       {"errno=104", "reset by peer", "reset by peer) while SSL handshaking to upstream"},
	fakealb.FaultTLSWrongName:   {"hostname mismatch", "no alternative certificate subject name matches", `upstream SSL certificate does not match "shop.example.test"`},
	fakealb.FaultTLSExpired:     {"certificate has expired", "certificate has expired", "(10:certificate has expired)"},
	fakealb.FaultTLSSelfSigned:  {"self-signed certificate", "self-signed certificate", "(18:self-signed certificate)"},
	fakealb.FaultTLSWrongChain:  {"unable to get local issuer certificate", "unable to get local issuer certificate", "(21:unable to verify the first certificate)"},
	fakealb.FaultTLSRootExpired: {"certificate has expired", "certificate has expired", "(10:certificate has expired)"},
	fakealb.FaultStranger:       {"self-signed certificate in certificate chain", "self-signed certificate in certificate chain", "(19:self-signed certificate in certificate chain)"},
}

func TestTLSFaultsAsOpenSSLAndCurlSeeThem(t *testing.T) {
	need(t, "openssl", "curl")
	f := start(t, nil, "127.0.80.60")
	ca, at := f.caFile(t), fmt.Sprint(faultyName, ":", f.port)
	sClient := []string{"-servername", faultyName, "-verify_hostname", faultyName, "-verify_return_error"}
	asked := []string{"-sS", "--max-time", "10", "--cacert", ca, "--resolve", at + ":127.0.80.60", "https://" + at + "/"}
	for kind, words := range tlsFaults {
		f.set(t, kind, f.nodes[0])
		if out, err := f.sClient(t, sClient...); err == nil || !strings.Contains(out, words.openssl) {
			t.Errorf("%s: openssl s_client: want %q, got %v\n%s", kind, words.openssl, err, out)
		}
		if out, err := command("curl", asked...); err == nil || !strings.Contains(out, words.curl) {
			t.Errorf("%s: curl: want %q, got %v %s", kind, words.curl, err, out)
		}
	}
	f.set(t, fakealb.FaultTLSNoSNI, f.nodes[0])
	if out, err := f.sClient(t, sClient...); err != nil {
		t.Errorf("tls-no-sni, with SNI: openssl s_client: %v\n%s", err, out)
	}
	if out, err := f.sClient(t, "-noservername", "-verify_hostname", "127.0.80.60", "-verify_return_error"); err == nil || !strings.Contains(out, "hostname mismatch") {
		t.Errorf("tls-no-sni, without SNI: openssl s_client: got %v\n%s", err, out)
	}
	f.set(t, fakealb.FaultTLSHang, f.nodes[0])
	if out, err := command("curl", append(asked, "--max-time", "0.3")...); err == nil || !strings.Contains(out, "curl: (28)") { // a timeout, for which it has several words
		t.Errorf("tls-hang: curl: got %v %s", err, out)
	}
	hangs := exec.CommandContext(t.Context(), "timeout", append([]string{"0.3", "openssl", "s_client", "-connect", f.at(0)}, sClient...)...)
	if out, _ := hangs.CombinedOutput(); hangs.ProcessState.ExitCode() != 124 || strings.Contains(string(out), "BEGIN CERTIFICATE") {
		t.Errorf("tls-hang: openssl s_client: want it to wait, got %v\n%s", hangs.ProcessState, out)
	}
	f.set(t, fakealb.FaultNone, f.nodes[0])
	if out, err := f.sClient(t, sClient...); err != nil {
		t.Errorf("without a fault: openssl s_client: %v\n%s", err, out)
	}
	curl(t, asked...)
}

// verifyingNginx is an nginx that verifies the certificate of the one node, with a
// new connection for each request.
func verifyingNginx(t *testing.T, host string, f *fixture) *nginx {
	t.Helper()
	return startNginx(t, host, `
server {
	listen LISTEN;
	location / {
		proxy_pass https://`+f.at(0)+`;
		proxy_ssl_verify on; proxy_ssl_trusted_certificate `+f.caFile(t)+`;
		proxy_ssl_server_name on; proxy_ssl_name `+faultyName+`;
		proxy_connect_timeout 2s; proxy_next_upstream off;
	}
}`)
}

func TestTLSFaultsAsNginxSeesThem(t *testing.T) {
	f := start(t, nil, "127.0.80.61")
	n := verifyingNginx(t, "127.0.80.62", f)
	status := func() string { return curl(t, "-o", "/dev/null", "-w", "%{http_code}", "http://"+n.at+"/") }
	if got := status(); got != "200" {
		t.Fatalf("without a fault: got %s", got)
	}
	for kind, words := range tlsFaults {
		f.set(t, kind, f.nodes[0])
		before := len(n.errorLog(t))
		if got := status(); got != "502" {
			t.Errorf("%s: got %s, want 502", kind, got)
		}
		eventually(t, fmt.Sprintf("%s in nginx's log for %s", words.nginx, kind), func() bool { return strings.Contains(n.errorLog(t)[before:], words.nginx) })
	}
	f.set(t, fakealb.FaultTLSHang, f.nodes[0])
	if got := status(); got != "504" {
		t.Errorf("tls-hang: got %s, want 504 after the connect timeout", got)
	}
	f.set(t, fakealb.FaultNone, f.nodes[0])
	if got := status(); got != "200" {
		t.Errorf("after the faults: got %s", got)
	}
}

func TestHalfOfTheHandshakesFail(t *testing.T) {
	f := start(t, nil, "127.0.80.63")
	n := verifyingNginx(t, "127.0.80.64", f)
	for kind, requests := range map[fakealb.FaultKind]int{
		fakealb.FaultTLSAlert: 10, fakealb.FaultTLSReset: 10, fakealb.FaultTLSExpired: 10, fakealb.FaultTLSWrongChain: 10,
		fakealb.FaultTLSHang: 4, // each takes the connect timeout
	} {
		_, err := f.PutFaults(f.ctx, fakealb.FaultRequest{Nodes: f.nodes, FaultSetting: fakealb.FaultSetting{Kind: kind, Share: 0.5}})
		if err != nil {
			t.Fatal(err)
		}
		failed := 0
		var got []string
		for range requests {
			status := curl(t, "-o", "/dev/null", "-w", "%{http_code}", "http://"+n.at+"/")
			if got = append(got, status); status != "200" {
				failed++
			}
		}
		if failed != requests/2 {
			t.Errorf("%s with share 0.5: got %v, want half to fail", kind, got)
		}
	}
}

// A session that is resumed shows no certificate; with a fault in force the node
// resumes none.
func TestFaultIsSeenByAClientWithASession(t *testing.T) {
	l := &logBuffer{}
	f := start(t, func(c *fakealb.Config) { c.AccessLog = l }, "127.0.80.65")
	n := verifyingNginx(t, "127.0.80.66", f)
	for range 2 {
		curl(t, "-f", "-o", "/dev/null", "http://"+n.at+"/")
	}
	if got := l.line(t, 1)[19]; got != `"session-reused"` {
		t.Errorf("nginx's second connection: got the certificate %s in the access log, want the session reused", got)
	}
	f.set(t, fakealb.FaultTLSExpired, f.nodes[0])
	if got := curl(t, "-o", "/dev/null", "-w", "%{http_code}", "http://"+n.at+"/"); got != "502" {
		t.Errorf("got %s, want 502", got)
	}
}
