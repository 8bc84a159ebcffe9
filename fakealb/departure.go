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

// departure notices that a client leaves while a request is pending, by reading
// ahead for its next request. What it reads is kept in the buffer. A connection uses
// one for many requests: a timer that is set again and again costs less than as
// many timers, each of which wakes a sleeping thread.
type departure struct {
	conn *clientConn
	in   *bufio.Reader
	on   net.Conn // conn, or TLS over it

	mu       sync.Mutex
	timer    *time.Timer // nil until the first watch
	watching bool
	gone     context.CancelFunc // of the watch
	ended    chan struct{}      // nil until it looks
	stopped  bool               // there is no watch any more until begin
}

// lookAfter is when a watch begins to look. Most responses come before, and need
// no goroutine that looks.
const lookAfter = 20 * time.Millisecond

// begin is called with each request, whose head was read from in.
func (d *departure) begin(in *bufio.Reader) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.in, d.stopped = in, false
}

// watch looks for the client's departure from lookAfter on, and calls gone when it
// leaves. The request's body must have been read.
func (d *departure) watch(gone context.CancelFunc) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.watching || d.stopped {
		return
	}
	d.watching, d.gone = true, gone
	if d.timer == nil {
		d.timer = time.AfterFunc(lookAfter, d.look)
	} else {
		d.timer.Reset(lookAfter)
	}
}

func (d *departure) look() {
	d.mu.Lock()
	if d.stopped {
		d.mu.Unlock()
		return
	}
	gone := d.gone
	d.ended = make(chan struct{})
	defer close(d.ended)
	d.conn.readingAhead.Store(true)
	_ = d.on.SetReadDeadline(time.Time{})
	d.mu.Unlock()
	if _, err := d.in.Peek(1); err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
		gone()
	}
}

// stop ends the watch, so that another may read. It returns what the next request
// is to use: another departure if this one's timer has fired, as look may be about
// to begin.
func (d *departure) stop() *departure {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.stopped = true
	if !d.watching || d.timer.Stop() {
		d.watching, d.gone = false, nil
		return d
	}
	if d.ended != nil {
		_ = d.on.SetReadDeadline(time.Unix(1, 0))
		<-d.ended
		d.conn.readingAhead.Store(false)
	}
	return &departure{conn: d.conn, on: d.on}
}
