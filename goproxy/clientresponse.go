package goproxy

import (
	"errors"
	"io"
	"net/http"

	"github.com/proxychaos/proxychaos/goproxy/http1"
)

// respond implements client.
func (c *clientConn) respond(req *request, resp *response) error {
	if resp.Status == http.StatusSwitchingProtocols {
		return c.tunnel(req, resp)
	}
	if !c.bodyRead(req) || c.proxy.clients.draining.Load() {
		c.keep = false
	}
	if ahead := resp.ahead; ahead != nil {
		head := c.appendHead(ahead.buf[:0:headRoom], req, &resp.Response, false)
		if err := c.writeBehind(head, ahead.buf, headRoom, headRoom+ahead.n); err != nil {
			return err
		}
		req.bytes = int64(ahead.n)
		return nil
	}
	buf := getCopyBuffer()
	defer putCopyBuffer(buf)
	chunked := resp.Length < 0 && req.Minor > 0
	if resp.Length < 0 && !chunked {
		c.keep = false // the end of the connection is the end of the body
	}
	head := c.appendHead(buf[:0:headRoom-http1.ChunkRoom], req, &resp.Response, chunked)
	if resp.Length == 0 {
		return c.write(head)
	}
	if !resp.body.Ready() {
		if err := c.write(head); err != nil {
			return err
		}
		head = nil
	}
	return c.copyBody(req, resp, head, buf, chunked)
}

// chunkEnd is what stands after the data of a chunk, and after the last one.
const chunkEnd = "\r\n0\r\n\r\n"

// copyBody passes a body on as it comes, the first part together with the head
// where that has not been sent.
func (c *clientConn) copyBody(req *request, resp *response, head []byte, buf *[copyBufferSize]byte, chunked bool) error {
	for {
		n, err := readReady(resp.body, buf[headRoom:copyBufferSize-len(chunkEnd)])
		end := errors.Is(err, io.EOF)
		if err != nil && !end && n == 0 {
			if head != nil {
				return fail(req, err) // nothing was sent yet
			}
			return err
		}
		from, to := headRoom, headRoom+n
		var trailer http1.Header
		if chunked {
			if n > 0 {
				from = headRoom - http1.ChunkRoom
				from += http1.PutChunkSize(buf[from:], n)
				to += copy(buf[to:], "\r\n")
			}
			if end {
				trailer = req.route.response.trailer(resp.body.Trailer())
			}
			if end && len(trailer) == 0 {
				to += copy(buf[to:], "0\r\n\r\n")
			}
		}
		if to > from || head != nil {
			if err := c.writeBehind(head, buf, from, to); err != nil {
				return err
			}
		}
		head = nil
		req.bytes += int64(n)
		if err != nil && !end {
			return err
		}
		if !end {
			if done, err := c.spliceBody(req, resp); done {
				return err
			}
			continue
		}
		if len(trailer) > 0 {
			return c.write(http1.AppendTrailer(buf[:0], trailer))
		}
		return nil
	}
}

// writeBehind writes head and buf[from:to] together where the head is small
// enough to be moved to the place before the data.
func (c *clientConn) writeBehind(head []byte, buf *[copyBufferSize]byte, from, to int) error {
	if len(head) > headRoom-http1.ChunkRoom {
		if err := c.write(head); err != nil || from == to {
			return err
		}
		head = nil
	}
	copy(buf[from-len(head):from], head)
	return c.write(buf[from-len(head) : to])
}

// appendHead appends the head that the client gets.
func (c *clientConn) appendHead(dst []byte, req *request, resp *http1.Response, chunked bool) []byte {
	dst = http1.AppendStatusLine(dst, resp.Status, reasonOf(resp))
	dst = http1.AppendHeader(dst, resp.Header)
	switch {
	case chunked:
		dst = append(dst, "Transfer-Encoding: chunked\r\n"...)
	case resp.Length > 0:
		dst = http1.AppendLength(dst, resp.Length)
	case resp.Declared >= 0:
		dst = http1.AppendLength(dst, resp.Declared)
	}
	switch {
	case !c.keep:
		dst = append(dst, "Connection: close\r\n"...)
	case req.Minor == 0:
		dst = append(dst, "Connection: keep-alive\r\n"...)
	}
	return append(dst, "\r\n"...)
}

// answer implements client.
func (c *clientConn) answer(req *request, status int, text string) error {
	req.status = status
	if !c.bodyRead(req) || c.proxy.clients.draining.Load() {
		c.keep = false
	}
	text += "\n"
	resp := http1.Response{Status: status, Length: int64(len(text)), Declared: int64(len(text))}
	resp.Header = localHeader()
	out := c.appendHead(nil, req, &resp, false)
	if req.Method != http.MethodHead {
		out = append(out, text...)
		req.bytes = int64(len(text))
	}
	return c.write(out)
}
