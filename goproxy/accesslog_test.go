package goproxy

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/http2"
)

// Whatever a client writes, a request is one line of the access log, and what it wrote is
// a value in it.
func TestClientsWriteNoLines(t *testing.T) {
	p, _, _ := startProtocols(t, protocolHTTP1, func(http.ResponseWriter, *http.Request) {})
	const forged = `","status":200,"upstream":"x"}`
	paths := []string{
		"/plain", "/%0a%0d", `/"` + forged, `/\"`, `/\u000a`, "/<script>", "/%1b[31m", "/{}[]", "/x?" + strings.Repeat("y", 8000), "/?a=%00",
	}
	want := map[string]int{}
	for i, path := range paths {
		body(t, rawRequest(t, p, "GET "+path+" HTTP/1.1\r\nHost: h\r\nUser-Agent: \x80"+forged+"\r\n\r\n"))
		c := dialH2(t, dialTCP(t, p))
		c.must(c.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: c.request2(":method: GET", ":scheme: http", ":authority: h", ":path: "+path), EndHeaders: true, EndStream: true}))
		c.next()
		want[path] += 2
		method := fmt.Sprintf("M%d'|~!#$&*+-.^_`", i)
		body(t, rawRequest(t, p, method+" / HTTP/1.1\r\nHost: h\r\n\r\n"))
		want["/"]++
	}
	for _, malformed := range []string{"GET /\"\n\r\n\r\n", "G\"ET / HTTP/1.1\r\n\r\n", "GET / HTTP/1.1\r\nHost: \"" + forged + "\r\n\r\n"} {
		body(t, rawRequest(t, p, malformed))
		want[""]++
	}
	total := 0
	for _, n := range want {
		total += n
	}
	eventually(t, 5*time.Second, "the lines are there", func() bool { return strings.Count(p.access.String(), "\n") >= total })
	got := map[string]int{}
	for line := range strings.Lines(p.access.String()) {
		var entry struct {
			Path, Upstream string
			Status         int
		}
		if err := json.Unmarshal([]byte(line), &entry); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		got[entry.Path]++
		if entry.Upstream == "x" {
			t.Errorf("a client wrote %q", line)
		}
	}
	for path, n := range want {
		if got[path] != n {
			t.Errorf("%.40q: %d lines, want %d", path, got[path], n)
		}
	}
	if len(got) != len(want) {
		t.Errorf("%d paths in the log, want %d", len(got), len(want))
	}
}
