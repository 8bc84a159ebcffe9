package fakealb

import (
	"crypto/tls"
	"io"
	"log"
	"net/http"
	"strconv"
	"time"

	"golang.org/x/net/http2"
)

// serveHTTP2 speaks HTTP/2 on conn, with the settings of an ALB (2.1.4 D, 2.1.5 O1).
func (s *Server) serveHTTP2(c *clientConn, conn *tls.Conn, state *tls.ConnectionState) {
	_ = c.SetReadDeadline(time.Time{})
	//nolint:staticcheck // net/http serves listeners, not one connection whose handshake is done
	h2 := &http2.Server{
		MaxConcurrentStreams: 128,
		MaxReadFrameSize:     1<<24 - 1,
		IdleTimeout:          s.scaled(c.node.view().lb.Attributes.idleTimeout()),
	}
	h2.ServeConn(conn, &http2.ServeConnOpts{ //nolint:staticcheck // as above
		BaseConfig: &http.Server{MaxHeaderBytes: maxHead, ErrorLog: log.New(io.Discard, "", 0)}, //nolint:gosec // x/net/http2 reads none; IdleTimeout ends what stalls
		Handler: http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
			x := s.begin(req.Context(), c, c.node.view(), req, state)
			x.pending = func() {} // req.Context ends with the stream by itself
			if forwardedFor(req) > maxForwardedFor {
				x.refused = statusTooManyForwarded
			}
			r := s.respond(x)
			sent, err := writeHTTP2(w, x, &r)
			// What the transport still reads of the body ends with this function.
			read, _ := x.sending.progress()
			x.received += read
			x.end(r, sent, err)
			if r.cut != nil {
				r.cut.end(c)
			}
			if err != nil {
				panic(http.ErrAbortHandler) // resets the stream
			}
		}),
	})
}

// writeHTTP2 sends what of the response is to be sent.
func writeHTTP2(w http.ResponseWriter, x *exchange, r *response) (int64, error) {
	if r.status == statusClientGone {
		return 0, errClientGone
	}
	if r.cut != nil {
		r.buffer()
		if !r.cut.midBody {
			return 0, errCut
		}
	}
	h := w.Header()
	for _, f := range append(r.lead, r.trail...) {
		h.Add(f.name, f.value)
	}
	h["Content-Type"] = nil // net/http guesses none
	if r.contentType != "" {
		h.Set("Content-Type", r.contentType)
	}
	if r.date != "" {
		h.Set("Date", r.date)
	}
	if n := r.bodyLength(); n >= 0 && (r.hasBody(x.req.Method) || x.req.Method == http.MethodHead) {
		h.Set("Content-Length", strconv.FormatInt(n, 10))
	}
	x.sentHead = fieldBytes(h)
	w.WriteHeader(r.status)
	switch {
	case r.stream != nil:
		defer r.stream.Close()
	case r.cut != nil:
		_, _ = w.Write(r.cut.part(nil, r.body)) //nolint:gosec // a load balancer passes bodies on as they are
		_ = http.NewResponseController(w).Flush()
		return 0, errCut
	}
	if !r.hasBody(x.req.Method) {
		return 0, nil
	}
	if r.stream != nil {
		return copyFlushing(w, r.stream, http.NewResponseController(w).Flush)
	}
	n, err := w.Write(r.body) //nolint:gosec // a load balancer passes bodies on as they are
	return int64(n), err
}
