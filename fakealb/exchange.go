package fakealb

import (
	"context"
	"crypto/tls"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/proxychaos/proxychaos/fakealb/cloud"
	"github.com/proxychaos/proxychaos/fakealb/desync"
	"github.com/proxychaos/proxychaos/fakealb/read"
	"github.com/proxychaos/proxychaos/fakealb/record"
)

// exchange is one request and what becomes of it.
type exchange struct {
	server   *Server
	c        *clientConn
	v        view // the state it is answered from
	req      *http.Request
	number   int                // of the request on its connection, from 1
	ctx      context.Context    // see context
	cancel   context.CancelFunc // of ctx, over HTTP/1
	away     *departure         // over HTTP/1
	body     activeBody         // over HTTP/1, if the request has a body
	refused  int                // status with which the load balancer refuses it, or 0
	verdict  desync.Verdict
	names    read.NameKinds // of its header fields
	hosts    []string       // its fields Host, over HTTP/1
	once     bool           // the connections to client and target end after it (2.6 D)
	tls      *tls.ConnectionState
	sending  *sentBody // its body on the way to a target; nil without
	head     int64     // bytes of its head
	received int64     // bytes of its body
	trace    string    // see traceID
	// target is the target of a target group that got it, if one did.
	target       string
	group        string // its target group
	inProcess    bool   // it is a built-in one of the group
	peers        int    // registered targets of the group
	tried        []string
	failedOpen   bool // too few targets were healthy, so it got it regardless
	tlsFailed    bool // with the target
	routing      routing
	targetStatus int           // what a target answered; 0 if none did
	targetIdle   time.Duration // see record.Attempt
	builtIn      int           // number of the built-in target that answered, or 0
	// start is when the headers had been read, sentAt when a target had been
	// reached, headAt when its answer, or its failure, was known.
	start, sentAt, headAt time.Time
	sentHead              int64 // bytes of the response's head
	row                   record.Ref
	text                  [256]byte // room for the body of a built-in target
}

// context ends when the client leaves, once pending was called. Most requests are
// answered at once and do without one.
func (x *exchange) context() context.Context {
	if x.ctx == nil {
		x.ctx, x.cancel = context.WithCancel(context.Background())
	}
	return x.ctx
}

// pending is called when the request's body has been read and the response is
// waited for. Over HTTP/2 the context ends with the stream by itself.
func (x *exchange) pending() {
	if x.away != nil {
		x.context()
		x.away.watch(x.cancel)
	}
}

// begin opens the row of a request whose headers have been read.
func (s *Server) begin(c *clientConn, v view, req *http.Request, state *tls.ConnectionState) *exchange {
	x := &exchange{server: s, c: c, v: v, req: req, tls: state, start: time.Now(), number: int(c.requests.Add(1))}
	row := record.Attempt{
		Connection: c.id, Request: x.number, Start: x.start,
		Node: c.node.addr, Port: c.port, LoadBalancer: v.lb.Name, Peer: c.peer,
		Proto: req.Proto, Method: req.Method, Host: req.Host, Path: req.RequestURI,
		ForwardedFor: strings.Join(req.Header.Values("X-Forwarded-For"), ", "),
		Seq:          req.Header.Get(HeaderSeq), Probe: record.IsProbe(c.peer),
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
		return x.target + ":" + strconv.Itoa(int(x.c.port))
	case x.target != "":
		return x.target
	case x.builtIn > 0:
		return "t" + strconv.Itoa(x.builtIn) + ":" + strconv.Itoa(int(x.c.port))
	}
	return ""
}

// fault is what the row of the request names: a fault of packets that is in force
// now, since it may keep the response from the client, or else the fault that the
// response was made under.
func (x *exchange) fault() FaultKind {
	if now := x.c.node.view().fault.Kind; faultSpecs[now].packets != "" {
		return now
	}
	if then := x.v.fault.Kind; faultSpecs[then].packets == "" {
		return then
	}
	return FaultNone
}

// end completes the row. A response that was not written to its end has no end.
func (x *exchange) end(r response, sent int64, err error) {
	now, fault := time.Now(), x.fault()
	status := r.status
	if (r.cut != nil && !r.cut.midBody) || (status == cloud.StatusClientGone && x.c.endedByFault()) {
		status = 0
	}
	if r.cut == nil && status != 0 {
		x.server.access.write(logEntry{
			x: x, c: x.c, v: x.v, tls: x.tls, start: x.start, end: now, status: r.status,
			received: x.head + x.received, sent: x.sentHead + sent, verdict: x.verdict,
		})
		x.server.metrics.countExchange(x, status, x.head+x.received+x.sentHead+sent)
	}
	x.server.attempts.Update(x.row, func(a *record.Attempt) {
		a.Status, a.ReceivedBytes, a.SentBytes, a.Fault = status, x.received, sent, recordedFault(fault)
		a.TargetStatus, a.TargetIdleSeconds = x.targetStatus, x.targetIdle.Seconds()
		a.TargetTLSFailed, a.FailedOpen = x.tlsFailed, x.failedOpen
		a.Target = x.targetName()
		if err == nil {
			a.End = now
		}
	})
}
