package fakealb_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// rawRequest is a request as a target got it.
type rawRequest struct {
	conn int // number of its connection
	head string
	body string
	*http.Request
}

// rawTarget is a server that keeps the bytes it is sent. It answers 200, or what
// answer returns: nothing ends the connection, answerRST resets it.
type rawTarget struct {
	addr   netip.AddrPort
	answer func(rawRequest) string
	// early counts requests of which something was there before the answer to the
	// one before.
	early atomic.Int32

	mu       sync.Mutex
	requests []rawRequest // without health checks
	streams  [][]byte     // all bytes of each connection
}

func newRawTarget(t *testing.T, answer func(rawRequest) string) *rawTarget {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	r := &rawTarget{addr: l.Addr().(*net.TCPAddr).AddrPort(), answer: answer}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go r.serve(c)
		}
	}()
	return r
}

// answerRST is an answer of rawTarget.
const answerRST = "RST"

// kept gets a copy of what is read.
type kept struct {
	r    *rawTarget
	conn int
	net.Conn
}

func (k kept) Read(p []byte) (int, error) {
	n, err := k.Conn.Read(p)
	k.r.mu.Lock()
	k.r.streams[k.conn] = append(k.r.streams[k.conn], p[:n]...)
	k.r.mu.Unlock()
	return n, err
}

func (r *rawTarget) serve(c net.Conn) {
	defer c.Close()
	r.mu.Lock()
	conn := len(r.streams)
	r.streams = append(r.streams, nil)
	r.mu.Unlock()
	in := bufio.NewReader(kept{r, conn, c})
	for at := 0; ; {
		req, err := http.ReadRequest(in)
		if err != nil {
			return
		}
		body, err := io.ReadAll(req.Body)
		if err != nil {
			return
		}
		r.mu.Lock()
		raw := string(r.streams[conn][at:])
		at = len(r.streams[conn]) - in.Buffered()
		head, _, _ := strings.Cut(raw, "\r\n\r\n")
		one := rawRequest{conn, head + "\r\n", string(body), req}
		probe := strings.HasPrefix(req.UserAgent(), "ELB-HealthChecker")
		if !probe {
			r.requests = append(r.requests, one)
		}
		r.mu.Unlock()
		answer := "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
		if r.answer != nil && !probe {
			answer = r.answer(one)
		}
		_ = c.SetReadDeadline(time.Now().Add(10 * time.Millisecond))
		if _, err := in.Peek(1); err == nil {
			r.early.Add(1)
		}
		_ = c.SetReadDeadline(time.Time{})
		if answer == answerRST {
			_ = c.(*net.TCPConn).SetLinger(0)
			return
		}
		if _, err := io.WriteString(c, answer); err != nil || answer == "" || req.Close || strings.Contains(answer, "Connection: close") {
			return
		}
	}
}

// got returns the requests there were, and forgets them.
func (r *rawTarget) got() []rawRequest {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := r.requests
	r.requests = nil
	return out
}

// read takes the bytes of each connection apart as strictly as can be: heads end
// with CRLF CRLF, bodies are as long as the one field says, and nothing is left.
func (r *rawTarget) read() ([]string, error) {
	r.mu.Lock()
	streams := slices.Clone(r.streams)
	r.mu.Unlock()
	var out []string
	for _, b := range streams {
		for len(b) > 0 {
			line, size, err := strictRequest(b)
			if err != nil {
				return out, fmt.Errorf("%q: %w", b, err)
			}
			if !bytes.Contains(b[:size], []byte("User-Agent: ELB-HealthChecker")) {
				out = append(out, line)
			}
			b = b[size:]
		}
	}
	return out, nil
}
