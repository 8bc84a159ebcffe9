// Package record holds what fake load balancer nodes saw: requests, connections,
// and packets that a fault kept from being served. Rows are kept in memory in
// the order they began and are written as NDJSON, one row a line.
package record

import (
	"net/netip"
	"time"
)

// Attempt is one request as a node saw it. A proxy that retries makes several
// attempts for one client request; Seq joins them.
type Attempt struct {
	Connection uint64 `json:"connection"` // Connection.ID
	Request    int    `json:"request"`    // number on its connection, from 1
	// Start is when the request's headers had been read.
	Start time.Time `json:"start"`
	// End is when the response had been written to the socket; zero while that is
	// going on, or when the connection was lost before it.
	End          time.Time      `json:"end,omitzero"`
	Node         netip.Addr     `json:"node"`
	Port         uint16         `json:"port"`
	LoadBalancer string         `json:"load_balancer"`
	Peer         netip.AddrPort `json:"peer"`
	Proto        string         `json:"proto"` // HTTP/1.0, HTTP/1.1 or HTTP/2.0
	Method       string         `json:"method"`
	Host         string         `json:"host"`
	Path         string         `json:"path"` // with the query
	// ForwardedFor is the request header X-Forwarded-For as it came, before the load balancer
	// does anything with it.
	ForwardedFor string `json:"forwarded_for,omitempty"`
	// Seq is the value of the request header X-Proxychaos-Seq.
	Seq    string `json:"seq,omitempty"`
	Status int    `json:"status,omitempty"` // 0 if no status line was sent
	// Target is the target that got it: ip:port of a target group's, or t1:80 for a
	// built-in one. Empty if none did.
	Target       string `json:"target,omitempty"`
	TargetStatus int    `json:"target_status,omitempty"` // 0 if no target answered
	// TargetIdleSeconds is how long the connection to the target had lain idle before it
	// carried the request; 0 for a new one, or without one.
	TargetIdleSeconds float64 `json:"target_idle_seconds,omitempty"`
	// TargetTLSFailed says that no TLS handshake with the target was completed.
	TargetTLSFailed bool `json:"target_tls_failed,omitempty"`
	// FailedOpen says that too few targets were healthy, so that this one was taken
	// whatever its health.
	FailedOpen    bool   `json:"failed_open,omitempty"`
	ReceivedBytes int64  `json:"received_bytes"` // of the request body
	SentBytes     int64  `json:"sent_bytes"`     // of the response body
	TLS           bool   `json:"tls"`
	SNI           string `json:"sni,omitempty"`
	// Fault is the fault under which the response was made, or a fault of packets
	// that was in force on the node when it was written. With "silence" the client
	// did not get it, whatever Status says.
	Fault string `json:"fault,omitempty"`
	// Probe marks the harness's own requests: source ports 700 to 799.
	Probe bool `json:"probe,omitempty"`
}

// Connection is one accepted TCP connection.
type Connection struct {
	ID           uint64         `json:"id"`
	Opened       time.Time      `json:"opened"`
	Closed       time.Time      `json:"closed,omitzero"` // zero while open
	Node         netip.Addr     `json:"node"`
	Port         uint16         `json:"port"`
	LoadBalancer string         `json:"load_balancer"`
	Peer         netip.AddrPort `json:"peer"`
	TLS          bool           `json:"tls"`
	SNI          string         `json:"sni,omitempty"`
	ALPN         string         `json:"alpn,omitempty"`
	// Spoke is what the client spoke if that is neither HTTP nor TLS, such as FastCGI.
	// It was refused.
	Spoke    string `json:"spoke,omitempty"`
	Requests int    `json:"requests"`
	// Target is the target, as ip:port, that a network load balancer pinned the
	// connection to.
	Target string `json:"target,omitempty"`
	// ClosedBy says who ended it first: peer, node, target, fault.
	ClosedBy ClosedBy `json:"closed_by,omitempty"`
	// How says by what: fin, rst, or idle-timeout, keep-alive-limit, request-limit, response,
	// handshake, bad-request, shutdown for a FIN of the node with its reason. For the
	// node of a network load balancer it is why the RST is sent: idle-timeout,
	// target-unhealthy, target-deregistered, no-target, target-timeout,
	// target-handshake, port-allocation.
	How string `json:"how,omitempty"`
	// HandshakeError is why TLS was not established.
	HandshakeError string `json:"handshake_error,omitempty"`
	Probe          bool   `json:"probe,omitempty"`
}

// ClosedBy is who ended a connection.
type ClosedBy string

// Who ended a connection.
const (
	ClosedByPeer ClosedBy = "peer"
	ClosedByNode ClosedBy = "node"
	// ClosedByTarget is of connections through a network load balancer.
	ClosedByTarget ClosedBy = "target"
	ClosedByFault  ClosedBy = "fault"
)

// Packet is a connection attempt, or a segment with payload that a fault kept
// from the node.
type Packet struct {
	Time       time.Time      `json:"time"`
	Node       netip.Addr     `json:"node"`
	Port       uint16         `json:"port"`
	Peer       netip.AddrPort `json:"peer"`
	Kind       PacketKind     `json:"kind"`
	Retransmit bool           `json:"retransmit"`
	Bytes      int            `json:"bytes"` // of payload
	// Method, Path (with the query), Host and Seq, the value of X-Proxychaos-Seq, are
	// those of a request whose plain HTTP/1 head begins in the payload, each if it is
	// there to its end.
	Method string `json:"method,omitempty"`
	Path   string `json:"path,omitempty"`
	Host   string `json:"host,omitempty"`
	Seq    string `json:"seq,omitempty"`
	// Fault is what was in force on the node, "removed" for an address taken away.
	Fault string `json:"fault,omitempty"`
	Probe bool   `json:"probe,omitempty"`
}

// Check is one health check that a node made of a target, which is a server.
type Check struct {
	Start        time.Time  `json:"start"`
	End          time.Time  `json:"end"`
	Node         netip.Addr `json:"node"`
	LoadBalancer string     `json:"load_balancer"`
	Group        string     `json:"group"`  // the load balancer's name for its unnamed group
	Target       string     `json:"target"` // ip:port
	Passed       bool       `json:"passed"`
	Code         int        `json:"code,omitempty"`   // a status or gRPC code; 0 without one
	Reason       string     `json:"reason,omitempty"` // of the health check log; empty if it passed
	// TLSFailed says that the TLS handshake with the target was not completed.
	TLSFailed bool `json:"tls_failed,omitempty"`
	// State is the target's at this node after the check: healthy, unhealthy, ...
	State string `json:"state"`
}

// PacketKind tells the two kinds of packet rows apart.
type PacketKind string

// The kinds of packet rows.
const (
	SYN  PacketKind = "syn"
	Data PacketKind = "data"
)

// IsProbe reports whether peer is one of the source ports, 700 to 799, from which
// the harness sends its own probes.
func IsProbe(peer netip.AddrPort) bool { return peer.Port() >= 700 && peer.Port() <= 799 }
