package recording

import (
	"net/netip"
	"strconv"
	"strings"

	"github.com/proxychaos/proxychaos/harness/world"
)

// Outcomes of a request as the client saw it. Any other HTTP status of 400 or
// above has its number as its outcome ("404").
const (
	OK             = "ok"
	BadGateway     = "502"
	Unavailable    = "503"
	GatewayTimeout = "504"
	Timeout        = "timeout"    // the client gave up after Plan.ClientTimeout
	Connection     = "connection" // refused, reset, closed early: no HTTP answer
	WrongBody      = "wrong-body" // a node's 200, but the body is not the one of this request
)

const byProxy = "proxy-"

// ByProxy is the outcome of a request that the proxy answered by itself with this status,
// which is below 400: a redirect to a status page, a page that it had kept ("proxy-302").
// Visitors of a site take it for an answer of the application, which it is not.
func ByProxy(code int) string { return byProxy + strconv.Itoa(code) }

// IsByProxy says whether an outcome is one of ByProxy.
func IsByProxy(outcome string) bool { return strings.HasPrefix(outcome, byProxy) }

// Request is one client request as the client saw it.
type Request struct {
	Seq     uint64  `json:"seq"`
	Method  string  `json:"method,omitempty"` // POST; empty is GET
	Due     Seconds `json:"due"`              // when the open-loop schedule wanted it sent
	Sent    Seconds `json:"sent"`             // when it was sent; Sent-Due is the load generator's own lateness
	Latency Seconds `json:"latency"`
	Code    int     `json:"code"` // HTTP status, 0 when there was no answer
	Outcome string  `json:"outcome"`
	Error   string  `json:"error,omitempty"`
	// Names is the number of the other request that the body of the answer names; 0 if it
	// names this one or none.
	Names  uint64     `json:"names,omitempty"`
	Node   netip.Addr `json:"node,omitzero"`    // the node that served it, as it says itself
	Server string     `json:"server,omitempty"` // the Server header
	// Resent is whether the client sent it again by itself, as browsers do: the proxy
	// had closed a kept connection without an answer. RFC 9110, section 9.2.2.
	Resent bool `json:"resent,omitempty"`
	// Session is the number of the user who sent it and keeps cookies; 0 if nobody does.
	Session uint64 `json:"session,omitempty"`
}

// Socket is one WebSocket that a client held, or asked for in vain. A client has one at a
// time: once it has gone, it asks for another.
type Socket struct {
	Client uint64  `json:"client"` // from 1
	Asked  Seconds `json:"asked"`
	// Opened is when the client had it; 0 if it never did. The times that follow are 0 then,
	// but for Ended.
	Opened Seconds `json:"opened,omitempty"`
	Last   Seconds `json:"last,omitempty"` // when the last message came back; 0 if none did
	// Ended is when the client knew that it had gone, or would not be opened; 0 if it was open
	// to the end of the load.
	Ended    Seconds    `json:"ended,omitempty"`
	Node     netip.Addr `json:"node,omitzero"`      // that answered, as it says itself
	Code     int        `json:"code,omitempty"`     // HTTP status: 101 if it was opened, 0 if there was no answer
	Messages int        `json:"messages,omitempty"` // that came back
	// Outcome is OK if it was open to the end. Otherwise it is the status of the answer if it
	// was not opened, Timeout if no answer or no message came back in time, WrongBody if
	// another message came back, else Connection.
	Outcome string `json:"outcome"`
	Error   string `json:"error,omitempty"`
}

// Attempt is one request as an ALB node saw it: one client request can have
// several (retries), or none.
type Attempt struct {
	Seq    uint64     `json:"seq"`  // 0: carried no sequence number
	At     Seconds    `json:"at"`   // headers read
	Done   Seconds    `json:"done"` // answer written; 0 if none was finished
	Node   netip.Addr `json:"node"`
	Port   int        `json:"port"`
	LB     string     `json:"lb"`
	Conn   uint64     `json:"conn"`
	Number int        `json:"number"` // of this request on its connection, from 1
	Method string     `json:"method"`
	Path   string     `json:"path"`
	Host   string     `json:"host,omitempty"` // what the proxy asked the node for
	// ForwardedFor is the X-Forwarded-For that the proxy sent; kept if the budget is about it.
	ForwardedFor string `json:"forwarded_for,omitempty"`
	Status       int    `json:"status"` // 0: no answer was finished
	// NoTarget says that the load balancer had no target and answered by itself, an ALB with
	// 503: it passed the request to nobody, so that nothing was done with it.
	NoTarget bool `json:"no_target,omitempty"`
	TLS      bool `json:"tls,omitempty"`
	Probe    bool `json:"probe,omitempty"` // the harness's own
	// Target and what follows are of a node in front of the proxy. Target is where the proxy
	// got the request.
	Target string `json:"target,omitempty"`
	// TargetStatus is what the proxy answered; 0 if it did not, so that Status is the load
	// balancer's own.
	TargetStatus int `json:"target_status,omitempty"`
	// TargetIdle is how long the connection to the proxy had lain idle; 0 for a new one.
	TargetIdle Seconds `json:"target_idle,omitempty"`
	// TargetTLSFailed says that no TLS handshake with the proxy was completed.
	TargetTLSFailed bool `json:"target_tls_failed,omitempty"`
	// FailedOpen says that the node held every proxy to be unhealthy, and so passed the
	// request to one of all.
	FailedOpen bool `json:"failed_open,omitempty"`
}

// Conn is one TCP connection as an ALB node saw it.
type Conn struct {
	Conn     uint64         `json:"conn"`
	Node     netip.Addr     `json:"node"`
	Port     int            `json:"port"`
	Peer     netip.AddrPort `json:"peer"`
	Opened   Seconds        `json:"opened"`
	Closed   *Seconds       `json:"closed,omitempty"` // nil: still open at the end
	How      string         `json:"how,omitempty"`    // who closed it and how
	Requests int            `json:"requests"`
	// Spoke is what the proxy spoke if that was neither HTTP nor TLS, such as FastCGI.
	Spoke string `json:"spoke,omitempty"`
	Probe bool   `json:"probe,omitempty"`
}

// Packet kinds.
const (
	SYN     = "syn"     // a connection attempt
	Segment = "segment" // data sent to a node that is silent, refuses, or is gone
)

// Packet is one inbound TCP packet at a node address, seen before any filter.
type Packet struct {
	At         Seconds        `json:"at"`
	Kind       string         `json:"kind"`
	Node       netip.Addr     `json:"node"`
	Port       int            `json:"port"`
	Peer       netip.AddrPort `json:"peer"`
	Retransmit bool           `json:"retransmit,omitempty"`
	// Seq, Method, Path and Host are those of the request in a segment, each if it
	// could be read.
	Seq    uint64 `json:"seq,omitempty"`
	Method string `json:"method,omitempty"`
	Path   string `json:"path,omitempty"`
	Host   string `json:"host,omitempty"`
	Probe  bool   `json:"probe,omitempty"`
}

// Query is one DNS query and its answer.
type Query struct {
	At       Seconds        `json:"at"`
	Answered Seconds        `json:"answered"`
	Client   netip.AddrPort `json:"client"`
	Resolver netip.AddrPort `json:"resolver"` // the resolver address it was sent to
	Net      string         `json:"net"`      // udp, tcp
	Name     string         `json:"name"`
	Type     string         `json:"type"`
	Rcode    string         `json:"rcode"`
	Answers  []netip.Addr   `json:"answers"`
	TTL      Seconds        `json:"ttl"`
	Fault    string         `json:"fault,omitempty"`
	Probe    bool           `json:"probe,omitempty"`
}

// Step is one fault of the timeline as it really happened.
type Step struct {
	Number  int     `json:"step"`     // of the planned step it is part of, from 1
	Name    string  `json:"name"`     // "old nodes go silent": the legend entry
	Planned Seconds `json:"planned"`  // when it was due
	Asked   Seconds `json:"asked"`    // the control call was sent
	InForce Seconds `json:"in_force"` // by the agent's word; 0 if it did not say
	// Effects are what is true from InForce on.
	Effects []world.Effect `json:"effects"`
	Proofs  []Proof        `json:"proofs"`
}

// From is when the step came into force, as nearly as it is known.
func (s Step) From() Seconds {
	switch {
	case s.InForce != 0:
		return s.InForce
	case s.Asked != 0:
		return s.Asked
	}
	return s.Planned
}

// Proof is one observation, from the proxy's place in the network, that a
// fault took hold (or did not).
type Proof struct {
	OK     bool    `json:"ok"`
	At     Seconds `json:"at"`
	Detail string  `json:"detail"` // what was done and what was seen
}

// The moments of a Snapshot.
const (
	MomentWarm  = "warm"  // after the warm-up, before the load
	MomentFault = "fault" // just before the first fault
	MomentEnd   = "end"   // after the load
)

// Snapshot is the proxy's processes at one moment, seen from its own network
// and process namespace.
type Snapshot struct {
	At        Seconds   `json:"at"`
	Moment    string    `json:"moment"` // a Moment constant
	Processes []Process `json:"processes"`
}

// Process is one process of the proxy.
type Process struct {
	// Proxy is the number of its proxy, from 1, if the world has several; else 0.
	Proxy    int    `json:"proxy,omitempty"`
	PID      int    `json:"pid"`
	Command  string `json:"command"`
	Worker   bool   `json:"worker"`   // it accepts client connections or holds upstream ones
	Upstream int    `json:"upstream"` // connections to ALB nodes held now
	Seen     int    `json:"seen"`     // connections to ALB nodes seen since the warm-up began
	// Waited is how long one of its threads, the one that waited longest, was ready to run
	// and had no CPU since it began.
	Waited Seconds `json:"waited,omitempty"`
}

// ProcessID tells processes apart: each proxy has process numbers of its own.
type ProcessID struct{ Proxy, PID int }

// ID is the process's.
func (p Process) ID() ProcessID { return ProcessID{p.Proxy, p.PID} }

// Check is one health check of a proxy that a node in front made.
type Check struct {
	At     Seconds    `json:"at"` // it began
	Done   Seconds    `json:"done"`
	Node   netip.Addr `json:"node"`
	Target string     `json:"target"` // the proxy, as ip:port
	Passed bool       `json:"passed"`
	Code   int        `json:"code,omitempty"`   // the status; 0 if there was none
	Reason string     `json:"reason,omitempty"` // why it failed, in the words of an ALB's health check log
	// TLSFailed says that the TLS handshake with the proxy was not completed.
	TLSFailed bool `json:"tls_failed,omitempty"`
	// State is what the node held the proxy to be after the check: healthy, unhealthy, ...
	State string `json:"state"`
}

// Unhealthy is a Check.State: the node passes no requests on to the proxy, unless it holds
// all of them to be so.
const Unhealthy = "unhealthy"

// LogLine is one line of the proxy's own log.
type LogLine struct {
	At   Seconds `json:"at"`
	Text string  `json:"text"`
}
