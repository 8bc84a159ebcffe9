package fakealb_test

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/proxychaos/proxychaos/fakealb"
)

func TestBuiltInTargetAnswersCurl(t *testing.T) {
	f := start(t, nil, "127.0.71.1")
	got := curl(t, "-i", "-H", "X-Proxychaos-Seq: 41", "--data", "12345", "http://"+f.at(0)+"/path?x=1")
	for _, want := range []string{
		"HTTP/1.1 200 OK\r\n", "X-Fakealb-Node: 127.0.71.1\r\n", "X-Fakealb-Lb: blue\r\n",
		"Server: fakealb-target\r\n", "Connection: keep-alive\r\n",
		"lb=blue node=127.0.71.1 target=t", "received=5 seq=41\n",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("got %q, want it to hold %q", got, want)
		}
	}
	a := f.finished(t, 1)[0]
	if a.Seq != "41" || a.Method != "POST" || a.Path != "/path?x=1" || a.Status != 200 || a.ReceivedBytes != 5 ||
		a.SentBytes == 0 || a.Request != 1 || a.LoadBalancer != "blue" || a.Node != f.nodes[0] || a.TLS ||
		a.Start.IsZero() || a.End.Before(a.Start) {
		t.Errorf("the row: %+v", a)
	}
}

// The bytes of fact 2.4 (O): 162 now, 178 before about 2020, in this field order.
func TestGenerated503Bytes(t *testing.T) {
	t.Attr("aws-fact", "2.4")
	f := start(t, nil, "127.0.71.2")
	for _, c := range []struct {
		style  fakealb.ErrorBody
		body   string
		length int
	}{
		{fakealb.ErrorBodyCurrent, "<body>", 162},
		{fakealb.ErrorBodyPre2020, `<body bgcolor="white">`, 178},
	} {
		if _, err := f.PutLoadBalancer(f.ctx, fakealb.LoadBalancer{Name: "blue", ErrorBody: c.style}); err != nil {
			t.Fatal(err)
		}
		got := curl(t, "-i", "http://"+f.at(0)+"/")
		want := regexp.MustCompile(`^HTTP/1\.1 503 Service Temporarily Unavailable\r\n` +
			`Server: awselb/2\.0\r\nDate: [^\r]+ GMT\r\nContent-Type: text/html\r\n` +
			fmt.Sprintf(`Content-Length: %d\r\n`, c.length) + `Connection: keep-alive\r\n\r\n` +
			regexp.QuoteMeta("<html>\r\n<head><title>503 Service Temporarily Unavailable</title></head>\r\n"+c.body+
				"\r\n<center><h1>503 Service Temporarily Unavailable</h1></center>\r\n</body>\r\n</html>\r\n") + `$`)
		if !want.MatchString(got) {
			t.Errorf("%s: got %q", c.style, got)
		}
		if body := got[strings.Index(got, "\r\n\r\n")+4:]; len(body) != c.length {
			t.Errorf("%s: got a body of %d bytes, want %d", c.style, len(body), c.length)
		}
	}
}

func TestKeepAliveAndPipelining(t *testing.T) {
	t.Attr("aws-fact", "2.2.1")
	f := start(t, nil, "127.0.71.3")
	out := curl(t, "-o", "/dev/null", "-o", "/dev/null", "-w", "%{num_connects} ", "http://"+f.at(0)+"/a", "http://"+f.at(0)+"/b")
	if out != "1 0 " {
		t.Errorf("curl opened %q connections for two requests, want \"1 0 \"", out)
	}
	c := warmConn(t, f.at(0))
	send(t, c, "p1")
	send(t, c, "p2")
	var got string
	eventually(t, "both pipelined answers", func() bool {
		more, _ := readWithin(c, 100*time.Millisecond)
		got += more
		return strings.Contains(got, "seq=p1\n") && strings.HasSuffix(got, "seq=p2\n")
	})
}

func TestIdleTimeoutIsScaled(t *testing.T) {
	t.Attr("aws-fact", "2.1.1")
	f := start(t, func(c *fakealb.Config) { c.TimeScale = 300 }, "127.0.71.4") // 60 s becomes 200 ms
	c := warmConn(t, f.at(0))
	begin := time.Now()
	if got, err := readWithin(c, 5*time.Second); err == nil || isTimeout(err) {
		t.Fatalf("got %q, %v, want the node to close", got, err)
	}
	if took := time.Since(begin); took < 150*time.Millisecond || took > 2*time.Second {
		t.Errorf("closed after %s, want about 200 ms", took)
	}
	eventually(t, "the row of the closed connection", func() bool {
		rows, err := f.Connections(f.ctx)
		return err == nil && rows[0].How == "idle-timeout" && rows[0].ClosedBy == "node" && rows[0].Requests == 1
	})
}

func TestHoldDelaysTheAnswer(t *testing.T) {
	f := start(t, nil, "127.0.71.6")
	begin := time.Now()
	curl(t, "-H", "X-Proxychaos-Hold: 150ms", "http://"+f.at(0)+"/")
	if took := time.Since(begin); took < 150*time.Millisecond {
		t.Errorf("answered after %s, want at least 150 ms", took)
	}
}

// A held request leaves its connection as it was, also where TLS is read ahead.
func TestConnectionGoesOnAfterAHeldRequest(t *testing.T) {
	f := start(t, nil, "127.0.71.12")
	for _, base := range []string{"http://", "https://"} {
		url := base + f.at(0) + "/"
		out := curl(t, "-k", "--http1.1", "-H", "X-Proxychaos-Hold: 30ms", "-o", "/dev/null", "-o", "/dev/null", "-o", "/dev/null",
			"-w", "%{http_code}/%{num_connects} ", url, url, url)
		if out != "200/1 200/0 200/0 " {
			t.Errorf("%s: got %q, want three answers on one connection", base, out)
		}
	}
}

func TestRefusedWhileHeldIsNotTheClientsDoing(t *testing.T) {
	f := start(t, nil, "127.0.71.13")
	c := warmConnHeld(t, f)
	f.set(t, fakealb.FaultRefuse, f.nodes[0])
	if _, err := readWithin(c, 5*time.Second); !isReset(err) {
		t.Errorf("got %v, want a reset", err)
	}
	eventually(t, "the connection's row closed by the fault", func() bool {
		rows, err := f.Connections(f.ctx)
		return err == nil && rows[0].ClosedBy == "fault" && rows[0].How == "rst"
	})
	if rows, err := f.Attempts(f.ctx); err != nil || rows[0].Status != 0 || !rows[0].End.IsZero() || rows[0].Fault != "refuse" {
		t.Errorf("the row of the request: %+v, %v, want neither status nor end", rows, err)
	}
}

// warmConnHeld opens a connection with a request that is held for 20 s.
func warmConnHeld(t *testing.T, f *fixture) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp4", f.at(0))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	_, _ = c.Write([]byte("GET / HTTP/1.1\r\nHost: x\r\nX-Proxychaos-Hold: 20s\r\n\r\n"))
	eventually(t, "the pending request", func() bool { rows, err := f.Attempts(f.ctx); return err == nil && len(rows) == 1 })
	return c
}

func TestTLSWithCurlAndOpenSSL(t *testing.T) {
	need(t, "openssl", "curl")
	f := start(t, nil, "127.0.71.7")
	pem, err := f.CA(f.ctx)
	if err != nil {
		t.Fatal(err)
	}
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, pem, 0o600); err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(f.at(0))
	for _, version := range []string{"--http1.1", "--http2"} {
		got := curl(t, version, "-i", "--cacert", ca, "--resolve", "www.example.test:"+port+":127.0.71.7",
			"-H", "X-Proxychaos-Seq: 9", "https://www.example.test:"+port+"/")
		if !strings.Contains(got, "seq=9") || (version == "--http2") != strings.HasPrefix(got, "HTTP/2 200") {
			t.Errorf("curl %s: got %q", version, got)
		}
	}
	cmd := exec.Command("openssl", "s_client", "-connect", f.at(0), "-servername", "shop.example.test",
		"-alpn", "http/1.1", "-CAfile", ca, "-verify_return_error", "-verify_hostname", "shop.example.test", "-ign_eof")
	cmd.Stdin = strings.NewReader("GET / HTTP/1.1\r\nHost: x\r\nX-Proxychaos-Seq: 3\r\nConnection: close\r\n\r\n")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("openssl s_client: %v\n%s", err, out)
	}
	for _, want := range []string{"CN = shop.example.test", "ALPN protocol: http/1.1", "Verify return code: 0 (ok)", "seq=3"} {
		if !strings.Contains(string(out), want) {
			t.Errorf("openssl s_client: no %q in\n%s", want, out)
		}
	}
	attempts := f.finished(t, 3)
	if !attempts[2].TLS || attempts[2].SNI != "shop.example.test" || attempts[1].Proto != "HTTP/2.0" {
		t.Errorf("the rows: %+v", attempts)
	}
}

func TestFailedHandshakeIsRecorded(t *testing.T) {
	need(t, "openssl")
	f := start(t, nil, "127.0.71.8")
	out, err := exec.Command("openssl", "s_client", "-connect", f.at(0), "-tls1_1").CombinedOutput()
	if err == nil {
		t.Fatalf("openssl s_client -tls1_1 succeeded:\n%s", out)
	}
	if strings.Contains(string(out), "no protocols available") {
		// This openssl will not even ask for TLS 1.1: send it a hello by hand.
		c, err := net.Dial("tcp4", f.at(0))
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		_, _ = c.Write([]byte("\x16\x03\x01\x00\x04oops"))
	}
	eventually(t, "the row with the handshake error", func() bool {
		rows, err := f.Connections(f.ctx)
		return err == nil && len(rows) == 1 && rows[0].HandshakeError != "" && rows[0].How == "handshake" && rows[0].TLS
	})
}

func TestProbePortsAreMarked(t *testing.T) {
	f := start(t, nil, "127.0.71.9")
	// An earlier run may have left some of these ports in TIME_WAIT.
	var c net.Conn
	err := errors.New("no port tried")
	for port := 700; err != nil && port <= 799; port++ {
		d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 71, 200), Port: port}}
		c, err = d.Dial("tcp4", f.at(0))
	}
	if err != nil {
		t.Fatalf("bind a port from 700 to 799 (this test needs root): %v", err)
	}
	defer c.Close()
	ask(t, c, "1")
	attempts, err := f.Attempts(f.ctx)
	if err != nil || len(attempts) != 1 || !attempts[0].Probe {
		t.Errorf("the attempts: %+v, %v", attempts, err)
	}
	conns, err := f.Connections(f.ctx)
	if err != nil || len(conns) != 1 || !conns[0].Probe {
		t.Errorf("the connections: %+v, %v", conns, err)
	}
}

func TestWhoClosedAConnection(t *testing.T) {
	f := start(t, nil, "127.0.71.10")
	warmConn(t, f.at(0)).Close()
	reset := warmConn(t, f.at(0))
	_ = reset.SetLinger(0)
	reset.Close()
	curl(t, "-H", "Connection: close", "http://"+f.at(0)+"/")
	killed := warmConn(t, f.at(0))
	f.set(t, fakealb.FaultRefuse, f.nodes[0])
	_, _ = readWithin(killed, time.Second)
	want := []string{"peer fin", "peer rst", "node response", "fault rst"}
	eventually(t, fmt.Sprint(want), func() bool {
		rows, err := f.Connections(f.ctx)
		if err != nil || len(rows) != len(want) {
			return false
		}
		for i, r := range rows {
			if fmt.Sprint(r.ClosedBy, " ", r.How) != want[i] || r.Closed.IsZero() {
				return false
			}
		}
		return true
	})
}

func TestGoClientOverHTTP2DoesManyStreams(t *testing.T) {
	f := start(t, nil, "127.0.71.11")
	hc := &http.Client{Transport: tlsTransport(t, f)}
	errs := make(chan error, 20)
	for range 20 {
		go func() {
			resp, err := hc.Get("https://" + f.at(0) + "/")
			if err == nil {
				resp.Body.Close()
				if resp.ProtoMajor != 2 || resp.StatusCode != 200 {
					err = fmt.Errorf("got %s %s", resp.Proto, resp.Status)
				}
			}
			errs <- err
		}()
	}
	for range 20 {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
}

// The kernel's keep-alive probes are no data.
func TestTCPKeepAliveDoesNotKeepAnIdleConnection(t *testing.T) {
	t.Attr("aws-fact", "2.1.1")
	f := start(t, func(c *fakealb.Config) { c.TimeScale = 20 }, "127.0.71.14") // 60 s becomes 3 s
	begin := time.Now()
	c := warmConn(t, f.at(0))
	if err := c.SetKeepAliveConfig(net.KeepAliveConfig{Enable: true, Idle: time.Second, Interval: time.Second}); err != nil {
		t.Fatal(err)
	}
	if got, err := readWithin(c, 20*time.Second); !errors.Is(err, io.EOF) {
		t.Fatalf("got %q, %v, want the node to close", got, err)
	}
	if took := time.Since(begin); took < 3*time.Second {
		t.Errorf("closed after %s, want 3 s after the request", took)
	}
}
