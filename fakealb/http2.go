package fakealb

import (
	"crypto/tls"
	"io"
	"log"
	"net/http"
	"strconv"
	"strings"
	"time"

	"golang.org/x/net/http2"
)

// serveHTTP2 speaks HTTP/2 on conn, with the settings of an ALB (2.1.4 D, 2.1.5 O1).
func (s *Server) serveHTTP2(c *clientConn, conn *tls.Conn, state *tls.ConnectionState) {
	_ = c.SetReadDeadline(time.Time{})
	h2 := &http2.Server{
		MaxConcurrentStreams: 128,
		MaxReadFrameSize:     1<<24 - 1,
		IdleTimeout:          s.scaled(idleTimeout),
	}
	h2.ServeConn(conn, &http2.ServeConnOpts{
		BaseConfig: &http.Server{MaxHeaderBytes: maxHead, ErrorLog: log.New(io.Discard, "", 0)},
		Handler: http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
			v := c.node.view()
			x := s.begin(req.Context(), c, v, req, state)
			x.pending = func() {} // req.Context ends with the stream by itself
			if forwardedFor(req) > maxForwardedFor {
				x.refused = statusTooManyForwarded
			}
			r := s.respond(x)
			if r.status == statusClientGone {
				x.end(r.status, 0, errClientGone)
				return
			}
			h := w.Header()
			for _, f := range append(r.lead, r.trail...) {
				h.Set(strings.ToLower(f.name), f.value)
			}
			if r.contentType != "" {
				h.Set("content-type", r.contentType)
			}
			h.Set("content-length", strconv.Itoa(len(r.body)))
			if r.cut == nil || r.cut.midBody {
				w.WriteHeader(r.status)
			}
			if r.cut != nil {
				if b := r.cut.part(nil, r.body); len(b) > 0 {
					_, _ = w.Write(b)
					_ = http.NewResponseController(w).Flush()
				}
				x.end(r.cut.status(r.status), 0, errCut)
				r.cut.end(c)
				panic(http.ErrAbortHandler) // resets the stream
			}
			sent, err := 0, error(nil)
			if req.Method != http.MethodHead {
				sent, err = w.Write(r.body)
			}
			x.end(r.status, int64(sent), err)
		}),
	})
}
