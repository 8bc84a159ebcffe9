package soak

import (
	"errors"
	"net/http"
	"net/http/httptrace"
	"sync/atomic"
)

// once is a client that sends nothing again: net/http would, where the proxy
// closes a kept connection without an answer, and so hide it.
type once struct{ *http.Transport }

var errAgain = errors.New("the proxy closed the kept connection without an answer")

// RoundTrip implements http.RoundTripper.
func (o once) RoundTrip(r *http.Request) (*http.Response, error) {
	var written atomic.Int32
	trace := &httptrace.ClientTrace{WroteRequest: func(info httptrace.WroteRequestInfo) {
		if info.Err == nil {
			written.Add(1)
		}
	}}
	res, err := o.Transport.RoundTrip(r.WithContext(httptrace.WithClientTrace(r.Context(), trace)))
	if err == nil && written.Load() > 1 {
		_ = res.Body.Close() // the answer to what should not have been sent
		return nil, errAgain
	}
	return res, err
}
