package fakealb_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"os/exec"
	"strings"
	"testing"

	"github.com/proxychaos/proxychaos/fakealb"
	"github.com/proxychaos/proxychaos/fakealb/record"
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
