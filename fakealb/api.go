package fakealb

import (
	"net/netip"
	"time"
)

// LoadBalancer is a fake ALB: what its nodes have in common.
type LoadBalancer struct {
	Name string `json:"name"` // letters, digits and "-", at most 32, as for an ALB
	// Targets is the number of built-in targets, 0 to 1000. With 0 the nodes
	// answer 503 (fact 2.4.1, D).
	Targets int `json:"targets"`
	// ErrorBody is the style of generated bodies. Empty stands for current.
	ErrorBody ErrorBody `json:"error_body"`
}

// ErrorBody is a style of the HTML of generated responses.
type ErrorBody string

// The styles of generated responses (fact 2.4, O).
const (
	ErrorBodyCurrent ErrorBody = "current"
	// ErrorBodyPre2020 has bgcolor="white" in the body element: 16 bytes more.
	ErrorBodyPre2020 ErrorBody = "pre2020"
)

// Node is one address of a load balancer.
type Node struct {
	Addr         netip.Addr `json:"addr"` // IPv4
	LoadBalancer string     `json:"load_balancer"`
	Zone         string     `json:"zone"` // a label, such as "a"; may be empty
	// Fault is what is in force. It is set with faults, not with the node.
	Fault FaultKind `json:"fault,omitempty"`
}

// FaultKind is what is done to one node.
type FaultKind string

// The faults of a node.
const (
	FaultNone FaultKind = "none"
	// FaultSilence drops every packet of new and established connections: no RST,
	// no FIN.
	FaultSilence FaultKind = "silence"
	// FaultSilenceNew drops packets that open connections only.
	FaultSilenceNew FaultKind = "silence-new"
	// FaultRefuse answers new connections with RST and resets established ones at
	// once, as when the node's process dies.
	FaultRefuse FaultKind = "refuse"
)

// FaultRequest asks for one fault on several nodes, as one step.
type FaultRequest struct {
	Nodes []netip.Addr `json:"nodes"`
	Kind  FaultKind    `json:"kind"`
}

// Applied is the answer to every call that changes something.
type Applied struct {
	RequestedAt time.Time `json:"requested_at"` // when the change began
	// InForceAt is when the change was in force: for a fault, when the kernel had
	// it and every connection concerned had been dealt with.
	InForceAt time.Time `json:"in_force_at"`
	Changed   bool      `json:"changed"` // false if it was so already
}

// Event is one change, as kept in the history.
type Event struct {
	Number int `json:"number"` // from 1
	Applied
	// Action is put-load-balancer, delete-load-balancer, put-node, delete-node or
	// set-fault.
	Action string `json:"action"`
	// Subject is the name of a load balancer, or the addresses of nodes.
	Subject []string `json:"subject"`
	Detail  string   `json:"detail,omitempty"`
}

// Version says what answers.
type Version struct {
	Name    string `json:"name"`    // fakealb
	Version string `json:"version"` // of the Go module, or "devel"
	API     string `json:"api"`     // v1
	Notice  string `json:"notice"`  // that it is for tests only
}

// Status says how the server runs.
type Status struct {
	Network   Network  `json:"network"`
	Interface string   `json:"interface,omitempty"`
	Ports     []uint16 `json:"ports"`
	TimeScale float64  `json:"time_scale"`
	// Capture is whether packet rows come from a capture of the interface.
	Capture bool `json:"capture"`
	// CaptureDropped is how many packets the capture lost. More than 0 means that
	// packet rows are missing.
	CaptureDropped uint64 `json:"capture_dropped"`
	Attempts       int    `json:"attempts"` // rows recorded
	Connections    int    `json:"connections"`
	Packets        int    `json:"packets"`
}

// Request headers that the built-in targets obey, and response headers they set.
const (
	// HeaderSeq carries the client's sequence number. It is recorded and echoed in
	// the body as "seq=N".
	HeaderSeq = "X-Proxychaos-Seq"
	// HeaderHold delays the response by a Go duration, such as 150ms, at most 60s.
	// It is not scaled.
	HeaderHold         = "X-Proxychaos-Hold"
	HeaderNode         = "X-Fakealb-Node"
	HeaderLoadBalancer = "X-Fakealb-Lb"
)

// notice is shown wherever a person may look.
const notice = "TEST ONLY: fakealb imitates AWS load balancer nodes and has no authentication; never expose it"
