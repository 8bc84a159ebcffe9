package goproxy

import (
	"context"
	"time"
)

// watcher notices that a client went away while its request waits for the
// upstream. It costs a goroutine, so it is started for those that wait long.
type watcher struct {
	ctx    context.Context // nil when it does not run
	cancel context.CancelCauseFunc
	done   chan struct{} // nil where the connection is being read by another
}

// watch implements client.
func (c *clientConn) watch() context.Context {
	w := &c.watcher
	if w.ctx != nil {
		return w.ctx
	}
	w.ctx, w.cancel = context.WithCancelCause(c.proxy.requests)
	if c.body.conn != nil && !c.body.Ended() {
		return w.ctx // who sends the body sees it
	}
	if c.r.Buffered() > 0 {
		return w.ctx // the next request is there, so the end cannot be seen
	}
	c.arm(time.Time{})
	w.done = make(chan struct{})
	go func() {
		defer close(w.done)
		// What comes is the next request, which can wait, or the end.
		if err := c.r.Fill(); err != nil && !c.stopping.Load() {
			w.cancel(errClientGone)
		}
	}()
	return w.ctx
}

// stop ends the watcher; the connection is the caller's again.
func (w *watcher) stop(c *clientConn) {
	if w.ctx == nil {
		return
	}
	if w.done != nil {
		c.interrupt(w.done)
	}
	w.cancel(nil)
	*w = watcher{}
}
