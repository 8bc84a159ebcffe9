// Package netfault gives fake load balancer nodes their addresses and does
// to their packets what a fault says: drop them, or answer them with a reset.
//
// There are two implementations of [Network]. [OpenNFTables] works on an
// interface of the network namespace it runs in, with netlink and nftables; it
// needs the capability NET_ADMIN (and NET_RAW for gratuitous ARP). [OpenUserspace]
// needs no privilege: it works on addresses of 127.0.0.0/8 by what a process can
// do to its own sockets. Which one is used is the caller's choice; neither falls
// back to the other.
package netfault

import (
	"errors"
	"net"
	"net/netip"
	"syscall"
	"time"
)

// Kind is what is done to the packets of one node address.
type Kind string

const (
	// None lets every packet through.
	None Kind = "none"
	// Silence drops every packet, of new and of established connections, in both
	// directions. The peer sees neither RST nor FIN.
	Silence Kind = "silence"
	// SilenceNew drops the SYN of new connections only. Established connections go on.
	SilenceNew Kind = "silence-new"
	// Refuse answers new connections with RST and resets the established ones: at
	// once, or if a request is under way after its answer is written, at most 0.1 s
	// later. An ALB drains a node before it is retired, it cuts no request short.
	Refuse Kind = "refuse"
	// RefuseNew answers the SYN of new connections with RST. Established connections go on.
	RefuseNew Kind = "refuse-new"
)

// ErrReset is what a read or write on a connection returns after a fault, or the
// end of the network, reset it.
var ErrReset = errors.New("connection reset by a fault of its node")

// Network owns node addresses. Its methods may be called from any goroutine.
type Network interface {
	// Add brings addr up. It fails if the address is in use already.
	Add(addr netip.Addr) error
	// Listen listens on a port of an address that was added. Connections it
	// accepts are subject to the faults of the address.
	Listen(ap netip.AddrPort) (net.Listener, error)
	// Set puts a kind in force on each address given, all in one step. When it
	// returns nil, every kind is in force, and None has lifted what was there.
	Set(kinds map[netip.Addr]Kind) error
	// End resets the connections that are open at the addresses: at once, or those with a
	// request in hand after its answer, 0.1 s later at most. New ones are taken.
	End(addrs ...netip.Addr) error
	// OpenPorts has TCP to all other ports of an address dropped, where otherwise
	// the kernel answers with RST. Nil undoes that. In user space it does nothing:
	// the kernel goes on answering.
	OpenPorts(addr netip.Addr, ports []uint16) error
	// Remove takes addr away without a packet to any peer: the peers of its open
	// connections are not told. Its listeners are closed.
	Remove(addr netip.Addr) error
	// Close resets every connection and undoes everything done to the host.
	Close() error
}

// Resetter is implemented by every connection that a Network's listener accepts.
type Resetter interface {
	syscall.Conn
	// CloseWrite sends FIN and leaves the other direction open.
	CloseWrite() error
	// Reset closes the connection with RST. Its reads and writes then return ErrReset.
	Reset()
	// AwaitSent waits until the peer has acknowledged all that was written, or the
	// time is over.
	AwaitSent(within time.Duration)
}

// Held is told of bytes that a peer sent on a connection that is frozen by
// Silence. Only the user-space network calls it: with nftables such bytes never
// reach the process, and a packet capture sees them instead.
type Held func(local, peer netip.AddrPort, payload []byte)
