package goproxy

import (
	"errors"
	"io"
	"net"
	"sync/atomic"
	"time"

	"github.com/proxychaos/proxychaos/goproxy/http1"
)

// tunnel passes a 101 on, and then bytes both ways until one side breaks off,
// both have ended, or nothing has passed for Timeouts.Tunnel.
func (c *clientConn) tunnel(req *request, resp *response) error {
	c.keep = false
	h, ok := resp.body.(*h1Response)
	if !ok {
		return fail(req, errors.New("the upstream switches protocols on a connection that has others' requests"))
	}
	up := h.hijack()
	c.watcher.stop(c)
	out := http1.AppendHeader(http1.AppendStatusLine(nil, resp.Status, reasonOf(&resp.Response)), resp.Header)
	out = http1.AppendField(out, "Connection", "Upgrade")
	out = append(http1.AppendField(out, "Upgrade", resp.Upgrade), "\r\n"...)
	out = append(out, up.r.Detach()...)
	if err := c.write(out); err != nil {
		return err
	}
	if rest := c.r.Detach(); len(rest) > 0 {
		if _, err := up.Write(rest); err != nil {
			return err
		}
	}
	if !c.proxy.clients.setApart(c) {
		return nil // closed by the drain
	}
	_ = c.SetDeadline(time.Time{}) // fails on a closed connection, as the copies will
	up.arm(time.Time{})
	t := &tunnel{idle: time.Duration(req.route.up.cfg.Timeouts.Tunnel)}
	t.last.Store(time.Now().UnixNano())
	t.goesOn(c.Conn)
	t.goesOn(up.Conn)
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		defer caught(c.proxy.log, func() { _ = up.Close() })
		req.sent = t.pass(up.Conn, c.Conn)
	}()
	req.bytes = t.pass(c.Conn, up.Conn)
	<-sent
	return nil
}

// tunnel is an upgraded connection.
type tunnel struct {
	idle time.Duration // 0 or less for no limit
	last atomic.Int64  // unix ns; a byte passed, either way
}

// tunnelBuffer is what each direction of a tunnel costs while little passes.
const tunnelBuffer = 4 << 10

// pass copies until from ends, and then ends the sending side of to. After an
// error both are closed, so that the other direction ends too.
func (t *tunnel) pass(to, from net.Conn) int64 {
	n, err := t.copy(to, from)
	half, ok := to.(interface{ CloseWrite() error })
	if err != nil || !ok || half.CloseWrite() != nil {
		_ = to.Close()
		_ = from.Close()
	}
	return n
}

func (t *tunnel) copy(to, from net.Conn) (copied int64, err error) {
	small := make([]byte, tunnelBuffer)
	var large *[copyBufferSize]byte // while much passes
	defer func() {
		if large != nil {
			putCopyBuffer(large)
		}
	}()
	var armed time.Time // the write deadline in force
	for {
		buf := small
		if large != nil {
			buf = large[:]
		}
		n, err := from.Read(buf)
		if n > 0 {
			now := time.Now()
			t.last.Store(now.UnixNano())
			if t.idle > 0 && armed.Before(now.Add(t.idle/2)) {
				armed = now.Add(t.idle)
				_ = to.SetWriteDeadline(armed) // fails on a closed connection, as the write will
			}
			written, err := to.Write(buf[:n])
			copied += int64(written)
			if err != nil {
				return copied, err
			}
		}
		switch {
		case errors.Is(err, io.EOF):
			return copied, nil
		case err != nil && (!isTimeout(err) || !t.goesOn(from)):
			return copied, err
		case n == len(small) && large == nil:
			large = getCopyBuffer()
		case n < len(small) && large != nil:
			putCopyBuffer(large)
			large = nil
		}
	}
}

// goesOn sets the read deadline anew and reports whether there is time left. One
// that passed may have been set before other bytes passed, or by an address that
// has left DNS: its tunnels remain.
func (t *tunnel) goesOn(from net.Conn) bool {
	if t.idle <= 0 {
		_ = from.SetReadDeadline(time.Time{}) // fails on a closed connection, as the read will
		return true
	}
	due := time.Unix(0, t.last.Load()).Add(t.idle)
	_ = from.SetReadDeadline(due)
	return time.Now().Before(due)
}

// hijack takes the connection of a 101 out of the exchange's hands. Close
// still closes it.
func (h *h1Response) hijack() *upstreamConn {
	if h.unhook != nil {
		h.unhook()
	}
	return h.conn
}
