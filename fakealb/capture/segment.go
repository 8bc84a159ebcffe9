// Package capture sees the TCP packets that arrive for fake load balancer nodes
// before any packet filter drops them: each SYN, and, for the nodes it is told to
// watch, each segment with payload. So requests sent to a silent node are counted
// although no process ever gets them.
//
// It reads two AF_PACKET sockets, of IPv4 and of IPv6, which need the capability NET_RAW,
// with filters in the kernel that let nothing else through. Times are the kernel's.
package capture

import (
	"net/netip"
	"time"
)

// Segment is one TCP packet that arrived.
type Segment struct {
	Time     time.Time // when the kernel got it
	Src, Dst netip.AddrPort
	SYN      bool // SYN set, ACK not: a connection attempt
	// Retransmit says that the same SYN, or payload up to the same sequence
	// number, was seen before.
	Retransmit bool
	Payload    []byte // valid during the call only
}
