package goproxy

import (
	"errors"
	"io"
	"log/slog"
	"time"

	"github.com/proxychaos/proxychaos/goproxy/http1"
)

// bodySender copies a streamed request body to an upstream, while the response
// may already be coming.
type bodySender struct {
	from     *upload
	done     chan struct{}
	complete bool // the upstream was sent all; valid when done
}

// lastWrite is how long a response that has ended waits for the last write of
// its request to return: the upstream answers as soon as it has the bytes, which
// may be before the goroutine that sent them goes on. An upstream that answered
// without reading them costs the wait, and its connection.
const lastWrite = 10 * time.Millisecond

// startBody begins to send the body on c. It returns nil when the request is
// over: the client's connection is not to be read any more.
func (x *exchange) startBody(c *upstreamConn) *bodySender {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.closed {
		return nil
	}
	s := &bodySender{from: x.req.body.stream, done: make(chan struct{})}
	go s.run(x.req.Length == http1.Chunked, c, x.up.log)
	return s
}

func (s *bodySender) run(chunked bool, c *upstreamConn, log *slog.Logger) {
	defer caught(log, c.abort)
	s.complete = s.copy(chunked, c)
	close(s.done)
	if s.from.failed() != nil {
		c.abort() // the upstream must see that the body is not whole
	}
}

// copy reports whether the upstream was sent all. What goes wrong on its side is
// seen by who reads the response.
func (s *bodySender) copy(chunked bool, c *upstreamConn) bool {
	buf := getCopyBuffer()
	defer putCopyBuffer(buf)
	const start, end = http1.ChunkRoom, copyBufferSize - len(chunkEnd)
	for {
		n, err := readReady(s.from, buf[start:end])
		ended := errors.Is(err, io.EOF)
		out := buf[start : start+n]
		if n > 0 && chunked {
			out = append(buf[http1.PutChunkSize(buf[:], n):start+n], "\r\n"...)
		}
		if ended && chunked {
			out = http1.AppendTrailer(out, s.from.Trailer())
		}
		if len(out) > 0 {
			// Counted before: the request may be over before Write returns.
			s.from.passed.Add(int64(n))
			if _, err := c.Write(out); err != nil {
				s.from.passed.Add(int64(-n))
				return false
			}
		}
		if ended {
			return true
		}
		if err != nil {
			return false
		}
	}
}

// whole reports whether the body was sent to its end.
func (s *bodySender) whole() bool {
	if !s.from.ended.Load() {
		return false
	}
	select {
	case <-s.done:
		return s.complete
	case <-time.After(lastWrite):
		return false
	}
}
