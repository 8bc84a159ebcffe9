package goproxy

import (
	"bufio"
	"io"
	"net"
	"net/netip"
	"time"

	"github.com/pires/go-proxyproto"

	"github.com/proxychaos/proxychaos/goproxy/wire"
)

// proxiedConn is a connection that begins with the PROXY protocol. It hides the
// methods by which io.Copy and the reader of requests would read past what is
// buffered.
type proxiedConn struct {
	net.Conn
	tcp         *wire.Conn
	from        io.Reader // what follows the header; set by readHeader
	source, dst net.Addr  // nil until then, and where the proxy speaks for itself
}

// readHeader reads the PROXY header, which has to be there.
func (c *proxiedConn) readHeader(timeout time.Duration) error {
	if err := c.SetReadDeadline(time.Now().Add(timeout)); err != nil {
		return err
	}
	buffered := bufio.NewReader(c.tcp)
	header, err := proxyproto.Read(buffered)
	if err != nil {
		return err
	}
	c.from = buffered
	// A LOCAL header is a health check of the proxy's own. Addresses of other kinds
	// than TCP's count as none, as the protocol says of kinds that a receiver does
	// not know: a Unix socket's may be any bytes.
	source, hasSource := header.SourceAddr.(*net.TCPAddr)
	dst, hasDst := header.DestinationAddr.(*net.TCPAddr)
	if header.Command.IsProxy() && hasSource && hasDst {
		c.source, c.dst = withoutZone(source), withoutZone(dst)
	}
	return nil
}

// withoutZone leaves out the zone of an IPv6 address, which may be any text.
func withoutZone(a *net.TCPAddr) *net.TCPAddr { return &net.TCPAddr{IP: a.IP, Port: a.Port} }

// Read implements io.Reader.
func (c *proxiedConn) Read(p []byte) (int, error) { return c.from.Read(p) }

// CloseWrite ends the sending side.
func (c *proxiedConn) CloseWrite() error { return c.tcp.CloseWrite() }

// SetLinger is TCP's.
func (c *proxiedConn) SetLinger(seconds int) error { return c.tcp.SetLinger(seconds) }

// RemoteAddr is the client's, as the proxy says.
func (c *proxiedConn) RemoteAddr() net.Addr {
	if c.source != nil {
		return c.source
	}
	return c.tcp.RemoteAddr()
}

// LocalAddr is where the client connected to, as the proxy says.
func (c *proxiedConn) LocalAddr() net.Addr {
	if c.dst != nil {
		return c.dst
	}
	return c.tcp.LocalAddr()
}

// introduce begins a connection to the endpoint with the PROXY protocol where
// the upstream wants it. Without a request the proxy speaks for itself.
func (e *endpoint) introduce(conn net.Conn, req *request, timeout time.Duration) error {
	version := map[string]byte{"v1": 1, "v2": 2}[e.member.up.cfg.ProxyProtocol]
	if version == 0 {
		return nil
	}
	header := &proxyproto.Header{Version: version, Command: proxyproto.LOCAL, TransportProtocol: proxyproto.UNSPEC}
	if req != nil {
		header = proxyproto.HeaderProxyFromAddrs(version, req.clientAddr(), req.local)
	}
	if err := conn.SetWriteDeadline(time.Now().Add(timeout)); err != nil {
		return err
	}
	if _, err := header.WriteTo(conn); err != nil {
		return err
	}
	return conn.SetWriteDeadline(time.Time{})
}

// clientAddr is the client's address; the port is known only of one that
// connected itself.
func (r *request) clientAddr() net.Addr {
	if connected, err := netip.ParseAddrPort(r.remote); err == nil && connected.Addr().String() == r.clientIP {
		return net.TCPAddrFromAddrPort(connected)
	}
	addr, err := netip.ParseAddr(r.clientIP)
	if err != nil {
		return nil // the header then says that the client is not known
	}
	return net.TCPAddrFromAddrPort(netip.AddrPortFrom(addr, 0))
}
