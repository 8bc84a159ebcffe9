package fakealb

import (
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"github.com/proxychaos/proxychaos/fakealb/netfault"
	"github.com/proxychaos/proxychaos/fakealb/record"
)

// clientConn is a connection from a client of a node, with its row in the record.
type clientConn struct {
	net.Conn
	server *Server
	node   *node
	port   uint16
	peer   netip.AddrPort
	id     uint64
	opened time.Time
	// keepAlive is the client keep-alive; it is frozen when the connection opens (2.1.2 D).
	// 0 is for ever.
	keepAlive   time.Duration
	row         record.Ref
	requests    atomic.Int64
	first       []byte // read to tell TLS from plain HTTP, to be read again
	certificate string // what tells the certificate shown from others; empty without one
	// mutual is the mode of mutual TLS in which clientChain came; the leaf is first.
	mutual      string
	clientChain []*x509.Certificate
	// readingAhead says that a deadline which passes is not the idle timeout.
	readingAhead atomic.Bool

	mu      sync.Mutex
	closure closure
}

// closure is who ended a connection and how.
type closure struct {
	by  record.ClosedBy
	how string
}

// How a connection ended.
const (
	howFIN            = "fin"
	howRST            = "rst"
	howIdleTimeout    = "idle-timeout"
	howKeepAliveLimit = "keep-alive-limit"
	howRequestLimit   = "request-limit"
	howResponse       = "response"
	howBadRequest     = "bad-request"
	howHandshake      = "handshake"
	howShutdown       = "shutdown"
)

func (s *Server) newConn(n *node, port uint16, c net.Conn) *clientConn {
	cc := &clientConn{Conn: c, server: s, node: n, port: port, id: s.conns.Add(1), opened: time.Now(), keepAlive: n.view().lb.Attributes.clientKeepAlive()}
	if a, ok := c.RemoteAddr().(*net.TCPAddr); ok {
		ap := a.AddrPort()
		cc.peer = netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port())
	}
	n.active.Add(1)
	cc.row = s.connections.Add(record.Connection{
		ID: cc.id, Opened: cc.opened, Node: n.addr, Port: port,
		LoadBalancer: n.view().lb.Name, Peer: cc.peer, Probe: record.IsProbe(cc.peer),
	})
	if s.capture == nil && s.config.Network == NetworkUserspace {
		s.packets.Add(record.Packet{
			Time: cc.opened, Node: n.addr, Port: port, Peer: cc.peer, Kind: record.SYN,
			Fault: recordedFault(n.view().fault.Kind), Probe: record.IsProbe(cc.peer),
		})
	}
	return cc
}

func (c *clientConn) Read(b []byte) (int, error) {
	if len(c.first) > 0 {
		n := copy(b, c.first)
		c.first = c.first[n:]
		return n, nil
	}
	n, err := c.Conn.Read(b)
	c.noteError(err)
	return n, err
}

func (c *clientConn) Write(b []byte) (int, error) {
	n, err := c.Conn.Write(b)
	c.noteError(err)
	return n, err
}

// outlived reports whether the connection has been there for longer than the client
// keep-alive.
func (c *clientConn) outlived() bool {
	return c.keepAlive > 0 && time.Since(c.opened) > c.server.scaled(c.keepAlive)
}

// noteError keeps what an error says about the end of the connection.
func (c *clientConn) noteError(err error) {
	switch {
	case err == nil:
	case errors.Is(err, io.EOF):
		c.endedBy(record.ClosedByPeer, howFIN)
	case errors.Is(err, netfault.ErrReset):
		select {
		case <-c.server.done:
			c.endedBy(record.ClosedByNode, howShutdown)
		default:
			c.endedBy(record.ClosedByFault, howRST)
		}
	case errors.Is(err, os.ErrDeadlineExceeded) && !c.readingAhead.Load():
		c.endedBy(record.ClosedByNode, howIdleTimeout)
	case errors.Is(err, unix.ECONNRESET), errors.Is(err, unix.EPIPE):
		c.endedBy(record.ClosedByPeer, howRST)
	}
}

// endedBy keeps the first cause.
func (c *clientConn) endedBy(by record.ClosedBy, how string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closure.by == "" {
		c.closure = closure{by, how}
	}
}

// endedByFault reports whether a fault, not the client, ended the connection.
func (c *clientConn) endedByFault() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.closure.by == record.ClosedByFault
}

// reset ends the connection with RST, for a fault.
func (c *clientConn) reset() {
	c.endedBy(record.ClosedByFault, howRST)
	c.Conn.(netfault.Resetter).Reset()
}

// refuse ends the connection with RST, not for a fault.
func (c *clientConn) refuse() {
	c.endedBy(record.ClosedByNode, howRST)
	c.reset()
}

// finish closes the connection and completes its row.
func (c *clientConn) finish() {
	c.endedBy(record.ClosedByNode, howFIN)
	_ = c.Close()
	c.node.active.Add(-1)
	closed := time.Now()
	c.server.connections.Update(c.row, func(r *record.Connection) {
		r.Closed, r.Requests = closed, int(c.requests.Load())
		r.ClosedBy, r.How = c.closure.by, c.closure.how
	})
}

// heldBytes records what a client sent to a node that user-space silence has
// frozen.
func (s *Server) heldBytes(local, peer netip.AddrPort, payload []byte) {
	now := time.Now()
	fault, _ := s.faults.at(local.Addr(), now)
	row := record.Packet{
		Time: now, Node: local.Addr(), Port: local.Port(), Peer: peer, Kind: record.Data,
		Bytes: len(payload), Fault: recordedFault(fault), Probe: record.IsProbe(peer),
	}
	requestInPayload(payload).into(&row)
	s.packets.Add(row)
}
