package fakealb_test

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/proxychaos/proxychaos/fakealb"
	"github.com/proxychaos/proxychaos/fakealb/record"
	"github.com/proxychaos/proxychaos/fakealb/targets"
)

// A target never sees bytes of one request as two, nor two as one, whoever reads
// them: what net/http and a reader without any tolerance find on its connections is
// what the node recorded.
func TestTargetsReadWhatTheNodeRead(t *testing.T) {
	t.Attr("aws-fact", "2.6")
	for _, mode := range []string{"defensive", "monitor"} {
		t.Run(mode, func(t *testing.T) { throughTheFront(t, mode, fakealb.Smugglers) })
	}
}

// The same for the byte strings that http-garden found some server to misread.
func TestTargetsReadHTTPGardenAsTheNodeDid(t *testing.T) {
	folder := os.Getenv("PROXYCHAOS_CORPORA")
	if folder == "" {
		t.Skip("PROXYCHAOS_CORPORA is not set: the byte strings of http-garden are not run; set it to the folder that has http-garden/payloads.tsv")
	}
	t.Attr("aws-fact", "2.6")
	payloads := gardenPayloads(t, filepath.Join(folder, "http-garden", "payloads.tsv"))
	for _, mode := range []string{"defensive", "monitor"} {
		t.Run(mode, func(t *testing.T) { throughTheFront(t, mode, payloads) })
	}
}

// nginx as the target, which is another reader again: its log has what the node
// recorded, and nothing of what was smuggled.
func TestNginxReadsWhatTheNodeRead(t *testing.T) {
	t.Attr("aws-fact", "2.6")
	n := startNginx(t, "127.0.83.250", `
		log_format requests escape=none '$http_x_forwarded_for $request_method $request_uri';
		server { listen LISTEN; access_log FOLDER/access.log requests; location / { return 200 "fine\n"; } }`)
	f := start(t, func(c *fakealb.Config) {
		c.TimeScale = 100
		c.LoadBalancers[0] = fakealb.LoadBalancer{
			Name: "blue", TargetGroup: &targets.Group{Targets: targets.At(netip.MustParseAddrPort(n.at))},
			Attributes: fakealb.Attributes{DesyncMode: "monitor"},
		}
	}, "127.0.83.251")
	clients := map[string]string{} // payloads by the address that sends them
	var all sync.WaitGroup
	for i, payload := range fakealb.Smugglers {
		client := &net.TCPAddr{IP: net.IPv4(127, 0, 83, byte(i+1))}
		clients[client.IP.String()] = payload
		all.Go(func() { sendAll(t, &net.Dialer{LocalAddr: client}, f.at(0), payload) })
	}
	all.Wait()
	rows, answered := map[string][]record.Attempt{}, 0
	eventually(t, "the ends of all requests", func() bool {
		list, err := f.Attempts(f.ctx)
		clear(rows)
		answered = 0
		for _, a := range list {
			if a.TargetStatus == 200 {
				answered++
			}
			rows[a.Peer.Addr().String()] = append(rows[a.Peer.Addr().String()], a)
		}
		return err == nil && !slices.ContainsFunc(list, func(a record.Attempt) bool { return a.Status == 0 })
	})
	got := map[string][]string{} // requests by client, which health checks have none
	eventually(t, "nginx's log of what it answered", func() bool {
		clear(got)
		lines := 0
		for line := range strings.Lines(readFile(t, filepath.Join(n.folder, "access.log"))) {
			client, request, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
			got[client] = append(got[client], request)
			if client != "" {
				lines++
			}
		}
		return lines >= answered
	})
	for client, payload := range clients {
		compareReadings(t, payload, "nginx", rows[client], got[client])
	}
	for _, request := range got[""] {
		if request != "GET /" && !strings.HasSuffix(request, " ") { // a health check, and what nginx refuses: * and %00
			t.Errorf("nginx got %q, which no node forwarded", request)
		}
	}
}

// sendAll sends a payload and reads until the node ends the connection.
func sendAll(t *testing.T, d *net.Dialer, addr, payload string) {
	c, err := d.Dial("tcp4", addr)
	if err != nil {
		t.Error(err)
		return
	}
	defer c.Close()
	_, _ = io.WriteString(c, payload)
	_ = c.SetReadDeadline(time.Now().Add(20 * time.Second))
	if _, err := io.ReadAll(c); isTimeout(err) {
		t.Errorf("%q: the node did not end the connection", payload)
	}
}

// gardenPayloads reads the third column, which has escapes as Python writes them.
func gardenPayloads(t *testing.T, file string) []string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for line := range strings.Lines(string(text)) {
		columns := strings.SplitN(strings.TrimSuffix(line, "\n"), "\t", 3)
		if len(columns) != 3 {
			t.Fatalf("%s: got %q, want three columns", file, line)
		}
		payload, err := strconv.Unquote(`"` + strings.NewReplacer(`"`, `\"`, `\'`, `'`).Replace(columns[2]) + `"`)
		if err != nil {
			t.Fatalf("%s: %q: %v", file, line, err)
		}
		out = append(out, payload)
	}
	if len(out) == 0 {
		t.Fatalf("%s has no payloads", file)
	}
	return out
}

// throughTheFront sends each payload to a node of its own, with a target of its own.
func throughTheFront(t *testing.T, mode string, payloads []string) {
	f := start(t, func(c *fakealb.Config) { c.TimeScale = 100 }, "127.0.83.254") // the idle timeout ends each connection after 600 ms
	forwarded := 0
	var mu sync.Mutex
	var all sync.WaitGroup
	for i, payload := range payloads {
		name, up := fmt.Sprintf("p%d", i), newRawTarget(t, nil)
		if _, err := f.PutLoadBalancer(f.ctx, fakealb.LoadBalancer{
			Name: name, TargetGroup: &targets.Group{Targets: targets.At(up.addr)}, Attributes: fakealb.Attributes{DesyncMode: mode},
		}); err != nil {
			t.Fatal(err)
		}
		node := netip.AddrFrom4([4]byte{127, 0, 83, byte(i + 1)})
		if _, err := f.PutNode(f.ctx, fakealb.Node{Addr: node, LoadBalancer: name}); err != nil {
			t.Fatal(err)
		}
		all.Go(func() {
			n := oneThrough(t, f, node, payload, up)
			mu.Lock()
			forwarded += n
			mu.Unlock()
		})
	}
	all.Wait()
	t.Logf("%d payloads, %d requests that targets got", len(payloads), forwarded)
	if forwarded == 0 {
		t.Error("no target got any request")
	}
}

// oneThrough sends a payload and returns how many requests the target got.
func oneThrough(t *testing.T, f *fixture, node netip.Addr, payload string, up *rawTarget) int {
	sendAll(t, &net.Dialer{}, netip.AddrPortFrom(node, f.port).String(), payload)
	var rows []record.Attempt
	eventually(t, "the rows of the requests", func() bool {
		all, err := f.Attempts(f.ctx)
		rows = slices.DeleteFunc(all, func(a record.Attempt) bool { return a.Node != node })
		return err == nil && !slices.ContainsFunc(rows, func(a record.Attempt) bool { return a.Status == 0 })
	})
	strict, err := up.read()
	cut := slices.ContainsFunc(rows, func(a record.Attempt) bool { return a.Target != "" && a.TargetStatus == 0 })
	if errors.Is(err, errPartial) && cut {
		err = nil // the body that the client did not finish
	}
	if err != nil {
		t.Errorf("%q: %v", payload, err)
	}
	compareReadings(t, payload, "on the wire", rows, strict)
	var theirs []string
	for _, r := range up.got() {
		theirs = append(theirs, r.Method+" "+r.RequestURI)
	}
	compareReadings(t, payload, "net/http", rows, theirs)
	return len(theirs)
}

// compareReadings compares what a target got, as somebody reads it, with the rows
// of its node. What the target refused, or did not answer, it need not have read.
func compareReadings(t *testing.T, payload, reader string, rows []record.Attempt, got []string) {
	left := got
	for _, a := range rows {
		switch line := a.Method + " " + escaped(a.Path); {
		case a.Target == "":
		case len(left) > 0 && left[0] == line:
			left = left[1:]
		case a.TargetStatus != 0 && a.TargetStatus != 400:
			t.Errorf("%q: recorded %s, %s: %q", payload, line, reader, got)
		}
	}
	if len(left) > 0 {
		t.Errorf("%q: not recorded, %s: %q", payload, reader, left)
	}
}

// escaped is a target as it is sent on: the path of a URL, with spaces and control
// characters encoded.
func escaped(target string) string {
	if _, rest, ok := strings.Cut(target, "http://"); ok {
		target = rest[strings.IndexByte(rest, '/'):]
	}
	var b strings.Builder
	for _, c := range []byte(target) {
		if c <= ' ' || c == 0x7f {
			fmt.Fprintf(&b, "%%%02X", c)
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}
