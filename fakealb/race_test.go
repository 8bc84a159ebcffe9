package fakealb_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/proxychaos/proxychaos/fakealb"
	"github.com/proxychaos/proxychaos/fakealb/record"
	"github.com/proxychaos/proxychaos/fakealb/targets"
)

// FIN comes first, so a client that reads sees the end, and what it sends after
// that gets RST. No target gets the request.
func TestKeepAliveRaceIsFINThenRST(t *testing.T) {
	up := target(t, false)
	f := forwarding(t, "127.0.74.2", nil, up)
	f.set(t, fakealb.FaultKeepAliveRace, f.nodes[0])
	for range 2 {
		c, err := net.Dial("tcp4", f.at(0))
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if resp, _, err := getOn(c); err != nil || resp.StatusCode != 200 {
			t.Fatalf("the first request: got %v, %v, want it answered", resp, err)
		}
		_, err = fmt.Fprintf(c, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := bufio.NewReader(c).ReadByte(); !errors.Is(err, io.EOF) {
			t.Errorf("the second request: got %v, want FIN", err)
		}
		eventually(t, "RST behind the FIN", func() bool {
			_, err := c.Write([]byte("x"))
			return err != nil
		})
	}
	eventually(t, "both connections ended by the fault's FIN", func() bool {
		rows, err := f.Connections(f.ctx)
		return err == nil && len(rows) == 2 && rows[1].ClosedBy == record.ClosedByFault && rows[1].How == "fin"
	})
	for _, a := range mustAttempts(t, f) {
		if raced := a.Method == "POST"; raced != (a.Target == "") || raced != (a.Status == 0) {
			t.Errorf("got %+v, want no target for the POST only", a)
		}
	}
}

func mustAttempts(t *testing.T, f *fixture) []record.Attempt {
	t.Helper()
	rows, err := f.Attempts(f.ctx)
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

// curl repeats a request that a kept connection swallowed, on a fresh one.
func TestKeepAliveRaceSeenByCurl(t *testing.T) {
	f := start(t, nil, "127.0.74.11")
	f.set(t, fakealb.FaultKeepAliveRace, f.nodes[0])
	out, err := exec.Command("curl", "-sS", "-v", "--max-time", "10", "http://"+f.at(0)+"/1", "http://"+f.at(0)+"/2").CombinedOutput()
	if err != nil || strings.Count(string(out), "< HTTP/1.1 200 OK") != 2 || !strings.Contains(string(out), "Connection died, retrying a fresh connect") {
		t.Errorf("got %v\n%s", err, out)
	}
	if rows := mustAttempts(t, f); len(rows) != 3 {
		t.Errorf("got %d requests, want 3: %+v", len(rows), rows)
	}
}

// nginx repeats a GET, but a POST whose connection ended is 502.
func TestKeepAliveRaceSeenByNginx(t *testing.T) {
	f := start(t, nil, "127.0.74.12")
	n := startNginx(t, "127.0.74.13", `
		upstream alb { server `+f.at(0)+`; keepalive 4; }
		server { listen LISTEN; location / { proxy_pass http://alb; proxy_http_version 1.1; proxy_set_header Connection ""; } }`)
	code := func(args ...string) string {
		return curl(t, append(args, "-o", "/dev/null", "-w", "%{http_code}", "http://"+n.at+"/")...)
	}
	f.set(t, fakealb.FaultKeepAliveRace, f.nodes[0])
	if got := code(); got != "200" { // on a fresh connection
		t.Fatalf("the first request: got %s", got)
	}
	if got := code(); got != "200" {
		t.Errorf("GET on a kept connection: got %s, want nginx to repeat it", got)
	}
	if got := code("-d", "x=1"); got != "502" {
		t.Errorf("POST on a kept connection: got %s, want 502", got)
	}
	if log := n.errorLog(t); !strings.Contains(log, "upstream prematurely closed connection while reading response header from upstream") {
		t.Errorf("nginx says:\n%s", log)
	}
}

// nginx as a target ends idle connections after a second. A node that notices
// takes another; one that does not answers 502, and nginx never sees the request.
func TestTargetKeepAliveRace(t *testing.T) {
	t.Attr("aws-fact", "3.1.2")
	n := startNginx(t, "127.0.74.14", `server {
		listen LISTEN; keepalive_timeout 1s; access_log FOLDER/access.log;
		location / { return 200 "fine\n"; } }`)
	at := netip.MustParseAddrPort(n.at)
	f := forwarding(t, "127.0.74.15", nil, at)
	code := func(path string) string {
		return curl(t, "-o", "/dev/null", "-w", "%{http_code}", "-d", "x=1", "http://"+f.at(0)+path)
	}
	// awaitFIN awaits that nginx ends an idle connection. Where the node has kept none,
	// which it may, it is asked for something first.
	awaitFIN := func() {
		t.Helper()
		eventually(t, "nginx's FIN, unnoticed", func() bool {
			ended, all := connections(t, at)
			if all > 0 {
				return ended == 1
			}
			if got := code("/first"); got != "200" {
				t.Fatalf("on a fresh connection: got %s", got)
			}
			return false
		})
	}
	// Its connection is one that nginx ends too, and is not the one that is meant.
	eventually(t, "the end of the first health check", func() bool {
		list, err := f.Targets(f.ctx, f.nodes[0])
		_, all := connections(t, at)
		return err == nil && len(list) == 1 && list[0].State == targets.Healthy && all == 0
	})
	f.set(t, fakealb.FaultTargetKeepAliveRace, f.nodes[0])
	awaitFIN()
	if got := code("/raced"); got != "502" {
		t.Errorf("on a connection that nginx has ended: got %s, want 502", got)
	}
	if got := code("/after"); got != "200" {
		t.Errorf("after the race: got %s", got)
	}
	attempts, err := f.Attempts(f.ctx)
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range attempts {
		switch {
		case a.Path == "/raced" && (a.TargetStatus != 0 || a.TargetIdleSeconds < 0.9):
			t.Errorf("got %+v, want a connection that was idle for nginx's second, and no answer of it", a)
		case a.Path == "/after" && (a.TargetStatus != 200 || a.TargetIdleSeconds != 0):
			t.Errorf("got %+v, want a new connection, and nginx's answer", a)
		}
	}
	awaitFIN()
	f.set(t, fakealb.FaultNone, f.nodes[0])
	eventually(t, "the connection closed without the fault", func() bool { ended, _ := connections(t, at); return ended == 0 })
	if got := code("/last"); got != "200" {
		t.Errorf("without the fault: got %s", got)
	}
	if log := readFile(t, filepath.Join(n.folder, "access.log")); strings.Contains(log, "/raced") || !strings.Contains(log, "/after") {
		t.Errorf("nginx was asked:\n%s", log)
	}
}

// connections counts those to a server: the ones that it has ended and we have not,
// and these with the open ones.
func connections(t *testing.T, server netip.AddrPort) (ended, all int) {
	t.Helper()
	ip := server.Addr().As4()
	remote := fmt.Sprintf("%02X%02X%02X%02X:%04X", ip[3], ip[2], ip[1], ip[0], server.Port())
	// Not /proc/net, which is of the process's first thread: a test before may have
	// taken that one to another network namespace.
	for line := range strings.Lines(readFile(t, "/proc/thread-self/net/tcp")) {
		if f := strings.Fields(line); f[2] == remote {
			switch f[3] {
			case "01": // ESTABLISHED
				all++
			case "08": // CLOSE_WAIT
				ended++
				all++
			}
		}
	}
	return ended, all
}
