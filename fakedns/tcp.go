package fakedns

import (
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/netip"
	"time"
)

// tcpIdle is how long a connection may say nothing. RFC 7766 asks for seconds.
const tcpIdle = 10 * time.Second

func (s *Server) serveTCP(b *binding) {
	for {
		conn, err := b.tcp.AcceptTCP()
		switch {
		case err == nil:
			s.work.Go(func() { s.serveConn(conn) })
		case s.isClosing() || errors.Is(err, net.ErrClosed):
			return
		default:
			// Out of file descriptors, most likely: what is open may soon close.
			if !s.pause() {
				return
			}
		}
	}
}

// pause waits a moment before a failed call is made again; false if the server closes.
func (s *Server) pause() bool {
	select {
	case <-time.After(10 * time.Millisecond):
		return true
	case <-s.closing:
		return false
	}
}

// serveConn answers one connection's queries one after the other (RFC 1035 4.2.2,
// each message behind its length), until the client closes it or says nothing.
func (s *Server) serveConn(conn *net.TCPConn) {
	defer func() { _ = conn.Close() }()
	ended := make(chan struct{})
	defer close(ended)
	s.work.Go(func() {
		select {
		case <-s.closing:
			_ = conn.Close()
		case <-ended:
		}
	})
	client, resolver := addrPort(conn.RemoteAddr()), addrPort(conn.LocalAddr())
	w := s.newWorker()
	var length [2]byte
	for {
		if err := conn.SetReadDeadline(time.Now().Add(tcpIdle)); err != nil {
			return
		}
		if _, err := io.ReadFull(conn, length[:]); err != nil {
			return
		}
		packet := make([]byte, binary.BigEndian.Uint16(length[:]))
		if _, err := io.ReadFull(conn, packet); err != nil {
			return
		}
		q := question{client: client, resolver: resolver, transport: TCP, received: time.Now()}
		o := w.exchange(length[:], packet, &q) // behind two bytes for its own length
		if o.wire == nil {
			continue
		}
		send := func() {
			binary.BigEndian.PutUint16(o.wire, uint16(len(o.wire)-len(length)))
			// If the client is gone or does not read, the next read says so.
			_ = conn.SetWriteDeadline(time.Now().Add(tcpIdle))
			_, _ = conn.Write(o.wire)
		}
		if o.delay == 0 {
			send()
			continue
		}
		s.after(&o, send)
	}
}

func addrPort(a net.Addr) netip.AddrPort {
	ap := a.(*net.TCPAddr).AddrPort()
	return netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port())
}
