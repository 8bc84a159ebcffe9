package goproxy

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// rawUpstream is a server whose every byte is the test's.
type rawUpstream struct {
	net.Listener
	conns chan net.Conn
}

// startRaw runs serve for each connection.
func startRaw(t *testing.T, serve func(conn net.Conn, r *bufio.Reader)) *rawUpstream {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	u := &rawUpstream{l, make(chan net.Conn, 1000)}
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			u.conns <- conn
			t.Cleanup(func() { conn.Close() })
			go serve(conn, bufio.NewReader(conn))
		}
	}()
	return u
}

// accepted is the number of connections so far that next has not returned.
func (u *rawUpstream) accepted() int { return len(u.conns) }

// answer reads requests without a body and writes the same bytes for each.
func answer(response string) func(net.Conn, *bufio.Reader) {
	return func(conn net.Conn, r *bufio.Reader) {
		for {
			if _, err := http.ReadRequest(r); err != nil {
				return
			}
			io.WriteString(conn, response)
		}
	}
}

// startRawProxy is a proxy before one raw upstream.
func startRawProxy(t *testing.T, u *rawUpstream, change func(*Config)) *testProxy {
	t.Helper()
	cfg := Config{
		DrainTimeout: Duration(2 * time.Second),
		Routes:       []Route{{Upstream: "raw"}},
		Upstreams:    map[string]Upstream{"raw": {URL: "http://" + u.Addr().String()}},
	}
	if change != nil {
		change(&cfg)
	}
	return startProxy(t, cfg, nil)
}

// rawClient is a connection to the proxy.
type rawClient struct {
	net.Conn
	*bufio.Reader
	t *testing.T
}

func dialProxy(t *testing.T, p *testProxy) *rawClient {
	t.Helper()
	conn, err := net.Dial("tcp", p.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(10 * time.Second))
	return &rawClient{conn, bufio.NewReader(conn), t}
}

// Read is the Reader's: the connection's own would miss what is buffered.
func (c *rawClient) Read(p []byte) (int, error) { return c.Reader.Read(p) }

func (c *rawClient) send(format string, args ...any) {
	c.t.Helper()
	if _, err := fmt.Fprintf(c.Conn, format, args...); err != nil {
		c.t.Fatal(err)
	}
}

// expect reads the same bytes.
func (c *rawClient) expect(want string) {
	c.t.Helper()
	got := make([]byte, len(want))
	n, err := io.ReadFull(c.Reader, got)
	if string(got[:n]) != want {
		c.t.Fatalf("got %q, %v; want %q", got[:n], err, want)
	}
}

// expectEnd reads the orderly end of the connection.
func (c *rawClient) expectEnd() {
	c.t.Helper()
	if rest, err := io.ReadAll(c.Reader); err != nil || len(rest) > 0 {
		c.t.Fatalf("got %q, %v; want the connection's end", rest, err)
	}
}

// head reads a head and returns it without Date.
func (c *rawClient) head() string {
	c.t.Helper()
	var head strings.Builder
	for {
		line, err := c.ReadString('\n')
		if err != nil {
			c.t.Fatalf("read a head: %v after %q", err, head.String())
		}
		if line == "\r\n" {
			return head.String()
		}
		if !strings.HasPrefix(line, "Date:") {
			head.WriteString(line)
		}
	}
}

// expectHead reads a head and compares it, Date apart.
func (c *rawClient) expectHead(want string) {
	c.t.Helper()
	if got := c.head(); got != want {
		c.t.Fatalf("got the head\n%s\nwant\n%s", got, want)
	}
}

const plainGET = "GET / HTTP/1.1\r\nHost: h\r\n\r\n"

func containsLine(text, part string) bool {
	for line := range strings.Lines(text) {
		if strings.Contains(line, part) {
			return true
		}
	}
	return false
}
