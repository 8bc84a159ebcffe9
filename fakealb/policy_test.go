package fakealb_test

import (
	"crypto/tls"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/proxychaos/proxychaos/fakealb"
	"github.com/proxychaos/proxychaos/fakealb/cert"
	"github.com/proxychaos/proxychaos/fakealb/targets"
)

// The protocols and ciphers by policy, as openssl s_client finds them. Security
// level 0 lets it offer TLS 1.0 and 1.1.
func TestSecurityPolicies(t *testing.T) {
	t.Attr("aws-fact", "2.3.1")
	rsa := []cert.Certificate{{Names: []string{"policy.test"}}}
	f := secured(t, "127.0.80.10", fakealb.Listener{Certificates: rsa})
	versions := []string{"-tls1", "-tls1_1", "-tls1_2", "-tls1_3"}
	ciphers := []string{"ECDHE-RSA-AES256-GCM-SHA384", "ECDHE-RSA-AES128-SHA256", "AES128-GCM-SHA256", "ECDHE-RSA-AES128-SHA", "AES128-SHA"}
	for policy, want := range map[string][2]string{ // of versions and ciphers: + taken, - refused
		"":                                              {"+++-", "+++++"}, // ELBSecurityPolicy-2016-08
		"ELBSecurityPolicy-TLS-1-1-2017-01":             {"-++-", "+++++"},
		"ELBSecurityPolicy-TLS-1-2-2017-01":             {"--+-", "+++--"},
		"ELBSecurityPolicy-TLS-1-2-Ext-2018-06":         {"--+-", "+++++"},
		"ELBSecurityPolicy-TLS13-1-3-2021-06":           {"---+", "-----"},
		"ELBSecurityPolicy-TLS13-1-2-2021-06":           {"--++", "++---"},
		"ELBSecurityPolicy-TLS13-1-2-Res-2021-06":       {"--++", "+----"},
		"ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09":    {"--++", "+----"},
		"ELBSecurityPolicy-TLS13-1-2-Ext1-2021-06":      {"--++", "+++--"},
		"ELBSecurityPolicy-TLS13-1-2-Ext2-2021-06":      {"--++", "+++++"},
		"ELBSecurityPolicy-TLS13-1-1-2021-06":           {"-+++", "+++++"},
		"ELBSecurityPolicy-TLS13-1-0-PQ-2025-09":        {"++++", "+++++"},
		"ELBSecurityPolicy-TLS13-1-2-Ext0-FIPS-2023-04": {"--++", "++-+-"},
	} {
		f.listen(t, fakealb.Listener{Certificates: rsa, SSLPolicy: policy})
		taken := func(args ...string) string {
			out, err := f.sClient(t, append(args, "-servername", "policy.test")...)
			if err == nil {
				return "+"
			}
			if !strings.Contains(out, "alert") {
				t.Errorf("%s %v: want an alert, got\n%s", policy, args, out)
			}
			return "-"
		}
		var got [2]string
		for _, v := range versions {
			got[0] += taken(v, "-cipher", "ALL@SECLEVEL=0")
		}
		for _, c := range ciphers {
			got[1] += taken("-tls1_2", "-cipher", c+"@SECLEVEL=0")
		}
		if got != want {
			t.Errorf("%q: got %v, want %v", policy, got, want)
		}
	}
	_, err := f.PutLoadBalancer(f.ctx, fakealb.LoadBalancer{Name: "blue", Listeners: []fakealb.Listener{{
		Port: f.port, Protocol: fakealb.ProtocolHTTPS, SSLPolicy: "ELBSecurityPolicy-TLS13-1-1-PQ-2025-09", // the one that does not exist
	}}})
	if e := apiErr(t, err); e.Field != "listeners[0].ssl_policy" || !strings.Contains(e.Message, "ELBSecurityPolicy-TLS13-1-2-2021-06") {
		t.Errorf("an unknown policy: got %v", err)
	}
}

func TestNodePrefersItsOwnCipher(t *testing.T) {
	t.Attr("aws-fact", "2.3.2")
	f := secured(t, "127.0.80.11", fakealb.Listener{})
	out, err := f.sClient(t, "-tls1_2", "-cipher", "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-ECDSA-AES128-GCM-SHA256")
	if err != nil || !strings.Contains(out, "Cipher is ECDHE-ECDSA-AES128-GCM-SHA256") {
		t.Errorf("want the node's first cipher, AES-128, got %v\n%s", err, out)
	}
}

// Neither early data nor renegotiation with clients is offered.
func TestNoEarlyDataAndNoRenegotiation(t *testing.T) {
	t.Attr("aws-fact", "2.3.2")
	f := secured(t, "127.0.80.12", fakealb.Listener{SSLPolicy: "ELBSecurityPolicy-TLS13-1-2-2021-06"})
	cmd := exec.Command("openssl", "s_client", "-connect", f.at(0), "-tls1_3", "-ign_eof")
	cmd.Stdin = strings.NewReader("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "Max Early Data: 0") {
		t.Errorf("TLS 1.3: want tickets without early data, got %v\n%s", err, out)
	}
	cmd = exec.Command("openssl", "s_client", "-connect", f.at(0), "-tls1_2")
	cmd.Stdin = strings.NewReader("R\n") // asks for a renegotiation
	if out, err := cmd.CombinedOutput(); err == nil || !strings.Contains(string(out), "RENEGOTIATING\n") || !strings.Contains(string(out), "alert unexpected message") {
		t.Errorf("a renegotiation: got %v\n%s", err, out)
	}
}

func TestSessionsAreResumedByTheSameNodeOnly(t *testing.T) {
	t.Attr("aws-fact", "1.18")
	t.Attr("aws-fact", "2.3.2")
	need(t, "openssl")
	f := start(t, nil, "127.0.80.13", "127.0.80.14")
	for _, version := range []string{"-tls1_2", "-tls1_3"} {
		session := filepath.Join(t.TempDir(), "session.pem")
		ask := func(node int, args ...string) string {
			cmd := exec.Command("openssl", append([]string{"s_client", "-connect", f.at(node), "-servername", "resume.test", version, "-ign_eof"}, args...)...)
			cmd.Stdin = strings.NewReader("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n") // TLS 1.3 sends its tickets after the handshake
			out, err := cmd.CombinedOutput()
			if err != nil {
				t.Fatalf("openssl s_client: %v\n%s", err, out)
			}
			switch {
			case strings.Contains(string(out), "---\nNew, "):
				return "new"
			case strings.Contains(string(out), "---\nReused, "):
				return "reused"
			}
			return string(out)
		}
		if got := ask(0, "-sess_out", session); got != "new" {
			t.Fatalf("%s: the first handshake: %s", version, got)
		}
		if _, err := os.Stat(session); err != nil {
			t.Fatalf("%s: no session was kept: %v", version, err)
		}
		if got := ask(0, "-sess_in", session); got != "reused" {
			t.Errorf("%s: the same node: got %s, want the session reused", version, got)
		}
		if got := ask(1, "-sess_in", session); got != "new" {
			t.Errorf("%s: another node: got %s, want a new session", version, got)
		}
	}
}

func TestALPN(t *testing.T) {
	t.Attr("aws-fact", "2.2.5")
	f := start(t, nil, "127.0.80.15")
	off := false
	for _, c := range []struct {
		http2         *bool
		offered, want string
	}{
		{nil, "h2,http/1.1", "ALPN protocol: h2"},
		{nil, "http/1.1,h2", "ALPN protocol: h2"}, // the node's preference
		{nil, "http/1.1", "ALPN protocol: http/1.1"},
		{nil, "spdy/3,foo", "No ALPN negotiated"},
		{&off, "h2,http/1.1", "ALPN protocol: http/1.1"},
		{&off, "h2", "No ALPN negotiated"},
	} {
		lb := fakealb.LoadBalancer{Name: "blue", Targets: 1, Attributes: fakealb.Attributes{HTTP2: c.http2}}
		if _, err := f.PutLoadBalancer(f.ctx, lb); err != nil {
			t.Fatal(err)
		}
		if out, err := f.sClient(t, "-alpn", c.offered); err != nil || !strings.Contains(out, c.want) {
			t.Errorf("offered %s: want %q, got %v\n%s", c.offered, c.want, err, out)
		}
	}
}

func TestHTTP2IsOnHTTPSListenersOnly(t *testing.T) {
	t.Attr("aws-fact", "2.2.1")
	f, ports := listening(t, "127.0.80.16", func(ports []uint16) fakealb.LoadBalancer {
		return fakealb.LoadBalancer{Targets: 1, Listeners: []fakealb.Listener{
			{Port: ports[0], Protocol: fakealb.ProtocolHTTP}, {Port: ports[1], Protocol: fakealb.ProtocolHTTPS},
		}}
	})
	plain, secure := onPort(f.nodes[0], ports[0]), onPort(f.nodes[0], ports[1])
	if got := curl(t, "-k", "--http2", "-o", "/dev/null", "-w", "%{http_version} %{http_code}", "https://"+secure); got != "2 200" {
		t.Errorf("HTTPS: got %s", got)
	}
	// Upgrade: h2c is passed on to targets and not spoken by the node.
	if got := curl(t, "--http2", "-o", "/dev/null", "-w", "%{http_version} %{http_code}", "http://"+plain); got != "1.1 200" {
		t.Errorf("HTTP with an upgrade: got %s", got)
	}
	out, err := exec.Command("curl", "-sS", "--max-time", "10", "--http2-prior-knowledge", "http://"+plain).CombinedOutput()
	if err == nil {
		t.Errorf("HTTP/2 with prior knowledge on the HTTP listener: got %s", out)
	}
}

// What a node speaks to HTTPS targets follows from the policies of its listeners.
func TestBackendPolicyFollowsTheListeners(t *testing.T) {
	t.Attr("aws-fact", "2.3.6")
	target := func(version uint16) netip.AddrPort {
		s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprint(w, tls.VersionName(r.TLS.Version), " ", r.TLS.CurveID)
		}))
		s.TLS = &tls.Config{MinVersion: version, MaxVersion: version, CipherSuites: []uint16{tls.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA, tls.TLS_RSA_WITH_AES_128_CBC_SHA}}
		s.Config.ErrorLog = log.New(io.Discard, "", 0)
		s.StartTLS()
		t.Cleanup(s.Close)
		return netip.MustParseAddrPort(s.Listener.Addr().String())
	}
	oldest, newest := target(tls.VersionTLS10), target(tls.VersionTLS13)
	f, ports := listening(t, "127.0.80.17", func([]uint16) fakealb.LoadBalancer { return fakealb.LoadBalancer{} })
	for _, c := range []struct {
		policies []string
		newest   string // the answer of the target that has TLS 1.3 only
	}{
		{[]string{"ELBSecurityPolicy-2016-08"}, ""},
		{[]string{"ELBSecurityPolicy-2016-08", "ELBSecurityPolicy-TLS-1-2-2017-01"}, ""},
		{[]string{"ELBSecurityPolicy-TLS13-1-3-2021-06"}, "TLS 1.3 X25519"},
		{[]string{"ELBSecurityPolicy-2016-08", "ELBSecurityPolicy-TLS13-1-2-Res-2021-06"}, "TLS 1.3 X25519"},
		{[]string{"ELBSecurityPolicy-TLS13-1-2-Res-2021-06", "ELBSecurityPolicy-TLS13-1-2-PQ-2025-09"}, "TLS 1.3 X25519MLKEM768"},
	} {
		lb := fakealb.LoadBalancer{Name: "blue", TargetGroup: &targets.Group{Protocol: "HTTPS"}}
		for n, policy := range c.policies {
			lb.Listeners = append(lb.Listeners, fakealb.Listener{Port: ports[n], Protocol: fakealb.ProtocolHTTPS, SSLPolicy: policy})
		}
		for _, to := range []struct {
			target netip.AddrPort
			want   string
		}{{oldest, "TLS 1.0 X25519"}, {newest, c.newest}} {
			lb.TargetGroup.Targets = targets.At(to.target)
			if _, err := f.PutLoadBalancer(f.ctx, lb); err != nil {
				t.Fatal(err)
			}
			got := curl(t, "-k", "-w", " %{http_code}", "https://"+f.at(0)+"/")
			if ok := got == to.want+" 200" || to.want == "" && strings.HasSuffix(got, " 502"); !ok {
				t.Errorf("%v, a target of %s: got %s, want %q", c.policies, to.target, got, to.want)
			}
		}
	}
}
