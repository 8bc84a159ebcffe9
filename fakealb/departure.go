package fakealb

import (
	"bufio"
	"context"
	"errors"
	"net"
	"os"
	"sync"
	"time"
)

// departure notices that a client leaves while its request is pending, by
// reading ahead for its next request. What it reads stays in the buffer.
type departure struct {
	conn *clientConn
	in   *bufio.Reader
	on   net.Conn // conn, or TLS over it

	mu      sync.Mutex
	ended   chan struct{} // nil until watch
	stopped bool
}

// watch begins to look, and calls gone if the client leaves. The request's body
// must have been read.
func (d *departure) watch(gone context.CancelFunc) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.ended != nil || d.stopped {
		return
	}
	d.ended = make(chan struct{})
	d.conn.readingAhead.Store(true)
	_ = d.on.SetReadDeadline(time.Time{})
	go func() {
		defer close(d.ended)
		if _, err := d.in.Peek(1); err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
			gone()
		}
	}()
}

// stop ends the watch, so that another may read.
func (d *departure) stop() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.stopped = true
	if d.ended == nil {
		return
	}
	_ = d.on.SetReadDeadline(time.Unix(1, 0))
	<-d.ended
	d.conn.readingAhead.Store(false)
}
