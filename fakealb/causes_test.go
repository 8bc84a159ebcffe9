package fakealb_test

import (
	"io"
	"net"
	"strconv"
	"strings"
	"testing"

	"github.com/proxychaos/proxychaos/fakealb"
	"github.com/proxychaos/proxychaos/fakealb/targets"
)

// What targets do, and the code that an ALB has for it.
func TestCodesForWhatTargetsDo(t *testing.T) {
	t.Attr("aws-fact", "2.4.1")
	t.Attr("aws-fact", "2.1.3")
	gone, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	refused := gone.Addr().(*net.TCPAddr).AddrPort()
	gone.Close()
	head := func(n int) string { // a response head of n bytes
		const rest = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nA: \r\n\r\n"
		return strings.Replace(rest, "A: ", "A: "+strings.Repeat("a", n-len(rest)), 1) + "ok"
	}
	up := newRawTarget(t, func(r rawRequest) string {
		switch r.URL.Path {
		case "/fin":
			return ""
		case "/rst":
			return answerRST
		case "/garbage":
			return "garbage\r\n\r\n"
		case "/field":
			return "HTTP/1.1 200 OK\r\nno colon\r\n\r\n"
		case "/length":
			return "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n"
		case "/32k":
			return head(32 << 10)
		case "/over":
			return head(33 << 10)
		}
		return "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
	})
	group := func(protocol string, list []targets.Target) *targets.Group {
		return &targets.Group{Protocol: protocol, Targets: list}
	}
	f, l := logged(t, "127.0.82.20", fakealb.LoadBalancer{}, 1)
	for n, c := range []struct {
		cause string
		group *targets.Group
		path  string
		want  int
	}{
		{"no registered target", group("HTTP", nil), "/", 503},
		{"RST on connect", group("HTTP", targets.At(refused)), "/", 502},
		{"FIN while a request is outstanding", group("HTTP", targets.At(up.addr)), "/fin", 502},
		{"RST while a request is outstanding", group("HTTP", targets.At(up.addr)), "/rst", 502},
		{"no HTTP", group("HTTP", targets.At(up.addr)), "/garbage", 502},
		{"a malformed field", group("HTTP", targets.At(up.addr)), "/field", 502},
		{"a malformed length", group("HTTP", targets.At(up.addr)), "/length", 502},
		{"a head of 32 K", group("HTTP", targets.At(up.addr)), "/32k", 200},
		{"a head of more than 32 K", group("HTTP", targets.At(up.addr)), "/over", 502},
		{"no TLS", group("HTTPS", targets.At(up.addr)), "/", 502},
	} {
		if _, err := f.PutLoadBalancer(f.ctx, fakealb.LoadBalancer{Name: "blue", TargetGroup: c.group}); err != nil {
			t.Fatal(err)
		}
		resp, _, _ := exchangeRaw(t, f.at(0), "GET "+c.path+" HTTP/1.1\r\nHost: x\r\n\r\n")
		if resp.StatusCode != c.want {
			t.Errorf("%s: got %d, want %d", c.cause, resp.StatusCode, c.want)
		}
		matchFields(t, l.line(t, n), map[int]string{9: strconv.Itoa(c.want)})
	}
}

// What clients do wrong with a body.
func TestCodesForBodiesThatDoNotCome(t *testing.T) {
	t.Attr("aws-fact", "2.4.1")
	up := newRawTarget(t, nil)
	for _, c := range []struct {
		name string
		lb   fakealb.LoadBalancer
	}{
		{"a built-in target", fakealb.LoadBalancer{Targets: 1}},
		{"a target group", fakealb.LoadBalancer{TargetGroup: &targets.Group{Targets: targets.At(up.addr)}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			f, l := logged(t, "127.0.82.21", c.lb, 60) // the idle timeout is 1 s
			conn, err := net.Dial("tcp4", f.at(0))
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			// More is announced than is sent: the load balancer waits for the rest.
			_, _ = io.WriteString(conn, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nabc")
			if resp, _, err := readResponse(conn); err != nil || resp.StatusCode != 504 || !resp.Close {
				t.Errorf("a body that stops: got %+v, %v, want 504 and the end", resp, err)
			}
			matchFields(t, l.line(t, 0), map[int]string{9: "504", 10: "-"})
			gone, err := net.Dial("tcp4", f.at(0))
			if err != nil {
				t.Fatal(err)
			}
			_, _ = io.WriteString(gone, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nabc")
			gone.Close()
			matchFields(t, l.line(t, 1), map[int]string{9: "400", 10: "-"})
		})
	}
}

// The codes of what fakealb has not: authentication, Lambda, WAF. The fault error
// answers them.
func TestCodesOfAFaultOnly(t *testing.T) {
	t.Attr("aws-fact", "2.4.1")
	f, l := logged(t, "127.0.82.22", fakealb.LoadBalancer{Targets: 1}, 1)
	for n, status := range []int{401, 403, 413, 500, 507, 561, 562} {
		if _, err := f.PutFaults(f.ctx, fakealb.FaultRequest{
			Nodes: f.nodes, FaultSetting: fakealb.FaultSetting{Kind: fakealb.FaultError, Status: status},
		}); err != nil {
			t.Fatal(err)
		}
		if resp, _, _ := exchangeRaw(t, f.at(0), "GET / HTTP/1.1\r\nHost: x\r\n\r\n"); resp.StatusCode != status {
			t.Errorf("got %d, want %d", resp.StatusCode, status)
		}
		matchFields(t, l.line(t, n), map[int]string{9: strconv.Itoa(status), 10: "-"})
	}
}
