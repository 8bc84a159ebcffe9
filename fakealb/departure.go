package fakealb

import (
	"bufio"
	"context"
	"errors"
	"os"
	"sync"
	"time"
)

// departure notices that a client leaves while its request is pending, by
// reading ahead for its next request. What it reads stays in the buffer.
type departure struct {
	conn   *clientConn
	in     *bufio.Reader
	gone   context.CancelFunc
	setEnd func(time.Time) error

	mu      sync.Mutex
	ended   chan struct{} // nil until watch
	stopped bool
}

// watch begins to look. The request's body must have been read.
func (d *departure) watch() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.ended != nil || d.stopped {
		return
	}
	d.ended = make(chan struct{})
	d.conn.readingAhead.Store(true)
	_ = d.setEnd(time.Time{})
	go func() {
		defer close(d.ended)
		if _, err := d.in.Peek(1); err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
			d.gone()
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
	_ = d.setEnd(time.Unix(1, 0))
	<-d.ended
	d.conn.readingAhead.Store(false)
}
