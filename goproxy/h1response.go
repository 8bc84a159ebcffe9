package goproxy

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/proxychaos/proxychaos/goproxy/http1"
)

const (
	// aheadSize is the largest response that is read whole before it is passed
	// on, where the request can be repeated: a connection that breaks in the
	// middle of it then costs a retry and not a failed request.
	aheadSize = 32 << 10
	// maxResponseHead bounds what an upstream may say before the body.
	maxResponseHead = 64 << 10
	// maxInformed bounds the 1xx responses before a response.
	maxInformed = 100
	// watchAfter is the silence inside a body after which the client is
	// watched, because only a write would show that it has gone.
	watchAfter = time.Second
)

// aheadBody is a small body in memory, behind room for its head.
type aheadBody struct {
	buf *[copyBufferSize]byte
	n   int
}

// h1Response reads one response from a connection. It is the response's body.
// Each method can be called again after a timeout of the connection.
type h1Response struct {
	x        *exchange
	attempt  *attempt
	conn     *upstreamConn // nil when the response is over
	body     http1.Body
	hasHead  bool
	informed int // 1xx responses
	ahead    aheadBody
	sender   *bodySender // of a streamed request body
	unhook   func() bool // takes the context off the connection

	waiting time.Time // since when the body is waited for
	watched bool
}

func (h *h1Response) begin(x *exchange, a *attempt, c *upstreamConn) {
	*h = h1Response{x: x, attempt: a, conn: c}
}

// receive reads the head, and a small body.
func (h *h1Response) receive() error {
	resp := &h.attempt.resp
	for !h.hasHead {
		text, err := h.conn.r.Head(maxResponseHead)
		if err != nil {
			return notEnd(err)
		}
		if err := resp.Parse(text, h.x.req.Method); err != nil {
			return fmt.Errorf("the upstream's response is malformed: %w", err)
		}
		h.attempt.endpoint.heard()
		if resp.Status < 200 && resp.Status != http.StatusSwitchingProtocols {
			if h.informed++; h.informed > maxInformed {
				return fmt.Errorf("the upstream sent %d interim responses before the final one", h.informed)
			}
			if err := h.x.inform(&resp.Response); err != nil {
				return err
			}
			continue
		}
		if resp.Status == http.StatusSwitchingProtocols && h.x.req.Upgrade == "" {
			return errors.New("the upstream switches protocols without being asked")
		}
		h.hasHead = true
		h.body.Reset(h.conn.r, resp.Length)
		resp.body, resp.ahead = h, nil
		if !h.x.up.fail[resp.Status] {
			h.attempt.endpoint.alive()
		}
	}
	if resp.Length == 0 && resp.Status != http.StatusSwitchingProtocols {
		h.end(true)
		return nil
	}
	if h.x.repeatable && resp.Length > 0 && resp.Length <= aheadSize {
		return h.readAhead()
	}
	return nil
}

// readAhead reads a small body whole.
func (h *h1Response) readAhead() error {
	if h.ahead.buf == nil {
		h.ahead.buf = getCopyBuffer()
		h.attempt.came.Store(h.attempt.endpoint.lastByte.Load()) // the head's, just now
	}
	for !h.body.Ended() {
		n, err := h.body.Read(h.ahead.buf[headRoom+h.ahead.n:])
		h.ahead.n += n
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		if !h.body.Ended() {
			h.attempt.came.Store(time.Now().UnixNano())
		}
	}
	h.attempt.resp.ahead = &h.ahead
	h.end(true)
	return nil
}

// notEnd makes an error of the end of a connection.
func notEnd(err error) error {
	if errors.Is(err, io.EOF) {
		return errors.New("the upstream closed the connection before it answered")
	}
	return err
}

// Read implements io.Reader for the client's goroutine.
func (h *h1Response) Read(p []byte) (int, error) {
	return h.wait(func() (int, error) { return h.body.Read(p) })
}

// wait calls read until it brings something. The upstream may be silent for
// Timeouts.Body; a client that goes away meanwhile ends it sooner.
func (h *h1Response) wait(read func() (int, error)) (int, error) {
	if h.conn != nil {
		h.waiting = time.Now()
		if next := h.next(); h.conn.armed.IsZero() || h.conn.armed.After(next) {
			h.conn.arm(next)
		}
	}
	for {
		n, err := read()
		if err == nil || n > 0 || errors.Is(err, io.EOF) {
			return n, err
		}
		if isTimeout(err) && !h.conn.aborted.Load() {
			err = h.goOnWaiting()
		}
		if err != nil {
			return 0, err
		}
	}
}

// next is when the wait for the body is to be looked at again; zero for never.
func (h *h1Response) next() time.Time {
	limit := time.Duration(h.x.up.cfg.Timeouts.Body)
	switch {
	case !h.watched && (limit <= 0 || limit > watchAfter):
		return h.waiting.Add(watchAfter)
	case limit <= 0:
		return time.Time{}
	default:
		return h.waiting.Add(limit)
	}
}

// goOnWaiting is called when the deadline has passed, which may have been one
// for an earlier wait.
func (h *h1Response) goOnWaiting() error {
	waited := time.Since(h.waiting)
	if limit := time.Duration(h.x.up.cfg.Timeouts.Body); limit > 0 && waited >= limit {
		return fmt.Errorf("the response body was silent for %v", limit)
	}
	if !h.watched && waited >= watchAfter {
		h.watched = true
		if h.unhook == nil {
			h.unhook = context.AfterFunc(h.x.req.client.watch(), h.conn.abort)
		}
	}
	h.conn.arm(h.next())
	return nil
}

// Trailer implements responseBody.
func (h *h1Response) Trailer() http1.Header { return h.body.Trailer() }

// Ready implements responseBody.
func (h *h1Response) Ready() bool { return h.body.Ready() }

// Close implements responseBody.
func (h *h1Response) Close() {
	if h.conn != nil {
		h.end(h.body.Ended() && h.attempt.resp.Status != http.StatusSwitchingProtocols)
	}
	if h.ahead.buf != nil {
		putCopyBuffer(h.ahead.buf)
		h.ahead.buf = nil
	}
}

// end gives the connection back where it can be used again, and counts the
// attempt out.
func (h *h1Response) end(whole bool) {
	c := h.conn
	h.conn = nil
	unhooked := h.unhook == nil || h.unhook()
	sent := h.sender == nil || h.sender.whole()
	if whole && unhooked && sent && !h.attempt.resp.Close && c.r.Buffered() == 0 {
		c.pool.put(c)
	} else {
		c.pool.drop(c)
	}
	h.attempt.endpoint.release()
	h.attempt.cancel()
}

// fail drops the connection of an attempt that brought nothing. Counting the
// attempt out is the caller's.
func (h *h1Response) fail() {
	if h.unhook != nil {
		h.unhook()
	}
	h.conn.pool.drop(h.conn)
	h.conn = nil
	if h.ahead.buf != nil {
		putCopyBuffer(h.ahead.buf)
		h.ahead.buf = nil
	}
}

// roundTrip implements transport.
func (p *pool) roundTrip(ctx context.Context, x *exchange, a *attempt) error {
	c, err := p.connection(ctx, x, a)
	if err != nil {
		return err
	}
	a.reused.Store(c.uses > 0)
	a.sent.Store(true)
	a.h1.begin(x, a, c)
	a.h1.unhook = context.AfterFunc(ctx, c.abort)
	c.arm(time.Time{})
	if err := c.send(x.req); err != nil {
		a.h1.fail()
		return err
	}
	if x.req.body.stream != nil {
		if a.h1.sender = x.startBody(c); a.h1.sender == nil {
			a.h1.fail()
			return context.Canceled
		}
	}
	return a.h1.goOn()
}
