package fakealb

import (
	"bufio"
	"crypto/tls"
	"errors"
	"io"
	"math"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/proxychaos/proxychaos/fakealb/record"
)

// maxHeaderBytes is an ALB's limit for all request headers together (2.1.3 D).
const maxHeaderBytes = 64 << 10

// bufferBytes is the read buffer, and so how far a request may exceed
// maxHeaderBytes unnoticed.
const bufferBytes = 4 << 10

// serveHTTP1 speaks HTTP/1 on conn, which is c itself or TLS over it. It is our
// own loop around net/http's parser, not net/http's server, because that one
// writes header fields in an order of its own.
func (s *Server) serveHTTP1(c *clientConn, conn net.Conn, state *tls.ConnectionState) {
	limited := &io.LimitedReader{R: conn}
	in := bufio.NewReaderSize(limited, bufferBytes)
	for {
		_ = conn.SetReadDeadline(time.Now().Add(s.scaled(idleTimeout)))
		limited.N = maxHeaderBytes + bufferBytes
		if _, err := in.Peek(1); err != nil {
			return
		}
		req, err := http.ReadRequest(in)
		if err == nil {
			err = checkRequest(req)
		}
		if err != nil {
			if lost(err) {
				return
			}
			r := generated(http.StatusBadRequest, c.node.view().lb.ErrorBody)
			_, _ = conn.Write(append(r.head(time.Now()), r.body...))
			c.endedBy(record.ClosedByNode, howBadRequest)
			drain(c, limited)
			return
		}
		limited.N = math.MaxInt64
		if !s.exchange1(c, conn, req, state) {
			return
		}
	}
}

// exchange1 serves one request and reports whether the connection goes on.
func (s *Server) exchange1(c *clientConn, conn net.Conn, req *http.Request, state *tls.ConnectionState) bool {
	v := c.node.view()
	row, number := s.beginAttempt(c, v, req, state)
	if strings.EqualFold(req.Header.Get("Expect"), "100-continue") {
		// An ALB answers this itself, at once (2.1.8 D).
		if _, err := io.WriteString(conn, "HTTP/1.1 100 Continue\r\n\r\n"); err != nil {
			return false
		}
	}
	r, received := s.respond(c.node, v, number, req)
	how := howResponse
	if time.Since(c.opened) > s.scaled(clientKeepAlive) {
		r.close, how = true, howKeepAliveLimit
	}
	r.close = r.close || req.Close
	out := r.head(time.Now())
	if r.cut != nil {
		if b := r.cut.part(out, r.body); len(b) > 0 {
			_, _ = conn.Write(b)
		}
		s.endAttempt(row, c, r.cut.status(r.status), received, 0, errCut)
		r.cut.end(c)
		return false
	}
	sent := 0
	if req.Method != http.MethodHead {
		out, sent = append(out, r.body...), len(r.body)
	}
	_, err := conn.Write(out)
	s.endAttempt(row, c, r.status, received, int64(sent), err)
	if r.close {
		c.endedBy(record.ClosedByNode, how)
	}
	return err == nil && !r.close
}

// beginAttempt opens the row of a request whose headers have been read, and
// returns the number of the request on its connection.
func (s *Server) beginAttempt(c *clientConn, v view, req *http.Request, state *tls.ConnectionState) (record.Ref, int) {
	row := record.Attempt{
		Connection: c.id, Request: int(c.requests.Add(1)), Start: time.Now(),
		Node: c.node.addr, Port: c.port, LoadBalancer: v.lb.Name, Peer: c.peer,
		Proto: req.Proto, Method: req.Method, Host: req.Host, Path: req.RequestURI,
		Seq: req.Header.Get(HeaderSeq), Probe: record.IsProbe(c.peer),
	}
	if state != nil {
		row.TLS, row.SNI = true, state.ServerName
	}
	return s.attempts.Add(row), row.Request
}

// endAttempt completes the row. A response that could not be written has a
// status but no end.
func (s *Server) endAttempt(ref record.Ref, c *clientConn, status int, received, sent int64, err error) {
	now, fault := time.Now(), c.node.view().fault.Kind
	s.attempts.Update(ref, func(a *record.Attempt) {
		a.Status, a.ReceivedBytes, a.Fault = status, received, recordedFault(fault)
		if err == nil {
			a.End, a.SentBytes = now, sent
		}
	})
}

// checkRequest refuses what net/http's parser lets through to its server.
func checkRequest(req *http.Request) error {
	if req.ProtoMajor != 1 {
		return errors.New("not HTTP/1")
	}
	if req.ProtoAtLeast(1, 1) && req.Host == "" {
		return errors.New("no Host")
	}
	return nil
}

// lost reports whether err is the end of the connection, and not of the request's
// form.
func lost(err error) bool {
	var netErr *net.OpError
	return errors.Is(err, io.EOF) || errors.Is(err, os.ErrDeadlineExceeded) || errors.As(err, &netErr)
}

// drain reads for a moment what the client still sends, so that closing does not
// turn into a reset that destroys the response on its way.
func drain(c *clientConn, in io.Reader) {
	_ = c.SetReadDeadline(time.Now().Add(200 * time.Millisecond))
	_, _ = io.CopyN(io.Discard, in, 256<<10)
}
