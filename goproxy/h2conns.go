package goproxy

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"

	"golang.org/x/net/http2"
)

// h2Conns is the HTTP/2 connections to one endpoint. net/http makes them and speaks on
// them, but chooses none: its own choice comes with repeats of requests, of which it says
// neither that it makes one nor why.
type h2Conns struct {
	connect func(ctx context.Context) (*http.ClientConn, error)
	gone    context.Context // ends with the endpoint, and every dial with it

	mu      sync.Mutex
	all     []*h2UpstreamConn
	dialing *h2Dial // the one that requests wait for, or nil
	closed  bool    // no connection is kept any more
}

// h2UpstreamConn is one connection to an endpoint.
type h2UpstreamConn struct {
	*http.ClientConn
	used     bool // it has been chosen for a request; guarded by h2Conns.mu
	answered bool // a response came on it, so that its settings are known; likewise
	alone    bool // until then it is for one request only; likewise
}

// h2Dial is a connection that is being made.
type h2Dial struct {
	done chan struct{} // closed when err is set
	err  error
}

// largeHeader is the size, as HTTP/2 counts it, above which a header may be more than an
// upstream takes. Some end the connection for it, with everybody's requests, unless it is
// held back because of their settings.
const largeHeader = 4 << 10

// get returns a connection with a place for one request, and whether it had one before.
// A request with a large header does not share a connection whose settings are not known
// yet.
func (h *h2Conns) get(ctx context.Context, large bool) (c *h2UpstreamConn, reused bool, err error) {
	for range maxDials {
		h.mu.Lock()
		if c := h.reserve(large); c != nil {
			reused, c.used = c.used, true
			h.mu.Unlock()
			return c, reused, nil
		}
		if large {
			h.mu.Unlock()
			return h.own(ctx)
		}
		dial := h.dialing
		if dial == nil {
			dial = &h2Dial{done: make(chan struct{})}
			h.dialing = dial
			go h.dial(dial) //nolint:contextcheck // it is for all that wait, and outlives each of them
		}
		h.mu.Unlock()
		select {
		case <-dial.done:
			if dial.err != nil {
				return nil, false, dial.err
			}
		case <-ctx.Done():
			return nil, false, ctx.Err()
		}
	}
	return nil, false, errNoStream
}

// maxDials is how many connections a request waits for. On each of them there may be no
// place, because others were faster or because the upstream takes no request.
const maxDials = 16

var errNoStream = fmt.Errorf("no place for a request on %d connections", maxDials)

// reserve takes a place on a connection, or returns nil, and forgets those that have
// ended. The caller holds mu.
func (h *h2Conns) reserve(large bool) *h2UpstreamConn {
	h.all = slices.DeleteFunc(h.all, func(c *h2UpstreamConn) bool { return c.Err() != nil })
	for _, c := range h.all {
		if (!c.alone || c.answered) && (!large || c.answered) && c.Reserve() == nil {
			return c
		}
	}
	return nil
}

// dial makes a connection for all that wait for one.
func (h *h2Conns) dial(d *h2Dial) {
	conn, err := h.connect(h.gone)
	if err == nil {
		h.add(&h2UpstreamConn{ClientConn: conn})
	}
	h.mu.Lock()
	h.dialing, d.err = nil, err
	h.mu.Unlock()
	close(d.done)
}

// own makes a connection for one request.
func (h *h2Conns) own(ctx context.Context) (*h2UpstreamConn, bool, error) {
	conn, err := h.connect(ctx)
	if err != nil {
		return nil, false, err
	}
	c := &h2UpstreamConn{ClientConn: conn, used: true, alone: true}
	if err := conn.Reserve(); err != nil {
		_ = conn.Close() // the first error says more
		return nil, false, err
	}
	h.add(c)
	return c, false, nil
}

func (h *h2Conns) add(c *h2UpstreamConn) {
	h.mu.Lock()
	h.all = append(h.all, c)
	closed := h.closed
	h.mu.Unlock()
	if closed {
		c.SetStateHook(h.changed)
	}
}

// answer notes that a response came on c.
func (h *h2Conns) answer(c *h2UpstreamConn) {
	h.mu.Lock()
	c.answered = true
	h.mu.Unlock()
}

// close ends what is idle now, and later what becomes so.
func (h *h2Conns) close() {
	h.mu.Lock()
	h.closed = true
	all := slices.Clone(h.all)
	h.mu.Unlock()
	for _, c := range all {
		c.SetStateHook(h.changed)
	}
	h.endIdle()
}

// changed is net/http's hook. It may be called where mu is held.
func (h *h2Conns) changed(*http.ClientConn) { go h.endIdle() }

// endIdle ends connections without a request.
func (h *h2Conns) endIdle() {
	h.mu.Lock()
	var idle []*h2UpstreamConn
	h.all = slices.DeleteFunc(h.all, func(c *h2UpstreamConn) bool {
		if c.InFlight() > 0 {
			return false
		}
		idle = append(idle, c)
		return true
	})
	h.mu.Unlock()
	for _, c := range idle {
		_ = c.Close() // it may have ended
	}
}

// errUnprocessed says that an upstream did nothing for a request that it was sent, so that
// it may be sent again, whatever its method.
var errUnprocessed = errors.New("the upstream did not process the request")

// net/http's errors for requests that the upstream has not processed: they were not sent,
// or their stream is above the last one of a GOAWAY (RFC 9113, 6.8). The errors themselves
// are not exported.
var unprocessed = []string{
	"http2: client conn not usable",
	"http2: client conn is closed",
	"http2: client conn could not be established",
	"http2: Transport received Server's graceful shutdown GOAWAY",
	"http2: Transport received GOAWAY from server ErrCode:",
}

// isUnprocessed reports whether an error of a request says that nothing was done for it.
// A stream that is refused is the other case (RFC 9113, 8.7).
func isUnprocessed(err error) bool {
	if stream, is := errors.AsType[http2.StreamError](err); is {
		return stream.Code == http2.ErrCodeRefusedStream
	}
	return slices.ContainsFunc(unprocessed, func(text string) bool { return strings.HasPrefix(err.Error(), text) })
}
