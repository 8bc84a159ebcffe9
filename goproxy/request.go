package goproxy

import (
	"bytes"
	"io"
	"net/http"
	"strings"
)

// bufferedRequest is the largest request body that is kept to be sent again.
const bufferedRequest = 64 << 10

// requestBody is the client's body in a form that attempts can share.
type requestBody struct {
	data   []byte // the whole body, where it was small enough to keep
	kept   bool
	stream onceReader // else
}

// newRequestBody reads a body of known small length whole, so that it can be
// sent more than once. The client's connection is the only thing it waits for.
func newRequestBody(req *http.Request) (*requestBody, error) {
	if req.Body == nil || req.Body == http.NoBody || req.ContentLength == 0 {
		return &requestBody{kept: true}, nil
	}
	// A client that waits for "100 Continue" shall wait for the backend's.
	if req.ContentLength < 0 || req.ContentLength > bufferedRequest || req.Header.Get("Expect") != "" {
		return &requestBody{stream: onceReader{req.Body}}, nil
	}
	data := make([]byte, req.ContentLength)
	if _, err := io.ReadFull(req.Body, data); err != nil {
		return nil, &clientError{err}
	}
	return &requestBody{data: data, kept: true}, nil
}

// clientError is a failure on the client's side of the proxy.
type clientError struct{ err error }

func (e *clientError) Error() string { return "read the request body: " + e.err.Error() }
func (e *clientError) Unwrap() error { return e.err }

// attach gives req the body for one attempt.
func (b *requestBody) attach(req *http.Request) {
	switch {
	case !b.kept:
		req.Body = b.stream
		req.GetBody = nil
	case len(b.data) == 0:
		req.Body = nil
		req.GetBody = nil
	default:
		req.GetBody = func() (io.ReadCloser, error) {
			return io.NopCloser(bytes.NewReader(b.data)), nil
		}
		req.Body = io.NopCloser(bytes.NewReader(b.data))
	}
}

// onceReader is a body that can be sent once. The transport does not read it
// before it has a connection, so attempts that never got one leave it whole;
// but it closes it, which must do nothing.
type onceReader struct{ io.Reader }

func (onceReader) Close() error { return nil }

// repeatable reports whether sending req a second time is safe: an idempotent
// method (RFC 9110, 9.2.2) whose body, if any, was kept. An upgrade is not.
func repeatable(req *http.Request, body *requestBody) bool {
	if !body.kept || req.Header.Get("Upgrade") != "" {
		return false
	}
	switch req.Method {
	case http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodPut, http.MethodDelete, http.MethodTrace:
		return true
	}
	return false
}

// hideIdempotencyKey writes the header names in which net/http's transport
// would see leave to repeat a POST by itself in lower case, which means the
// same to every reader but that one.
func hideIdempotencyKey(h http.Header) {
	for _, name := range []string{"Idempotency-Key", "X-Idempotency-Key"} {
		if values, ok := h[name]; ok {
			delete(h, name)
			h[strings.ToLower(name)] = values
		}
	}
}
