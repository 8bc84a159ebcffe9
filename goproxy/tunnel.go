package goproxy

import (
	"errors"
	"io"
	"net"
	"time"

	"github.com/proxychaos/proxychaos/goproxy/http1"
)

// tunnel passes a 101 on, and then bytes both ways until one side breaks off
// or both have ended. There is no timeout: such connections are silent for as
// long as they like.
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
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		pass(up.Conn, c.Conn)
	}()
	req.bytes = pass(c.Conn, up.Conn)
	<-sent
	return nil
}

// pass copies until from ends, and then ends the sending side of to. After an
// error both are closed, so that the other direction ends too.
func pass(to, from net.Conn) int64 {
	n, err := io.Copy(to, from)
	half, ok := to.(interface{ CloseWrite() error })
	if err != nil || !ok || half.CloseWrite() != nil {
		_ = to.Close()
		_ = from.Close()
	}
	return n
}

// hijack takes the connection of a 101 out of the exchange's hands. Close
// still closes it.
func (h *h1Response) hijack() *upstreamConn {
	if h.unhook != nil {
		h.unhook()
	}
	return h.conn
}
