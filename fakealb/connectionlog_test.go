package fakealb_test

import (
	"fmt"
	"net"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/proxychaos/proxychaos/fakealb"
	"github.com/proxychaos/proxychaos/fakealb/targets"
)

// command runs a program that may fail.
func command(name string, args ...string) (string, error) {
	out, err := exec.Command(name, args...).CombinedOutput()
	return string(out), err
}

// connection awaits line n, from 0, of a connection log and returns its 13 fields.
func (l *logBuffer) connection(t *testing.T, n int) []string {
	t.Helper()
	var lines []string
	eventually(t, fmt.Sprintf("line %d of the connection log", n+1), func() bool {
		lines = strings.Split(l.String(), "\n")
		return len(lines) > n+1
	})
	fields := regexp.MustCompile(`"[^"]*"|[^ "]+`).FindAllString(lines[n], -1)
	if len(fields) != 13 || strings.Join(fields, " ") != lines[n] {
		t.Fatalf("got %d fields, want 13 with one space between:\n%s", len(fields), lines[n])
	}
	return fields
}

func TestConnectionLog(t *testing.T) {
	t.Attr("aws-fact", "6.3")
	need(t, "curl", "openssl")
	access, connections := &logBuffer{}, &logBuffer{}
	f := start(t, func(c *fakealb.Config) { c.AccessLog, c.ConnectionLog = access, connections }, "127.0.80.25")
	base := map[int]string{
		1: `\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z`, 2: `127\.0\.0\.1`, 3: `\d+`, 4: fmt.Sprint(f.port),
		8: `"-"`, 9: "-", 10: "-", 12: "TID_[0-9a-f]{32}",
	}
	for n, c := range []struct {
		args []string
		want map[int]string
	}{
		{[]string{"http://" + f.at(0)}, map[int]string{5: "-", 6: "-", 7: "-", 11: "Success", 13: "-"}},
		{
			[]string{"-k", "--tls-max", "1.2", "--curves", "P-256", "https://" + f.at(0)},
			map[int]string{5: `TLSv1\.2`, 6: "ECDHE-ECDSA-AES128-GCM-SHA256", 7: `\d\.\d{3}`, 11: "Success", 13: "secp256r1"},
		},
		{[]string{"-k", "--curves", "X25519", "https://" + f.at(0)}, map[int]string{5: `TLSv1\.3`, 6: "TLS_AES_.*", 7: `\d\.\d{3}`, 11: "Success", 13: "x25519"}},
	} {
		curl(t, append(c.args, "-o", "/dev/null")...)
		line := connections.connection(t, n)
		matchFields(t, line, base)
		matchFields(t, line, c.want)
		if got := access.line(t, n)[29]; got != line[11] {
			t.Errorf("conn_trace_id: got %s in the access log and %s in the connection log, want the same", got, line[11])
		}
	}
	// One line a connection, however many requests it carries.
	curl(t, "-o", "/dev/null", "-o", "/dev/null", "http://"+f.at(0), "http://"+f.at(0))
	first, second := access.line(t, 3)[29], access.line(t, 4)[29]
	if last := connections.connection(t, 3); first != last[11] || second != last[11] {
		t.Errorf("two requests on one connection: got %s and %s, want %s", first, second, last[11])
	}
}

// A handshake that fails is in the connection log and in the metric, never in the
// access log: there was no request.
func TestFailedHandshakesAreLogged(t *testing.T) {
	for _, fact := range []string{"2.3.4", "2.3.5", "6.3"} {
		t.Attr("aws-fact", fact)
	}
	access, connections := &logBuffer{}, &logBuffer{}
	f := start(t, func(c *fakealb.Config) {
		c.AccessLog, c.ConnectionLog = access, connections
		c.LoadBalancers[0].Listeners = []fakealb.Listener{{Port: c.Ports[0], Protocol: fakealb.ProtocolHTTPS, SSLPolicy: "ELBSecurityPolicy-TLS13-1-2-Res-2021-06"}}
	}, "127.0.80.26")
	for n, attempt := range []func() (string, error){
		func() (string, error) { return f.sClient(t, "-tls1_1", "-cipher", "ALL@SECLEVEL=0") },           // no common version
		func() (string, error) { return f.sClient(t, "-tls1_2", "-cipher", "AES128-SHA@SECLEVEL=0") },    // no common cipher
		func() (string, error) { return command("curl", "-sS", "--max-time", "10", "https://"+f.at(0)) }, // the client refuses the certificate
		func() (string, error) {
			f.set(t, fakealb.FaultTLSAlert, f.nodes[0])
			return f.sClient(t)
		},
	} {
		if out, err := attempt(); err == nil {
			t.Fatalf("attempt %d succeeded: %s", n, out)
		}
		matchFields(t, connections.connection(t, n), map[int]string{7: "-", 8: `"-"`, 11: "Failed:UnmappedConnectionError"})
	}
	eventually(t, "four failed handshakes in the metric", func() bool {
		return strings.Contains(curl(t, f.server.ControlURL()+"/metrics"), `ClientTLSNegotiationErrorCount{AvailabilityZone="a",LoadBalancer="blue"} 4`)
	})
	if got := access.String(); got != "" {
		t.Errorf("the access log: got %s, want nothing", got)
	}
}

func TestConnectionMetrics(t *testing.T) {
	t.Attr("aws-fact", "6.1")
	f := start(t, func(c *fakealb.Config) { c.LoadBalancers[0].MaxConnections = 2 }, "127.0.80.27")
	warmConn(t, f.at(0))
	second := warmConn(t, f.at(0))
	refused, err := net.Dial("tcp4", f.at(0))
	if err == nil {
		defer refused.Close()
		_, err = readWithin(refused, 5*time.Second)
	}
	if !isReset(err) {
		t.Errorf("the third connection: got %v, want a reset", err)
	}
	metrics := func(active, opened, rejected int) {
		t.Helper()
		const labels = `{AvailabilityZone="a",LoadBalancer="blue"} `
		eventually(t, fmt.Sprintf("%d active, %d new, %d rejected", active, opened, rejected), func() bool {
			all := curl(t, f.server.ControlURL()+"/metrics")
			return strings.Contains(all, fmt.Sprint("ActiveConnectionCount", labels, active, "\n")) &&
				strings.Contains(all, fmt.Sprint("NewConnectionCount", labels, opened, "\n")) &&
				strings.Contains(all, fmt.Sprint("RejectedConnectionCount", labels, rejected, "\n"))
		})
	}
	metrics(2, 2, 1)
	second.Close()
	metrics(1, 2, 1)
	third := warmConn(t, f.at(0))
	metrics(2, 3, 1)
	// One kept to a target counts too; those of health checks do not.
	group := &targets.Group{Targets: targets.At(headerTarget(t))}
	if _, err := f.PutLoadBalancer(f.ctx, fakealb.LoadBalancer{Name: "blue", TargetGroup: group}); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if resp, _, err := getOn(third); err != nil || resp.StatusCode != 200 {
			t.Fatalf("got %v, %v", resp, err)
		}
	}
	metrics(3, 4, 1)
	if _, err := f.PutLoadBalancer(f.ctx, fakealb.LoadBalancer{Name: "blue", Targets: 1}); err != nil {
		t.Fatal(err)
	}
	metrics(2, 4, 1)
	_, err = f.PutLoadBalancer(f.ctx, fakealb.LoadBalancer{Name: "flows", Type: fakealb.TypeNetwork, MaxConnections: 1})
	if e := apiErr(t, err); e.Field != "max_connections" {
		t.Errorf("a limit of a network load balancer: got %v", err)
	}
}
