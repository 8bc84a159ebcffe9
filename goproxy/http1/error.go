package http1

import (
	"errors"
	"net/http"
)

// Error is a message that is malformed, or larger than allowed. The connection
// it came on cannot be used any more.
type Error struct {
	// Status is the answer to a client that sent it: 400, 414, 417, 431, 501
	// or 505. A proxy that gets it from an upstream answers 502.
	Status int
	// Reason says what was wrong, without quoting what was sent.
	Reason string
}

// Error implements error.
func (e *Error) Error() string { return e.Reason }

// StatusOf is the status to answer err with: an Error's own, else 400.
func StatusOf(err error) int {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Status
	}
	return http.StatusBadRequest
}

func malformed(reason string) error { return &Error{http.StatusBadRequest, reason} }

// ErrNotHTTP is a request of another protocol, as its first line shows: where
// the version should be is none, or it does not begin as a method does.
var ErrNotHTTP = malformed("this is not HTTP/1")
