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
	c, err := net.Dial("tcp4", netip.AddrPortFrom(node, f.port).String())
	if err != nil {
		t.Error(err)
		return 0
	}
	defer c.Close()
	_, _ = io.WriteString(c, payload)
	_ = c.SetReadDeadline(time.Now().Add(20 * time.Second))
	if _, err := io.ReadAll(c); isTimeout(err) {
		t.Errorf("%q: the node did not end the connection", payload)
	}
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

// compareReadings holds what a target got, as somebody reads it, against the rows
// of its node. What the target did not answer it need not have got.
func compareReadings(t *testing.T, payload, reader string, rows []record.Attempt, got []string) {
	left := got
	for _, a := range rows {
		switch line := a.Method + " " + escaped(a.Path); {
		case a.Target == "":
		case len(left) > 0 && left[0] == line:
			left = left[1:]
		case a.TargetStatus != 0:
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
