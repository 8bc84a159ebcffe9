package goproxy

import (
	"errors"
	"io"
	"time"

	"github.com/proxychaos/proxychaos/goproxy/http1"
)

// clientBody is the body of a request on an HTTP/1 connection.
type clientBody struct {
	http1.Body
	conn *clientConn
}

func (b *clientBody) reset(c *clientConn, length int64) {
	b.conn = c
	b.Reset(c.r, length)
}

// Read implements io.Reader. A client may be silent for limits.body.
func (b *clientBody) Read(p []byte) (int, error) {
	c := b.conn
	due := time.Now().Add(c.proxy.limits.body)
	if c.armed.IsZero() || c.armed.After(due) {
		c.arm(due)
	}
	for {
		n, err := b.Body.Read(p)
		if err == nil || n > 0 || errors.Is(err, io.EOF) || !isTimeout(err) || c.stopping.Load() {
			return n, err
		}
		if !time.Now().Before(due) {
			return 0, errSlowBody
		}
		c.arm(due)
	}
}
