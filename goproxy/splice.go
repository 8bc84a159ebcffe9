package goproxy

import (
	"errors"
	"io"

	"github.com/proxychaos/proxychaos/goproxy/wire"
)

// spliceFrom is the least rest of a body that is spliced: below it a copy costs
// less than the pipe.
const spliceFrom = 16 << 10

// spliceBody passes the rest of a body of known length on inside the kernel,
// where neither side has TLS. It reports whether it could: if not, nothing was
// passed on.
func (c *clientConn) spliceBody(req *request, resp *response) (bool, error) {
	to, plain := c.Conn.(*wire.Conn)
	h, isHTTP1 := resp.body.(*h1Response)
	if !plain || !isHTTP1 || h.conn == nil || h.conn.Conn != h.conn.tcp || h.body.Unread() < spliceFrom {
		return false, nil
	}
	pipe := wire.GetPipe()
	if pipe == nil {
		return false, nil
	}
	defer pipe.Put()
	for h.body.Unread() > 0 {
		if err := h.fill(pipe); err != nil {
			return true, err
		}
		n, err := c.drain(pipe, to)
		req.bytes += n
		if err != nil {
			return true, err
		}
	}
	return true, nil
}

// fill is Read into a pipe.
func (h *h1Response) fill(pipe *wire.Pipe) error {
	_, err := h.wait(func() (int, error) {
		n, err := pipe.Fill(h.conn.tcp, h.body.Unread())
		h.body.Skip(n)
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return n, err
	})
	return err
}

// drain is write from a pipe. It returns how many bytes were written.
func (c *clientConn) drain(pipe *wire.Pipe, to *wire.Conn) (int64, error) {
	for written := int64(0); ; {
		if err := c.armWrite(); err != nil {
			return written, err
		}
		n, err := pipe.Drain(to)
		written += int64(n)
		if err == nil || n == 0 || !isTimeout(err) {
			return written, err
		}
		// The client is slow, but it takes something.
	}
}
