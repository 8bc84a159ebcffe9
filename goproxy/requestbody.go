package goproxy

import (
	"errors"
	"fmt"
	"io"
	"os"

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
	b.data = make([]byte, req.Length)
	if _, err := io.ReadFull(from, b.data); err != nil {
		return &clientError{"read the request body", err}
	}
	return nil
}

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
