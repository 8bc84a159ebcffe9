package goproxy

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// What an address may answer to a health check: the status decides, if there is one in
// time and the head is one, and nothing else is asked for because of it.
func TestAnswersToHealthChecks(t *testing.T) {
	elsewhere := startRaw(t, func(net.Conn, *bufio.Reader) {})
	for name, test := range map[string]struct {
		answer  string
		stalls  bool // the connection stays open behind it
		healthy bool
	}{
		"plain":                  {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", false, true},
		"HTTP/1.0":               {"HTTP/1.0 200 OK\r\n\r\nok", false, true},
		"body that stalls":       {"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nok", true, true},
		"body that breaks off":   {"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nok", false, true},
		"body without end":       {"HTTP/1.1 200 OK\r\n\r\n" + strings.Repeat("x", 1<<20), true, true},
		"early hints":            {"HTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", false, true},
		"redirect":               {"HTTP/1.1 302 Found\r\nLocation: http://" + elsewhere.Addr().String() + "/\r\nContent-Length: 0\r\n\r\n", false, true},
		"failure":                {"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n", false, false},
		"switch of protocols":    {"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n", true, false},
		"informed without end":   {strings.Repeat("HTTP/1.1 103 Early Hints\r\n\r\n", 1000), true, false},
		"head without end":       {"HTTP/1.1 200 OK\r\nX: y\r\n", true, false},
		"head that is too large": {"HTTP/1.1 200 OK\r\nX: " + strings.Repeat("y", 2*maxResponseHead) + "\r\nContent-Length: 0\r\n\r\n", false, false},
		"status of one digit":    {"HTTP/1.1 2 OK\r\n\r\n", false, false},
		"garbage":                {"\x16\x03\x01 no HTTP\r\n\r\n", false, false},
		"nothing":                {"", false, false},
		"silence":                {"", true, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			over := make(chan struct{})
			t.Cleanup(func() { close(over) })
			up := startRaw(t, func(conn net.Conn, r *bufio.Reader) {
				if _, err := http.ReadRequest(r); err != nil {
					return
				}
				io.WriteString(conn, test.answer)
				if test.stalls {
					<-over
				}
				conn.Close()
			})
			p := startRawProxy(t, up, func(c *Config) {
				raw := c.Upstreams["raw"]
				raw.HealthCheck = &HealthCheck{Path: "/", Interval: Duration(10 * time.Millisecond), Timeout: Duration(time.Second), HealthyThreshold: 1, UnhealthyThreshold: 1}
				c.Upstreams["raw"] = raw
			})
			h := &p.table.Load().upstreams["raw"].set.Load().endpoints[0].health
			eventually(t, 10*time.Second, "two checks", func() bool { return h.passed.Load()+h.failed.Load() >= 2 })
			if passed, failed := h.passed.Load(), h.failed.Load(); test.healthy != (failed == 0) || test.healthy == h.sick.Load() || passed > 0 && failed > 0 {
				t.Errorf("%d checks passed and %d failed; want healthy: %v", passed, failed, test.healthy)
			}
		})
	}
	t.Cleanup(func() { // when all are over
		if n := elsewhere.accepted(); n > 0 {
			t.Errorf("%d connections to where a redirect leads", n)
		}
	})
}
