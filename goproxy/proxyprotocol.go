package goproxy

import (
	"bufio"
	"encoding/binary"
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
	source, dst net.Addr  // nil until then, and if the header names no client
}

// readHeader reads the PROXY header, which has to be there.
func (c *proxiedConn) readHeader(timeout time.Duration) error {
	if err := c.SetReadDeadline(time.Now().Add(timeout)); err != nil {
		return err
	}
	buffered := bufio.NewReader(c.tcp)
	c.from = buffered
	if skipped, err := skipUnspecified(buffered); skipped || err != nil {
		return err
	}
	header, err := proxyproto.Read(buffered)
	if err != nil {
		return err
	}
	// Addresses of other kinds than TCP's count as none, as the protocol says of kinds
	// that a receiver does not know: a Unix socket's may be any bytes.
	source, hasSource := header.SourceAddr.(*net.TCPAddr)
	dst, hasDst := header.DestinationAddr.(*net.TCPAddr)
	if header.Command.IsProxy() && hasSource && hasDst {
		c.source, c.dst = withoutZone(source), withoutZone(dst)
	}
	return nil
}

const (
	// proxyV2Signature is how a header of version 2 begins, and proxyV2Unspecified what
	// follows it in one of a client whose address is of no family. proxyV2Head is the
	// length of both, and of the length of the rest.
	proxyV2Signature   = "\r\n\r\n\x00\r\nQUIT\n"
	proxyV2Unspecified = "\x21\x00"
	proxyV2Head        = len(proxyV2Signature) + len(proxyV2Unspecified) + 2
)

// skipUnspecified reads a header of version 2 that has no address, if that is what comes
// first. The protocol leaves it to the receiver whether to take it; it is what UNKNOWN is in
// version 1, which every receiver has to take. go-proxyproto refuses it.
func skipUnspecified(r *bufio.Reader) (bool, error) {
	if first, err := r.Peek(1); err != nil || first[0] != proxyV2Signature[0] {
		return false, err
	}
	head, err := r.Peek(proxyV2Head) // no header of version 2 is shorter
	if err != nil || string(head[:proxyV2Head-2]) != proxyV2Signature+proxyV2Unspecified {
		return false, err
	}
	rest := int(binary.BigEndian.Uint16(head[proxyV2Head-2:]))
	if rest > int(proxyproto.MaxV2HeaderSize) {
		return false, proxyproto.ErrInvalidLength
	}
	_, err = r.Discard(proxyV2Head + rest)
	return true, err
}

// anonymous reports whether the header named no client: "PROXY UNKNOWN" of version 1, or
// LOCAL, a family that is unspecified, or that of other sockets, of version 2. The
// connection's own address counts then, which is the proxy's. But who wrote the request is
// not known: proxies of TCP send such a header before the bytes of a client whose address
// they cannot say, HAProxy does.
func (c *proxiedConn) anonymous() bool { return c.source == nil }

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
