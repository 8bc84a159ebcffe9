package fakealb

import (
	"context"
	"crypto/tls"
	"fmt"
	"net/http"
	"time"

	"github.com/proxychaos/proxychaos/fakealb/desync"
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
	verdict  desync.Verdict
	once     bool // the connections to client and target end after it (2.6 D)
	tls      *tls.ConnectionState
	sending  *sentBody // its body on the way to a target; nil without
	received int64     // bytes of its body
	trace    string    // see traceID
	// target is the target of a target group that got it, if one did.
	target       string
	group        string // its target group
	inProcess    bool   // it is a built-in one of the group
	tried        []string
	failedOpen   bool // too few targets were healthy, so it got it regardless
	tlsFailed    bool // with the target
	targetStatus int  // what a target answered; 0 if none did
	builtIn      int  // number of the built-in target that answered, or 0
	// start is when the headers had been read, sentAt when a target had been
	// reached, headAt when its answer, or its failure, was known.
	start, sentAt, headAt time.Time
	sentHead              int64 // bytes of the response's head
	row                   record.Ref
}

// begin opens the row of a request whose headers have been read.
func (s *Server) begin(ctx context.Context, c *clientConn, v view, req *http.Request, state *tls.ConnectionState) *exchange {
	x := &exchange{server: s, c: c, v: v, req: req, ctx: ctx, tls: state, start: time.Now(), number: int(c.requests.Add(1))}
	row := record.Attempt{
		Connection: c.id, Request: x.number, Start: x.start,
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

// targetName is the target that got the request, empty for none.
func (x *exchange) targetName() string {
	switch {
	case x.inProcess:
		return fmt.Sprintf("%s:%d", x.target, x.c.port)
	case x.target != "":
		return x.target
	case x.builtIn > 0:
		return fmt.Sprintf("t%d:%d", x.builtIn, x.c.port)
	}
	return ""
}

// end completes the row. A response that was not written to its end has no end.
func (x *exchange) end(r response, sent int64, err error) {
	now, fault := time.Now(), x.c.node.view().fault.Kind
	status := r.status
	if (r.cut != nil && !r.cut.midBody) || (status == statusClientGone && x.c.endedByFault()) {
		status = 0
	}
	if r.cut == nil && status != 0 {
		head := fieldBytes(x.req.Header) + int64(len(x.req.Method)+len(x.req.RequestURI)+len("  HTTP/1.1\r\n\r\n"))
		x.server.access.write(logEntry{
			x: x, c: x.c, v: x.v, tls: x.tls, start: x.start, end: now, status: r.status,
			received: head + x.received, sent: x.sentHead + sent, verdict: x.verdict,
		})
		x.server.metrics.countExchange(x, status, head+x.received+x.sentHead+sent)
	}
	x.server.attempts.Update(x.row, func(a *record.Attempt) {
		a.Status, a.ReceivedBytes, a.SentBytes, a.Fault = status, x.received, sent, recordedFault(fault)
		a.TargetStatus = x.targetStatus
		a.Target = x.targetName()
		if err == nil {
			a.End = now
		}
	})
}
