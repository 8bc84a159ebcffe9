package fakedns

import (
	"errors"
	"net"
	"net/netip"
	"time"

	"github.com/miekg/dns"
	"golang.org/x/net/ipv4"
	"golang.org/x/net/ipv6"
)

// controlSize holds a packet info control message of either family.
const controlSize = 128

// serveUDP answers datagrams until the socket is closed.
func (s *Server) serveUDP(b *binding) {
	buf := make([]byte, dns.MaxMsgSize)
	var oob []byte
	if b.wild {
		oob = make([]byte, controlSize)
	}
	for {
		n, oobn, _, from, err := b.udp.ReadMsgUDPAddrPort(buf, oob)
		if err != nil {
			if s.isClosing() || errors.Is(err, net.ErrClosed) {
				return
			}
			// Short of memory, most likely: the socket itself is still good.
			if !s.pause() {
				return
			}
			continue
		}
		q := question{
			client:    netip.AddrPortFrom(from.Addr().Unmap(), from.Port()),
			resolver:  b.addr,
			transport: UDP,
			received:  time.Now(),
		}
		var source []byte
		if b.wild {
			q.resolver, source = destination(oob[:oobn], b.addr)
		}
		o := s.exchange(buf[:n], &q)
		if o.wire == nil {
			continue
		}
		// A lost datagram is the client's timeout, and it asks again.
		send := func() { _, _, _ = b.udp.WriteMsgUDPAddrPort(o.wire, source, from) }
		if o.delay == 0 {
			send()
			continue
		}
		s.work.Go(func() { s.after(&o, send) })
	}
}

// after sends a delayed answer, unless the server closes first.
func (s *Server) after(o *outcome, send func()) {
	timer := time.NewTimer(o.delay)
	defer timer.Stop()
	select {
	case <-timer.C:
		o.stamp()
		send()
	case <-s.closing:
	}
}

// askDestination has the kernel tell to which address each datagram came.
func askDestination(conn *net.UDPConn, family string) error {
	if family == "4" {
		return ipv4.NewPacketConn(conn).SetControlMessage(ipv4.FlagDst, true)
	}
	return ipv6.NewPacketConn(conn).SetControlMessage(ipv6.FlagDst, true)
}

// destination reads the address a datagram came to and returns it with the control
// message that sends the answer from there.
func destination(oob []byte, bound netip.AddrPort) (netip.AddrPort, []byte) {
	var dst net.IP
	var source []byte
	if bound.Addr().Is4() {
		var cm ipv4.ControlMessage
		if cm.Parse(oob) == nil {
			dst, source = cm.Dst, (&ipv4.ControlMessage{Src: cm.Dst}).Marshal()
		}
	} else {
		var cm ipv6.ControlMessage
		if cm.Parse(oob) == nil {
			dst, source = cm.Dst, (&ipv6.ControlMessage{Src: cm.Dst}).Marshal()
		}
	}
	addr, ok := netip.AddrFromSlice(dst)
	if !ok {
		return bound, nil
	}
	return netip.AddrPortFrom(addr.Unmap(), bound.Port()), source
}
