package goproxy

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/proxychaos/proxychaos/goproxy/http1"
)

// bufferedRequest is the largest request body that is kept to be sent again.
const bufferedRequest = 64 << 10

// requestBody is the client's body: kept in data, where it was small enough,
// or a stream that can be sent once. Neither is set when there is none.
type requestBody struct {
	data   []byte
	stream *upload
}

// bodyReader is a body that is read once.
type bodyReader interface {
	readyReader
	// Trailer is valid once Read has returned io.EOF.
	Trailer() http1.Header
}

// readyReader is what can be read without waiting, as far as it knows.
type readyReader interface {
	io.Reader
	// Ready reports whether Read would return at once, as far as is known.
	Ready() bool
}

// readReady reads what is there, at least something. Chunks come one by one,
// however small; each would else be a packet on the other side.
func readReady(from readyReader, p []byte) (n int, err error) {
	for {
		m, err := from.Read(p[n:])
		n += m
		if err != nil || n == len(p) || !from.Ready() {
			return n, err
		}
	}
}

// read takes in a body of known small length whole, so that it can be sent
// more than once. The client's connection is the only thing it waits for.
func (b *requestBody) read(req *http1.Request, from bodyReader) error {
	// A client that waits for "100 Continue" shall wait for the backend's.
	if req.Length < 0 || req.Length > bufferedRequest || req.Continue {
		b.stream = newUpload(from)
		return nil
	}
	for left := int(req.Length); left > 0; {
		have := len(b.data)
		part := min(left, max(firstRoom, have))
		b.data = slices.Grow(b.data, part)[:have+part]
		if _, err := io.ReadFull(from, b.data[have:]); err != nil {
			return &clientError{"read the request body", err}
		}
		left -= part
	}
	return nil
}

// firstRoom is the memory that a body gets before any of it has come, and then again as
// much as has come: what a client says that it will send must cost no more than what it
// sends.
const firstRoom = 4 << 10

// whole reports whether all of the body is still there to be sent.
func (b *requestBody) whole() bool { return b.stream == nil || !b.stream.begun.Load() }

// passed is how many bytes of the body an upstream was sent.
func (b *requestBody) passed() int64 {
	if b.stream != nil {
		return b.stream.passed.Load()
	}
	return int64(len(b.data))
}

// clientError is a failure on the client's side of the proxy.
type clientError struct {
	doing string
	err   error
}

func (e *clientError) Error() string { return e.doing + ": " + e.err.Error() }
func (e *clientError) Unwrap() error { return e.err }

// isTimeout reports whether a connection's deadline passed.
func isTimeout(err error) bool { return errors.Is(err, os.ErrDeadlineExceeded) }

var errSlowBody = fmt.Errorf("the client sent nothing for too long: %w", os.ErrDeadlineExceeded)
