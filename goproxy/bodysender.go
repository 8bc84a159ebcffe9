package goproxy

import (
	"errors"
	"io"
	"sync/atomic"
	"time"

	"github.com/proxychaos/proxychaos/goproxy/http1"
)

// bodySender copies a streamed request body to an upstream, while the response
// may already be coming.
type bodySender struct {
	done     chan struct{}
	read     atomic.Bool  // the client's body came to its end, and is read no more
	progress atomic.Int64 // unix ns of the last byte from the client
	err      error        // of the client; valid when done
	complete bool         // the upstream was sent all; valid when done
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
	s := &bodySender{done: make(chan struct{})}
	s.progress.Store(time.Now().UnixNano())
	x.req.sending.Store(s)
	go s.run(x.req.body.stream, x.req.Length == http1.Chunked, c)
	return s
}

func (s *bodySender) run(from bodyReader, chunked bool, c *upstreamConn) {
	s.complete, s.err = s.copy(from, chunked, c)
	close(s.done)
	if s.err != nil {
		c.abort() // the upstream must see that the body is not whole
	}
}

// copy returns an error of the client only; the upstream's is seen by who
// reads the response.
func (s *bodySender) copy(from bodyReader, chunked bool, c *upstreamConn) (complete bool, err error) {
	buf := getCopyBuffer()
	defer putCopyBuffer(buf)
	const start, end = http1.ChunkRoom, copyBufferSize - len(chunkEnd)
	for {
		n, err := readReady(from, buf[start:end])
		ended := errors.Is(err, io.EOF)
		if ended {
			s.read.Store(true) // before the upstream can answer
		}
		out := buf[start : start+n]
		if n > 0 {
			s.progress.Store(time.Now().UnixNano())
			if chunked {
				out = append(buf[http1.PutChunkSize(buf[:], n):start+n], "\r\n"...)
			}
		}
		if ended && chunked {
			out = http1.AppendTrailer(out, from.Trailer())
		}
		if len(out) > 0 {
			if _, err := c.Write(out); err != nil {
				return false, nil
			}
		}
		if ended {
			return true, nil
		}
		if err != nil {
			return false, &clientError{err}
		}
	}
}

// whole reports whether the body was sent to its end.
func (s *bodySender) whole() bool {
	if !s.read.Load() {
		return false
	}
	select {
	case <-s.done:
		return s.complete
	case <-time.After(lastWrite):
		return false
	}
}

// clientError is what went wrong on the client's side so far.
func (s *bodySender) clientError() error {
	select {
	case <-s.done:
		return s.err
	default:
		return nil
	}
}

// left is how much of a limit since the last byte is left; none where nothing
// is being sent.
func (s *bodySender) left(limit time.Duration) time.Duration {
	if s == nil {
		return 0
	}
	return limit - time.Since(time.Unix(0, s.progress.Load()))
}
