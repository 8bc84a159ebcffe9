package fakealb_test

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/proxychaos/proxychaos/fakealb"
	"github.com/proxychaos/proxychaos/fakealb/targets"
)

// logBuffer is a log that can be read while it is written.
type logBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// line awaits line n, from 0, and returns its fields; fields[0] is field 1.
func (l *logBuffer) line(t *testing.T, n int) []string {
	t.Helper()
	var line string
	eventually(t, fmt.Sprintf("line %d of the access log", n+1), func() bool {
		lines := strings.SplitAfter(l.String(), "\n")
		line = lines[min(n, len(lines)-1)]
		return strings.HasSuffix(line, "\n")
	})
	fields := regexp.MustCompile(`"[^"]*"|[^ "]+`).FindAllString(strings.TrimSuffix(line, "\n"), -1)
	if len(fields) != 33 || strings.Join(fields, " ")+"\n" != line {
		t.Fatalf("got %d fields, want 33 with one space between:\n%s", len(fields), line)
	}
	return fields
}

func logged(t *testing.T, addr string, lb fakealb.LoadBalancer, scale float64) (*fixture, *logBuffer) {
	t.Helper()
	l := &logBuffer{}
	lb.Name = "blue"
	return start(t, func(c *fakealb.Config) {
		c.AccessLog, c.TimeScale, c.LoadBalancers = l, scale, []fakealb.LoadBalancer{lb}
	}, addr), l
}

func matchFields(t *testing.T, got []string, want map[int]string) {
	t.Helper()
	for number, pattern := range want {
		if !regexp.MustCompile("^" + pattern + "$").MatchString(got[number-1]) {
			t.Errorf("field %d: got %s, want %s", number, got[number-1], pattern)
		}
	}
}

func TestAccessLogOfHTTP(t *testing.T) {
	t.Attr("aws-fact", "6.2")
	f, l := logged(t, "127.0.78.1", fakealb.LoadBalancer{Targets: 1}, 1)
	curl(t, "-A", "a \"quoted\" agent", "--data", "12345", "--globoff", "http://"+f.at(0)+"/{a}|%7e?b=[c]")
	_, port, _ := net.SplitHostPort(f.at(0))
	matchFields(t, l.line(t, 0), map[int]string{
		1: "http", 2: `\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z`, 3: `app/blue/[0-9a-f]{16}`, 4: `127\.0\.0\.1:\d+`,
		5: "t1:" + port, 6: `0\.\d{3}`, 7: `0\.\d{3}`, 8: `0\.\d{3}`, 9: "200", 10: "200", 11: `[12]\d\d`, 12: `[23]\d\d`,
		13: `"POST http://127\.0\.78\.1:` + port + `/\{a\}\|%7e\?b=\[c\] HTTP/1\.1"`, 14: `"a \\x22quoted\\x22 agent"`, 15: "-", 16: "-",
		17: `arn:aws:elasticloadbalancing:us-east-1:000000000000:targetgroup/blue/[0-9a-f]{16}`,
		18: `"Root=1-[0-9a-f]{8}-[0-9a-f]{24}"`, 19: `"-"`, 20: `"-"`, 21: "0", 22: `.*\.\d{3}000Z`, 23: `"forward"`,
		24: `"-"`, 25: `"-"`, 26: `"t1:` + port + `"`, 27: `"200"`, 28: `"-"`, 29: `"-"`, 30: `TID_[0-9a-f]{32}`, 31: `"-"`, 32: `"-"`, 33: `"-"`,
	})
}

func TestAccessLogOfHTTPS(t *testing.T) {
	t.Attr("aws-fact", "6.2")
	f, l := logged(t, "127.0.78.2", fakealb.LoadBalancer{Targets: 1}, 1)
	pem, err := f.CA(f.ctx)
	if err != nil {
		t.Fatal(err)
	}
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, pem, 0o600); err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(f.at(0))
	url := "https://www.example.test:" + port + "/"
	args := []string{"--cacert", ca, "--resolve", "www.example.test:" + port + ":127.0.78.2"}
	curl(t, append(args, "--http1.1", "--tls-max", "1.2", "--ciphers", "ECDHE-ECDSA-AES128-GCM-SHA256", url)...)
	curl(t, append(args, "--http2", url)...)
	common := map[int]string{19: `"www\.example\.test"`, 20: `"arn:aws:acm:us-east-1:000000000000:certificate/[0-9a-f-]{36}"`}
	first, second := l.line(t, 0), l.line(t, 1)
	matchFields(t, first, common)
	matchFields(t, second, common)
	matchFields(t, first, map[int]string{1: "https", 15: "ECDHE-ECDSA-AES128-GCM-SHA256", 16: `TLSv1\.2`})
	matchFields(t, second, map[int]string{1: "h2", 13: `"GET https://www\.example\.test:` + port + `/ HTTP/2\.0"`, 15: "TLS_.*", 16: `TLSv1\.3`})
}

// The table of times and codes by failure, after fact 6.2 (O).
func TestAccessLogOfFailures(t *testing.T) {
	t.Attr("aws-fact", "6.2")
	gone, err := net.Listen("tcp4", "127.0.78.3:0")
	if err != nil {
		t.Fatal(err)
	}
	refused := gone.Addr().(*net.TCPAddr).AddrPort()
	gone.Close()
	hangsUp, err := net.Listen("tcp4", "127.0.78.3:0")
	if err != nil {
		t.Fatal(err)
	}
	defer hangsUp.Close()
	go func() {
		for {
			c, err := hangsUp.Accept()
			if err != nil {
				return
			}
			_, _ = c.Read(make([]byte, 4096))
			c.Close()
		}
	}()
	group := func(a ...netip.AddrPort) *targets.Group { return &targets.Group{Targets: targets.At(a...)} }
	slow := target(t, false)
	f, l := logged(t, "127.0.78.4", fakealb.LoadBalancer{}, 300) // idle timeout 200 ms
	for n, c := range []struct {
		name  string
		group *targets.Group
		path  string
		want  map[int]string
	}{
		{"no connection", group(refused), "/", map[int]string{5: refused.String(), 6: "-1", 7: "-1", 8: "-1", 9: "502", 10: "-", 27: `"-"`}},
		{"hung up", group(hangsUp.Addr().(*net.TCPAddr).AddrPort()), "/", map[int]string{6: `\d\.\d{3}`, 7: `\d\.\d{3}`, 8: "-1", 9: "502", 10: "-"}},
		{"idle timeout", group(slow), "/slow", map[int]string{6: `0\.\d{3}`, 7: `([1-9]|0\.[2-9]).*`, 8: "-1", 9: "504", 10: "-"}},
		{"no target", group(), "/", map[int]string{5: "-", 6: "-1", 7: "-1", 8: "-1", 9: "503", 10: "-", 23: `"forward"`}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := f.PutLoadBalancer(f.ctx, fakealb.LoadBalancer{Name: "blue", TargetGroup: c.group}); err != nil {
				t.Fatal(err)
			}
			curl(t, "http://"+f.at(0)+c.path)
			matchFields(t, l.line(t, n), c.want)
		})
	}
}

func TestAccessLogOfClientsThatErr(t *testing.T) {
	t.Attr("aws-fact", "6.2")
	silent, err := net.Listen("tcp4", "127.0.78.6:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	asked := make(chan struct{}, 16)
	go func() { // answers nothing, and tells of the one request that is no health check
		for {
			c, err := silent.Accept()
			if err != nil {
				return
			}
			defer c.Close()
			go func() {
				b := make([]byte, 4096)
				if n, _ := c.Read(b); bytes.HasPrefix(b[:n], []byte("GET /slow ")) {
					asked <- struct{}{}
				}
			}()
		}
	}()
	group := &targets.Group{Targets: targets.At(silent.Addr().(*net.TCPAddr).AddrPort())}
	f, l := logged(t, "127.0.78.5", fakealb.LoadBalancer{TargetGroup: group}, 1)
	c, err := net.Dial("tcp4", f.at(0))
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.WriteString(c, "what?\r\n\r\n")
	matchFields(t, l.line(t, 0), map[int]string{5: "-", 6: "-1", 9: "400", 10: "-", 13: `"- http://blue-1234567890\.us-east-1\.elb\.amazonaws\.com:\d+- -"`, 18: `"-"`, 21: "-1", 23: `"-"`})
	c.Close()
	c = warmConnPath(t, f.at(0), "/slow")
	<-asked
	c.Close()
	matchFields(t, l.line(t, 1), map[int]string{6: `\d\.\d{3}`, 7: "-1", 8: "-1", 9: "460", 10: "-"})
}
