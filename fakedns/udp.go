package fakedns

import (
	"errors"
	"net"
	"net/netip"
	"time"

	"golang.org/x/net/ipv4"
	"golang.org/x/net/ipv6"
)

const (
	// controlSize holds a packet info control message of either family.
	controlSize = 128
	// querySize is more than any query has. What is longer is cut off and FORMERR.
	querySize = 4096
	// udpBatch is how many datagrams are read, and answered, in one system call.
	udpBatch = 32
)

// datagrams reads and writes several datagrams at a time.
type datagrams interface {
	ReadBatch(ms []ipv4.Message, flags int) (int, error)
	WriteBatch(ms []ipv4.Message, flags int) (int, error)
}

// udpWorker answers the datagrams of one socket.
type udpWorker struct {
	*worker
	b       *binding
	conn    datagrams
	queries []ipv4.Message
	q       question
	wires   [][]byte // one a query, to write its answer into
	answers []ipv4.Message
	ready   int // how many answers are laid out to be sent
}

func (s *Server) newUDPWorker(b *binding) *udpWorker {
	u := &udpWorker{
		worker: s.newWorker(), b: b,
		queries: make([]ipv4.Message, udpBatch), wires: make([][]byte, udpBatch),
		answers: make([]ipv4.Message, udpBatch),
	}
	if b.addr.Addr().Is4() {
		u.conn = ipv4.NewPacketConn(b.udp)
	} else {
		u.conn = ipv6.NewPacketConn(b.udp)
	}
	for i := range u.queries {
		u.queries[i].Buffers = [][]byte{make([]byte, querySize)}
		u.answers[i].Buffers = make([][]byte, 1)
		if b.wild {
			u.queries[i].OOB = make([]byte, controlSize)
		}
	}
	return u
}

// serveUDP answers datagrams until the socket is closed.
func (s *Server) serveUDP(b *binding) {
	u := s.newUDPWorker(b)
	for {
		n, err := u.conn.ReadBatch(u.queries, 0)
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
		received := time.Now()
		u.ready = 0
		for i := range u.queries[:n] {
			u.answer(i, received)
		}
		u.flush(u.answers[:u.ready])
	}
}

// answer works out the answer to a query of the batch, and lays it out to be sent.
func (u *udpWorker) answer(i int, received time.Time) {
	m := &u.queries[i]
	from, ok := m.Addr.(*net.UDPAddr)
	if !ok {
		return
	}
	client := from.AddrPort()
	u.q = question{
		client:    netip.AddrPortFrom(client.Addr().Unmap(), client.Port()),
		resolver:  u.b.addr,
		transport: UDP,
		received:  received,
	}
	var source []byte
	if u.b.wild {
		u.q.resolver, source = destination(m.OOB[:m.NN], u.b.addr)
	}
	o := u.exchange(u.wires[i][:0], m.Buffers[0][:m.N], &u.q)
	if o.wire == nil {
		return
	}
	if o.delay == 0 {
		u.wires[i] = o.wire
		next := &u.answers[u.ready]
		next.Buffers[0], next.OOB, next.Addr = o.wire, source, from
		u.ready++
		return
	}
	u.wires[i] = nil // the delayed answer keeps it
	late := []ipv4.Message{{Buffers: [][]byte{o.wire}, OOB: source, Addr: from}}
	u.s.work.Go(func() { u.s.after(&o, func() { u.flush(late) }) })
}

// flush sends answers. A lost datagram is the client's timeout, and it asks again.
func (u *udpWorker) flush(answers []ipv4.Message) {
	for len(answers) > 0 {
		n, err := u.conn.WriteBatch(answers, 0)
		if err != nil {
			n = max(n, 0) + 1 // the first that was not sent is the one that cannot be
		}
		answers = answers[n:]
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
