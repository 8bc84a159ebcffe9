package goproxy

import (
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/proxychaos/proxychaos/goproxy/http1"
)

// upload is a request body that is passed on as it comes, and whose turn it is.
type upload struct {
	from   bodyReader
	since  atomic.Int64 // unix ns; since then the upstream is waited for, 0: the client is
	begun  atomic.Bool  // some of it may have been read
	ended  atomic.Bool  // the client's body was read to its end
	passed atomic.Int64 // bytes passed on
	broken atomic.Pointer[clientError]

	reading sync.Mutex // held by who reads from the client, or looks at what it has sent
	over    atomic.Bool
	trailer http1.Header // set by the Read that comes to the end
}

func newUpload(from bodyReader) *upload {
	u := &upload{from: from}
	u.since.Store(time.Now().UnixNano())
	return u
}

// Read implements io.Reader.
func (u *upload) Read(p []byte) (int, error) {
	u.reading.Lock()
	defer u.reading.Unlock()
	if u.over.Load() {
		return 0, net.ErrClosed
	}
	u.begun.Store(true)
	u.since.Store(0)
	n, err := u.from.Read(p)
	switch {
	case err == nil:
	case errors.Is(err, io.EOF):
		u.trailer = u.from.Trailer()
		u.ended.Store(true)
	default:
		fromClient := &clientError{"read the request body", err}
		u.broken.Store(fromClient)
		return n, fromClient // it remains the client's turn
	}
	u.since.Store(time.Now().UnixNano())
	return n, err
}

// Ready implements bodyReader.
func (u *upload) Ready() bool {
	u.reading.Lock()
	defer u.reading.Unlock()
	return !u.over.Load() && u.from.Ready()
}

// Trailer implements bodyReader. The client's body may be that of its next request by
// the time.
func (u *upload) Trailer() http1.Header { return u.trailer }

// failed is what went wrong on the client's side so far.
func (u *upload) failed() error {
	if err := u.broken.Load(); err != nil {
		return err
	}
	return nil
}

// stop ends the reading from the client, if interrupt makes its Read return. The
// client's connection is the caller's again.
func (u *upload) stop(interrupt func()) {
	u.over.Store(true)
	if !u.reading.TryLock() {
		interrupt()
		u.reading.Lock()
	}
	u.reading.Unlock()
}

// left is how much of a limit on the upstream's silence is left; a client that is
// waited for has one of its own.
func (u *upload) left(limit time.Duration) time.Duration {
	if u == nil {
		return 0
	}
	since := u.since.Load()
	if since == 0 {
		return limit
	}
	return limit - time.Since(time.Unix(0, since))
}
