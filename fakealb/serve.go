package fakealb

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"time"

	"golang.org/x/net/http2"

	"github.com/proxychaos/proxychaos/fakealb/read"
	"github.com/proxychaos/proxychaos/fakealb/record"
)

// handshakeTimeout is for the client's TLS handshake. Towards targets an ALB has
// 10 s (3.1.3 D); towards clients that is a guess (G).
const handshakeTimeout = 10 * time.Second

// tlsHandshake is the first byte of every TLS connection: the record type.
const tlsHandshake = 0x16

// serve speaks to one client, whose connection was accepted on a port, until the
// connection ends.
func (s *Server) serve(n *node, port uint16, raw net.Conn) {
	asked, err := s.askedPort(raw, port)
	if err != nil {
		s.acceptErrors.Add(1)
		s.log.Error("fakealb: a connection is lost", "node", n.addr, "port", port, "error", err)
		_ = raw.Close()
		return
	}
	c := s.newConn(n, asked, raw)
	defer c.finish()
	if fault := n.view().fault; faultSpecs[fault.Kind].slowAccept && fault.hits(n.accepted.Add(1)) {
		s.wait(context.Background(), time.Duration(fault.Delay))
	}
	lb := n.view().lb
	listener, ok := lb.listener(asked)
	if !ok {
		c.refuse()
		return
	}
	if lb.MaxConnections > 0 && n.active.Load() > int64(lb.MaxConnections) {
		s.metrics.count("RejectedConnectionCount", n.view(), 1)
		c.refuse()
		return
	}
	if lb.Type == TypeNetwork {
		s.serveFlow(c, listener)
		return
	}
	s.metrics.count("NewConnectionCount", n.view(), 1)
	first := make([]byte, 1)
	_ = c.SetReadDeadline(time.Now().Add(s.scaled(lb.Attributes.idleTimeout())))
	_, err = c.Read(first)
	isTLS := err == nil && first[0] == tlsHandshake
	secure := listener.Protocol == ProtocolHTTPS || listener.Protocol == "" && isTLS
	switch {
	case !secure:
		s.connectionLog.write(c, nil, 0, verifySuccess)
	case err != nil:
		s.connectionLog.write(c, nil, 0, verifyUnmapped)
	}
	if err != nil {
		return
	}
	c.first = first
	switch {
	case secure:
		s.serveTLS(c)
	case isTLS: // no request line that could be awaited
		(&http1{server: s, c: c, conn: c, in: read.NewReader(c)}).refuse(n.view(), lb.refused(http.StatusBadRequest))
	default:
		s.servePlain(c, listener)
	}
}

// servePlain goes on with what the client speaks without TLS.
func (s *Server) servePlain(c *clientConn, listener Listener) {
	name := c.sniff()
	switch {
	case name == spokenHTTP2 && s.config.AnyPort && listener.Protocol == "":
		s.serveHTTP2(c, c, nil)
	case name == "" || name == spokenHTTP2: // which a real ALB refuses as HTTP/1 (2.2.5 O1)
		s.serveHTTP1(c, c, nil)
	default:
		s.connections.Update(c.row, func(r *record.Connection) { r.Spoke = name })
		v := c.node.view()
		(&http1{server: s, c: c, conn: c, in: read.NewReader(c)}).refuse(v, v.lb.refused(http.StatusBadRequest))
	}
}

// serveTLS establishes TLS and goes on with what was negotiated.
func (s *Server) serveTLS(c *clientConn) {
	conn, ok := s.handshake(c)
	if !ok {
		return
	}
	state := conn.ConnectionState()
	if state.NegotiatedProtocol == http2.NextProtoTLS {
		s.serveHTTP2(c, conn, &state)
		return
	}
	s.serveHTTP1(c, conn, &state)
	_ = conn.Close() // says close_notify, unless the connection is gone
}

// handshake establishes TLS and records how that went.
func (s *Server) handshake(c *clientConn) (*tls.Conn, bool) {
	ctx, cancel := context.WithTimeout(context.Background(), s.scaled(handshakeTimeout))
	defer cancel()
	v := c.node.view()
	fault := v.fault
	spec := faultSpecs[fault.Kind]
	if (spec.hello != nil || spec.certificate != nil) && !fault.hits(c.node.handshakes.Add(1)) {
		spec = faultSpec{}
	}
	if spec.hello != nil {
		s.metrics.count("ClientTLSNegotiationErrorCount", c.node.view(), 1)
		s.connections.Update(c.row, func(r *record.Connection) {
			r.TLS, r.HandshakeError = true, "fault "+string(fault.Kind)
		})
		spec.hello(s, c)
		s.connectionLog.write(c, &tls.ConnectionState{}, 0, verifyUnmapped)
		return nil, false
	}
	conn := tls.Server(c, &tls.Config{ //nolint:gosec // the policy decides
		MinVersion: tls.VersionTLS10,
		GetConfigForClient: func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
			wrong := spec.certificate
			if spec.unnamed && hello.ServerName != "" {
				wrong = nil
			}
			return s.tlsConfig(c, *v.lb, hello, wrong), nil
		},
	})
	_ = c.SetReadDeadline(time.Time{})
	begin := time.Now()
	err := conn.HandshakeContext(ctx)
	state := conn.ConnectionState()
	s.connectionLog.write(c, &state, time.Since(begin), verifyStatus(err))
	s.connections.Update(c.row, func(r *record.Connection) {
		r.TLS, r.SNI, r.ALPN = true, state.ServerName, state.NegotiatedProtocol
		if err != nil {
			r.HandshakeError = err.Error()
		}
	})
	if err != nil {
		s.metrics.count("ClientTLSNegotiationErrorCount", c.node.view(), 1)
		c.endedBy(record.ClosedByNode, howHandshake)
		return nil, false
	}
	return conn, true
}
