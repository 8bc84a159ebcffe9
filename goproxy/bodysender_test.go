package goproxy

import (
	"net"
	"strings"
	"testing"

	"github.com/proxychaos/proxychaos/goproxy/http1"
)

// heldConn takes bytes, and returns from the write of them when it is told to.
type heldConn struct {
	net.Conn
	written chan string
	release chan struct{}
}

func (c *heldConn) Write(p []byte) (int, error) {
	c.written <- string(p)
	<-c.release
	return len(p), nil
}

// The upstream can answer as soon as it has the last bytes. The client's body
// must count as read by then, or the answer would end the client's connection.
func TestBodyCountsAsReadBeforeItsLastWrite(t *testing.T) {
	for name, c := range map[string]struct {
		length int64
		text   string
		writes []string
	}{
		"length": {1, "x", []string{"x"}},
		"chunks": {http1.Chunked, "1\r\nx\r\n0\r\n\r\n", []string{"1\r\nx\r\n0\r\n\r\n"}},
	} {
		t.Run(name, func(t *testing.T) {
			var body http1.Body
			body.Reset(http1.NewReader(strings.NewReader(c.text)), c.length)
			conn := &heldConn{written: make(chan string), release: make(chan struct{})}
			s := &bodySender{from: newUpload(&body), done: make(chan struct{})}
			go s.run(c.length == http1.Chunked, &upstreamConn{Conn: conn}, discardLog)
			for i, want := range c.writes {
				if got := <-conn.written; got != want {
					t.Errorf("wrote %q, want %q", got, want)
				}
				last := i == len(c.writes)-1
				if got := s.from.ended.Load(); got != last {
					t.Errorf("after %q was written read is %v, want %v", want, got, last)
				}
				if s.whole() {
					t.Errorf("whole in the write of %q", want)
				}
				if n := s.from.passed.Load(); n != 1 {
					t.Errorf("%d bytes count as passed on in the write of %q, want 1", n, want)
				}
				conn.release <- struct{}{}
			}
			if !s.whole() {
				t.Error("not whole in the end")
			}
		})
	}
}
