package fakealb

import (
	"context"
	"crypto/tls"
	"net/http"
	"time"

	"github.com/proxychaos/proxychaos/fakealb/record"
)

// exchange is one request and what becomes of it.
type exchange struct {
	server *Server
	c      *clientConn
	v      view // the state it is answered from
	req    *http.Request
	number int             // of the request on its connection, from 1
	ctx    context.Context // ends when the client leaves, once pending was called
	// pending is called when the request's body has been read and the response is
	// waited for.
	pending  func()
	refused  int // status with which the load balancer refuses it, or 0
	received int64
	row      record.Ref
}

// begin opens the row of a request whose headers have been read.
func (s *Server) begin(ctx context.Context, c *clientConn, v view, req *http.Request, state *tls.ConnectionState) *exchange {
	x := &exchange{server: s, c: c, v: v, req: req, ctx: ctx, number: int(c.requests.Add(1))}
	row := record.Attempt{
		Connection: c.id, Request: x.number, Start: time.Now(),
		Node: c.node.addr, Port: c.port, LoadBalancer: v.lb.Name, Peer: c.peer,
		Proto: req.Proto, Method: req.Method, Host: req.Host, Path: req.RequestURI,
		Seq: req.Header.Get(HeaderSeq), Probe: record.IsProbe(c.peer),
	}
	if state != nil {
		row.TLS, row.SNI = true, state.ServerName
	}
	x.row = s.attempts.Add(row)
	return x
}

// end completes the row. A response that was not written to its end has no end.
func (x *exchange) end(status int, sent int64, err error) {
	now, fault := time.Now(), x.c.node.view().fault.Kind
	x.server.attempts.Update(x.row, func(a *record.Attempt) {
		a.Status, a.ReceivedBytes, a.Fault = status, x.received, recordedFault(fault)
		if err == nil {
			a.End, a.SentBytes = now, sent
		}
	})
}
