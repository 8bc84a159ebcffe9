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
	timer   *time.Timer   // of the watch; nil until then
	ended   chan struct{} // nil until it looks
	stopped bool
}

// lookAfter is when a watch begins to look. Most responses come before, and need
// no goroutine that looks.
const lookAfter = 5 * time.Millisecond

// watch looks for the client's departure from lookAfter on, and calls gone when it
// leaves. The request's body must have been read.
func (d *departure) watch(gone context.CancelFunc) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.timer == nil && !d.stopped {
		d.timer = time.AfterFunc(lookAfter, func() { d.look(gone) })
	}
}

func (d *departure) look(gone context.CancelFunc) {
	d.mu.Lock()
	if d.stopped {
		d.mu.Unlock()
		return
	}
	d.ended = make(chan struct{})
	defer close(d.ended)
	d.conn.readingAhead.Store(true)
	_ = d.on.SetReadDeadline(time.Time{})
	d.mu.Unlock()
	if _, err := d.in.Peek(1); err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
		gone()
	}
}

// stop ends the watch, so that another may read.
func (d *departure) stop() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.stopped = true
	if d.timer != nil {
		d.timer.Stop()
	}
	if d.ended == nil {
		return
	}
	_ = d.on.SetReadDeadline(time.Unix(1, 0))
	<-d.ended
	d.conn.readingAhead.Store(false)
}
