package record

import (
	"net/netip"
	"time"
)

// packed is the form in which a row T is kept: of fixed size, without pointers that
// the garbage collector would follow, its strings in the texts of its chunk. A
// million requests take some 110 MB in it, and took 450 MB as they are.
type packed[T, P any] interface {
	*P
	pack(row *T, t *texts)
	unpack(all string) T
}

// unixTime is a time in nanoseconds, 0 for the zero time.
type unixTime int64

func packTime(t time.Time) unixTime {
	if t.IsZero() {
		return 0
	}
	return unixTime(t.UnixNano())
}

func (u unixTime) time() time.Time {
	if u == 0 {
		return time.Time{}
	}
	return time.Unix(0, int64(u))
}

type packedAttempt struct {
	connection                uint64
	start, end                unixTime
	received, sent            int64
	targetIdle                float64
	request                   uint32
	node, peer, loadBalancer  text
	proto, method, host, path text
	seq, target, sni, fault   text
	forwardedFor              text
	port, peerPort            uint16
	status, targetStatus      uint16
	tls, probe                bool
	targetTLSFailed           bool
	failedOpen                bool
}

func (p *packedAttempt) pack(a *Attempt, t *texts) {
	p.connection, p.request = a.Connection, uint32(a.Request)
	p.start, p.end = packTime(a.Start), packTime(a.End)
	p.node, p.port = t.putAddr(p.node, a.Node), a.Port
	p.peer, p.peerPort = t.putAddr(p.peer, a.Peer.Addr()), a.Peer.Port()
	p.loadBalancer = t.put(p.loadBalancer, a.LoadBalancer)
	p.proto, p.method = t.put(p.proto, a.Proto), t.put(p.method, a.Method)
	p.host, p.path, p.seq = t.put(p.host, a.Host), t.put(p.path, a.Path), t.put(p.seq, a.Seq)
	p.forwardedFor = t.put(p.forwardedFor, a.ForwardedFor)
	p.status, p.targetStatus, p.target = uint16(a.Status), uint16(a.TargetStatus), t.put(p.target, a.Target)
	p.targetIdle, p.received, p.sent = a.TargetIdleSeconds, a.ReceivedBytes, a.SentBytes
	p.tls, p.sni = a.TLS, t.put(p.sni, a.SNI)
	p.fault, p.probe = t.put(p.fault, a.Fault), a.Probe
	p.targetTLSFailed, p.failedOpen = a.TargetTLSFailed, a.FailedOpen
}

func (p *packedAttempt) unpack(all string) Attempt {
	return Attempt{
		Connection: p.connection, Request: int(p.request),
		Start: p.start.time(), End: p.end.time(),
		Node: p.node.addr(all), Port: p.port,
		Peer:         netip.AddrPortFrom(p.peer.addr(all), p.peerPort),
		LoadBalancer: p.loadBalancer.in(all),
		Proto:        p.proto.in(all), Method: p.method.in(all),
		Host: p.host.in(all), Path: p.path.in(all), Seq: p.seq.in(all),
		ForwardedFor: p.forwardedFor.in(all),
		Status:       int(p.status), TargetStatus: int(p.targetStatus), Target: p.target.in(all),
		TargetIdleSeconds: p.targetIdle, ReceivedBytes: p.received, SentBytes: p.sent,
		TLS: p.tls, SNI: p.sni.in(all),
		TargetTLSFailed: p.targetTLSFailed, FailedOpen: p.failedOpen,
		Fault: p.fault.in(all), Probe: p.probe,
	}
}

type packedConnection struct {
	id                                   uint64
	opened, closed                       unixTime
	requests                             uint32
	node, peer, loadBalancer, sni, alpn  text
	target                               text
	closedBy, how, handshakeError, spoke text
	port, peerPort                       uint16
	tls, probe                           bool
}

func (p *packedConnection) pack(c *Connection, t *texts) {
	p.id, p.requests = c.ID, uint32(c.Requests)
	p.opened, p.closed = packTime(c.Opened), packTime(c.Closed)
	p.node, p.port = t.putAddr(p.node, c.Node), c.Port
	p.peer, p.peerPort = t.putAddr(p.peer, c.Peer.Addr()), c.Peer.Port()
	p.loadBalancer = t.put(p.loadBalancer, c.LoadBalancer)
	p.tls, p.sni, p.alpn = c.TLS, t.put(p.sni, c.SNI), t.put(p.alpn, c.ALPN)
	p.target, p.spoke = t.put(p.target, c.Target), t.put(p.spoke, c.Spoke)
	p.closedBy, p.how = t.put(p.closedBy, string(c.ClosedBy)), t.put(p.how, c.How)
	p.handshakeError, p.probe = t.put(p.handshakeError, c.HandshakeError), c.Probe
}

func (p *packedConnection) unpack(all string) Connection {
	return Connection{
		ID: p.id, Requests: int(p.requests),
		Opened: p.opened.time(), Closed: p.closed.time(),
		Node: p.node.addr(all), Port: p.port,
		Peer:         netip.AddrPortFrom(p.peer.addr(all), p.peerPort),
		LoadBalancer: p.loadBalancer.in(all),
		TLS:          p.tls, SNI: p.sni.in(all), ALPN: p.alpn.in(all),
		Target: p.target.in(all), Spoke: p.spoke.in(all),
		ClosedBy: ClosedBy(p.closedBy.in(all)), How: p.how.in(all),
		HandshakeError: p.handshakeError.in(all), Probe: p.probe,
	}
}

type packedPacket struct {
	time                         unixTime
	bytes                        uint32
	node, peer, kind, seq, fault text
	method, path, host           text
	port, peerPort               uint16
	retransmit, probe            bool
}

func (p *packedPacket) pack(s *Packet, t *texts) {
	p.time, p.bytes = packTime(s.Time), uint32(s.Bytes)
	p.node, p.port = t.putAddr(p.node, s.Node), s.Port
	p.peer, p.peerPort = t.putAddr(p.peer, s.Peer.Addr()), s.Peer.Port()
	p.kind, p.retransmit = t.put(p.kind, string(s.Kind)), s.Retransmit
	p.method, p.path, p.host = t.put(p.method, s.Method), t.put(p.path, s.Path), t.put(p.host, s.Host)
	p.seq, p.fault, p.probe = t.put(p.seq, s.Seq), t.put(p.fault, s.Fault), s.Probe
}

func (p *packedPacket) unpack(all string) Packet {
	return Packet{
		Time: p.time.time(), Bytes: int(p.bytes),
		Node: p.node.addr(all), Port: p.port,
		Peer: netip.AddrPortFrom(p.peer.addr(all), p.peerPort),
		Kind: PacketKind(p.kind.in(all)), Retransmit: p.retransmit,
		Method: p.method.in(all), Path: p.path.in(all), Host: p.host.in(all),
		Seq: p.seq.in(all), Fault: p.fault.in(all), Probe: p.probe,
	}
}
