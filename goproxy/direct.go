package goproxy

import (
	"context"
	"errors"
	"time"

	"github.com/proxychaos/proxychaos/goproxy/http1"
)

// The first attempt of nearly every request is made by the client's own
// goroutine: write, wait, read, with no goroutine, channel, timer or context.
// What makes goproxy robust begins when such an attempt fails, its address
// leaves, or it is silent for a while: it is then handed to exchange.run,
// where it goes on as one attempt among others.

const (
	// directBody is the largest request body of a direct attempt: with its
	// head it fits into the socket's buffer, so that writing cannot block.
	directBody = 4 << 10
	// directHead bounds the head likewise.
	directHead = 8 << 10
	// directWait bounds the wait where hedging is off.
	directWait = 500 * time.Millisecond
)

// errHandOver says that an attempt goes on, but not in this goroutine.
var errHandOver = errors.New("the attempt takes longer")

// direct makes the first attempt at e where it can be made in this goroutine,
// on a connection that is there. It returns nil where it cannot.
func (x *exchange) direct(e *endpoint) (*attempt, error) {
	if e == nil || e.pool == nil || x.req.body.stream != nil || len(x.req.body.data) > directBody || x.req.size > directHead || x.req.Upgrade != "" {
		return nil, nil
	}
	c := e.pool.get()
	if c == nil {
		return nil, nil
	}
	a := &x.first
	a.endpoint, a.start, a.finished, a.accuses, a.unanswered, a.failed, a.cancel = e, x.start, false, false, "", "", nothing
	a.sent.Store(true)
	a.reused.Store(true)
	a.came.Store(0)
	x.begin(a, firstTry)
	due := x.start.Add(x.up.directWait)
	if c.armed.Before(x.start) || c.armed.After(due) {
		c.arm(due)
	}
	if e.departed.Load() {
		c.wake() // the one that depart gave may have come before the deadline
	}
	a.h1.begin(x, a, c)
	err := c.send(x.req)
	if err == nil {
		err = a.h1.await(due)
	}
	if err == nil || errors.Is(err, errHandOver) {
		return a, err
	}
	a.h1.fail()
	e.release()
	return a, err
}

func nothing() {}

// handOver lets a direct attempt go on in a goroutine of its own.
func (x *exchange) handOver(a *attempt) {
	ctx, cancel := context.WithCancel(x.ctx)
	a.cancel = cancel
	a.h1.unhook = context.AfterFunc(ctx, a.h1.conn.abort)
	go x.finish(a, a.h1.goOn)
}

// await receives until due; from then on, or when the address departs, it
// gives errHandOver and can go on with receive.
func (h *h1Response) await(due time.Time) error {
	for {
		err := h.receive()
		if err == nil || !isTimeout(err) || h.conn.aborted.Load() {
			return err
		}
		if !time.Now().Before(due) {
			return errHandOver
		}
		h.conn.arm(due) // the deadline was one of an earlier request
		if h.attempt.endpoint.departed.Load() {
			return errHandOver
		}
	}
}

// goOn is the rest of an attempt that began directly. The exchange has the
// clock now.
func (h *h1Response) goOn() error {
	for {
		h.conn.arm(time.Time{})
		err := h.receive()
		if err == nil {
			return nil
		}
		if !isTimeout(err) || h.conn.aborted.Load() {
			h.fail()
			return err
		}
	}
}

// send writes a request with its kept body.
func (c *upstreamConn) send(req *request) error {
	c.uses++
	buf := getCopyBuffer()
	defer putCopyBuffer(buf)
	out := c.pool.endpoint.member.appendHead(buf[:0], req)
	if len(out)+len(req.body.data) <= len(buf) {
		_, err := c.Write(append(out, req.body.data...))
		return err
	}
	if _, err := c.Write(out); err != nil {
		return err
	}
	_, err := c.Write(req.body.data)
	return err
}

// appendHead appends the head of the upstream's request.
func (m *member) appendHead(dst []byte, req *request) []byte {
	dst = http1.AppendRequestLine(dst, req.Method, req.target)
	dst = http1.AppendField(dst, "Host", m.hostFor(req))
	dst = http1.AppendHeader(dst, req.header)
	switch {
	case req.Length == http1.Chunked:
		dst = append(dst, "Transfer-Encoding: chunked\r\n"...)
	case req.Length > 0 || req.Method == "POST" || req.Method == "PUT" || req.Method == "PATCH":
		dst = http1.AppendLength(dst, req.Length)
	}
	if req.Continue {
		dst = append(dst, "Expect: 100-continue\r\n"...)
	}
	switch {
	case req.Upgrade != "":
		dst = append(dst, "Connection: Upgrade\r\nUpgrade: "...)
		dst = append(dst, req.Upgrade...)
		dst = append(dst, "\r\n"...)
	case req.Trailers:
		dst = append(dst, "Connection: TE\r\nTE: trailers\r\n"...)
	}
	return append(dst, "\r\n"...)
}
