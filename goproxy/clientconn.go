package goproxy

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/proxychaos/proxychaos/goproxy/http1"
)

// The states of a client's connection, for the drain.
const (
	connNew    = iota // has not sent a byte
	connIdle          // between two requests
	connActive        // has a request
	connApart         // is a tunnel, or HTTP/2
	connClosed        // must not be used any more
)

// clientConn is one HTTP/1 connection from a client. Its goroutine reads a
// request, gets the response and writes it, one after the other.
type clientConn struct {
	net.Conn
	proxy   *Proxy
	r       *http1.Reader
	secure  bool
	remote  string
	subject string // of the client's certificate; "" without one

	proxied *proxiedConn // nil where no PROXY protocol is expected
	state   atomic.Int32
	served  int  // requests
	handed  bool // it is the HTTP/2 server's now

	armed      time.Time // read deadline in force
	writeArmed time.Time // write deadline in force
	keep       bool      // the connection goes on after this response
	body       clientBody
	watcher    watcher
	stopping   atomic.Bool // whoever else reads the connection has to end
}

var requests = sync.Pool{New: func() any { return new(request) }}

// serve is the life of the connection. Its frame is small, as is all that a
// connection needs while it only waits, so that the stack need not grow.
func (c *clientConn) serve() {
	defer c.end()
	defer caught(c.proxy.log, c.breakOff)
	if c.proxied != nil && !c.introduced() {
		return
	}
	if c.secure && !c.handshake() {
		return
	}
	for c.await() && c.next() {
	}
}

// end closes the connection where it is still this goroutine's.
func (c *clientConn) end() {
	if !c.handed {
		_ = c.Close() // the client may have been faster
		c.proxy.clients.remove(c)
	}
	c.proxy.handlers.Done()
}

// introduced reads the PROXY header and reports whether there was one.
func (c *clientConn) introduced() bool {
	if err := c.proxied.readHeader(c.proxy.limits.header); err != nil {
		c.proxy.log.Debug("proxy protocol", "peer", c.remote, "error", err.Error())
		return false
	}
	c.remote = c.proxied.RemoteAddr().String()
	c.arm(time.Now().Add(c.proxy.limits.idle))
	return true
}

// unnamed reports whether a proxy passes the connection on for nobody that it names.
func (c *clientConn) unnamed() bool { return c.proxied != nil && c.proxied.anonymous() }

// handshake makes TLS of the connection and reports whether HTTP/1 is to be
// spoken on it.
func (c *clientConn) handshake() bool {
	secure, ok := c.Conn.(*tls.Conn)
	if !ok {
		return false
	}
	ctx, cancel := context.WithTimeout(c.proxy.requests, c.proxy.limits.header)
	defer cancel()
	if err := secure.HandshakeContext(ctx); err != nil {
		c.proxy.log.Debug("tls handshake", "client", c.remote, "error", err.Error())
		return false
	}
	state := secure.ConnectionState()
	if len(state.VerifiedChains) > 0 {
		c.subject = state.PeerCertificates[0].Subject.String()
	}
	if state.NegotiatedProtocol != "h2" {
		return true
	}
	if !c.proxy.h2.handSecure(c, state) {
		c.linger()
	}
	return false
}

// next serves the request whose first byte is there, and reports whether
// another one may follow.
func (c *clientConn) next() bool {
	req := requests.Get().(*request)
	again := c.request(req)
	if !req.exchange.shared {
		requests.Put(req)
	}
	return again
}

// await waits for the first byte of a request, or after an empty line. A connection
// that waits costs no buffer.
func (c *clientConn) await() bool {
	since := time.Now()
	waits := int32(connIdle)
	if c.served == 0 {
		waits = connNew
	}
	c.state.Store(waits)
	due := since.Add(c.proxy.limits.idle)
	if c.proxy.clients.draining.Load() && c.served > 0 {
		due = since.Add(min(keptGrace, c.proxy.limits.idle))
	}
	if c.armed.IsZero() || c.armed.After(due) {
		c.arm(due)
	}
	for told := false; ; {
		if told = told || c.r.SkipEmptyLine(); told && c.r.Buffered() > 0 {
			break
		}
		err := c.r.Fill()
		if err == nil {
			continue
		}
		if !isTimeout(err) || !time.Now().Before(due) {
			return false
		}
		c.arm(due)
	}
	return c.state.CompareAndSwap(waits, connActive)
}

// arm sets the read deadline. One that is in force and earlier is left there:
// when it fires, the reader sets the right one.
func (c *clientConn) arm(t time.Time) {
	c.armed = t
	_ = c.SetReadDeadline(t) // fails on a closed connection, as the read will
	if c.stopping.Load() {
		_ = c.SetReadDeadline(longAgo)
	}
}

// request serves one request and reports whether another one may follow.
func (c *clientConn) request(req *request) bool {
	start := time.Now()
	req.remote, req.local, req.secure, req.source, req.size = c.remote, c.LocalAddr(), c.secure, nil, 0
	req.subject, req.unnamed = c.subject, c.unnamed()
	c.keep = true
	text, err := c.readHead(start)
	if err == nil && text == h2Preface && c.served == 0 && c.proxy.h2.plain {
		c.proxy.h2.handPlain(c, text)
		return false
	}
	c.served++
	if err == nil {
		err = req.Parse(text)
	}
	if c.served == 1 && c.proxy.h2.plain && errors.Is(err, http1.ErrNotHTTP) {
		c.linger() // an invalid preface of HTTP/2 (RFC 9113, section 3.4)
		return false
	}
	if err != nil {
		c.refuse(req, start, err)
		return false
	}
	req.size, req.version = len(text), version(req.Minor)
	req.reset(c, start)
	if req.Length != 0 {
		c.body.reset(c, req.Length)
		req.source = &c.body
	}
	c.keep = !req.Close
	err = c.proxy.serve(req)
	c.settle(req)
	if err != nil {
		c.breakOff()
		return false
	}
	if !c.keep {
		c.linger()
	}
	return c.keep
}

// readHead reads the rest of a head, of which the first byte is there.
func (c *clientConn) readHead(start time.Time) (string, error) {
	due := start.Add(c.proxy.limits.header)
	for {
		text, err := c.r.BufferedHead(maxHeaderBytes)
		if text != "" || err != nil {
			return text, err
		}
		if c.armed.After(due) {
			c.arm(due)
		}
		if err := c.r.Fill(); err != nil {
			if !isTimeout(err) || !time.Now().Before(due) {
				return "", err
			}
			c.arm(due)
		}
	}
}

// refuse answers what is no request.
func (c *clientConn) refuse(req *request, start time.Time, err error) {
	bad, isBad := errors.AsType[*http1.Error](err)
	if !isBad && !isTimeout(err) {
		return // gone in the middle of a head
	}
	req.Request = http1.Request{Minor: 1, Header: req.Header[:0]}
	req.reset(c, start)
	c.keep = false
	req.err = err
	text := "the request did not come in time"
	if isBad {
		text = bad.Reason
	}
	_ = c.answer(req, clientStatus(err), text) // it is closed in any case
	c.proxy.finish(req)
	c.linger()
}

// settle ends what still reads from the connection when the response is sent.
func (c *clientConn) settle(req *request) {
	c.watcher.stop(c)
	if body := req.body.stream; body != nil {
		body.stop(c.stopReading)
		c.readAgain()
	}
	if req.source != nil && !c.body.Ended() {
		c.keep = false
	}
}

// bodyRead reports whether the request's body, if any, was read to its end, as
// far as is known: it may be another goroutine's at the moment.
func (c *clientConn) bodyRead(req *request) bool {
	if req.source == nil {
		return true
	}
	if body := req.body.stream; body != nil {
		return body.ended.Load()
	}
	return c.body.Ended()
}

// interrupt makes whoever else reads the connection end, and waits for it.
func (c *clientConn) interrupt(done <-chan struct{}) {
	select {
	case <-done:
		return
	default:
	}
	c.stopReading()
	<-done
	c.readAgain()
}

// stopReading makes whoever reads the connection return, until readAgain.
func (c *clientConn) stopReading() {
	c.stopping.Store(true)
	_ = c.SetReadDeadline(longAgo) // fails on a closed connection, as the read does
}

func (c *clientConn) readAgain() {
	if c.stopping.Swap(false) {
		c.arm(time.Now().Add(c.proxy.limits.idle))
	}
}

// breakOff closes the connection so that the client sees that its response is
// not whole, also where only the connection's end would tell.
func (c *clientConn) breakOff() {
	below := c.tcp()
	if tcp, ok := below.(interface{ SetLinger(seconds int) error }); ok {
		_ = tcp.SetLinger(0) // else it is an orderly end
	}
	_ = below.Close() // before TLS can say that this is the end
}

func (c *clientConn) tcp() net.Conn {
	if secure, ok := c.Conn.(*tls.Conn); ok {
		return secure.NetConn()
	}
	return c.Conn
}

const (
	// lingerTime bounds how long the rest of a refused request is taken in.
	// Closing at once would reset the connection, and the response with it.
	lingerTime = 500 * time.Millisecond
	lingerSize = 256 << 10
)

// linger closes the sending side and waits for the client to close its own.
func (c *clientConn) linger() {
	half, ok := c.Conn.(interface{ CloseWrite() error })
	if !ok || half.CloseWrite() != nil {
		return
	}
	c.arm(time.Now().Add(lingerTime))
	buf := getCopyBuffer()
	defer putCopyBuffer(buf)
	for left := lingerSize; left > 0; {
		n, err := c.r.Read(buf[:])
		if err != nil {
			return
		}
		left -= n
	}
}

// inform implements client.
func (c *clientConn) inform(resp *http1.Response) error {
	out := http1.AppendStatusLine(nil, resp.Status, reasonOf(resp))
	out = append(http1.AppendHeader(out, resp.Header), "\r\n"...)
	return c.write(out)
}

// write sends bytes. A client that takes none for too long is given up.
func (c *clientConn) write(out []byte) error {
	if err := c.armWrite(); err != nil {
		return err
	}
	_, err := c.Write(out)
	return err
}

// armWrite sets the write deadline, unless the one in force leaves half of the
// time.
func (c *clientConn) armWrite() error {
	now, limit := time.Now(), c.proxy.limits.send
	if !c.writeArmed.Before(now.Add(limit / 2)) {
		return nil
	}
	c.writeArmed = now.Add(limit)
	return c.SetWriteDeadline(c.writeArmed)
}

func reasonOf(resp *http1.Response) string {
	if resp.Reason != "" {
		return resp.Reason
	}
	return http.StatusText(resp.Status)
}
