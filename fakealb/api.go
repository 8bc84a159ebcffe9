package fakealb

import (
	"net/netip"
	"time"

	"github.com/proxychaos/proxychaos/fakealb/cloud"
	"github.com/proxychaos/proxychaos/fakealb/targets"
)

// LoadBalancer is a fake ALB or NLB: what its nodes have in common.
type LoadBalancer struct {
	Name string `json:"name"` // letters, digits and "-", at most 32, as for an ALB
	// Type is application (default) or network. It cannot be changed.
	Type Type `json:"type,omitempty"`
	// Cloud is whose load balancer it is: aws (default), or one of cloud.Names. It answers,
	// waits, checks and drains as that does, under AWS's names for settings. What only an
	// ALB has it has not.
	Cloud cloud.Name `json:"cloud,omitempty"`
	// OwnStatuses are statuses of the load balancer's own responses in place of the
	// cloud's, by their cause. Not all clouds document theirs.
	OwnStatuses map[cloud.Cause]int `json:"own_statuses,omitempty"`
	// Targets is the number of built-in targets, 0 to 1000. With 0 the nodes
	// answer 503 (fact 2.4.1, D).
	Targets int `json:"targets"`
	// TargetGroup, if set, forwards requests to real servers in place of built-in
	// targets. Then Targets is 0.
	TargetGroup *targets.Group `json:"target_group,omitempty"`
	// TargetGroups are the groups that rules forward to, by their names.
	TargetGroups []targets.Group `json:"target_groups,omitempty"`
	Attributes   Attributes      `json:"attributes,omitzero"`
	// ZonalShift is the zone that traffic is shifted away from, empty for none (1.16
	// D). Attributes.ZonalShift has to allow it.
	ZonalShift string `json:"zonal_shift,omitempty"`
	// Listeners say what is spoken on which port. With none, every port of the
	// server takes HTTP and, by the first byte, TLS. With some, connections to other
	// ports are reset.
	Listeners []Listener `json:"listeners,omitempty"`
	// MaxConnections is how many clients each node takes at a time; further ones are
	// reset and counted as RejectedConnectionCount (6.1 D). An ALB's own limit is not
	// published (G): 0 means none.
	MaxConnections int `json:"max_connections,omitempty"`
	// Certificates are the names of the listener's certificates, such as
	// www.example.test or *.example.test, at most 26; the first is the default one
	// (2.3.3 D). With none there is a certificate for any name that a client asks for, and
	// the server's DefaultCertificate.
	Certificates []string `json:"certificates,omitempty"`
	// VPCEndpoint is of network load balancers: the endpoint that flows come through,
	// such as vpce-08d2bf15fac5001c9, which PROXY protocol headers then name (4.8 D).
	VPCEndpoint string `json:"vpc_endpoint_id,omitempty"`
	// PortsPerTarget is of network load balancers: how many connections to one target
	// can be open at a time, or opened in a minute: 55000 by default, and at most
	// (4.7 D). Further ones are reset and counted as PortAllocationErrorCount.
	PortsPerTarget int `json:"ports_per_target,omitempty"`
	// DNSName is what requests without a usable Host carry to targets. By default
	// it is made from Name as AWS does.
	DNSName string `json:"dns_name,omitempty"`
	// ErrorBody is the style of generated bodies. Empty means current.
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
	Addr         netip.Addr `json:"addr"` // IPv4, or with nftables IPv6
	LoadBalancer string     `json:"load_balancer"`
	Zone         string     `json:"zone"` // a label, such as "a"; may be empty
	// ControlPlaneLag is how long a change of a target group takes to reach this
	// node: 0 by default, at most 1 h, before scaling. With an ALB it is some seconds
	// (3.4.2 O); here it is 0 so that tests know when a change is in force.
	ControlPlaneLag Duration `json:"control_plane_lag,omitempty"`
	// JVMRoute has the built-in targets of the node keep sessions as Tomcat does with a
	// jvmRoute: an answer to a request without a JSESSIONID of theirs sets one that ends in a
	// dot and this word. Letters, digits, "-" and "_"; empty: they keep none.
	JVMRoute string `json:"jvm_route,omitempty"`
	// Fault is what is in force. It is set with faults, not with the node.
	Fault FaultKind `json:"fault,omitempty"`
}

// FaultRequest asks for one fault on several nodes, as one step. It replaces the
// fault that was there.
type FaultRequest struct {
	Nodes []netip.Addr `json:"nodes"`
	FaultSetting
}

// FaultSetting is one fault and how it comes.
type FaultSetting struct {
	Kind FaultKind `json:"kind"`
	// Status is of the fault error: 400, 401, 403, 405, 408, 413, 414, 463, 464,
	// 500 to 505, 507, 561, 562.
	Status int `json:"status,omitempty"`
	// Delay is of the faults slow-accept, slow-response and slow-body: more than 0, at
	// most 1 h; not scaled.
	Delay Duration `json:"delay,omitempty"`
	// Share is the part of connections (TLS faults, slow-accept) or requests (the faults of
	// responses) that are hit, evenly spread: with 0.5 every second one. 0 stands
	// for 1. Packet faults hit everything.
	Share float64 `json:"share,omitempty"`
	// Ends has the connections from before the fault end with it, by RST: at once, or with a
	// request under way after its answer, 0.1 s later at most. Packet faults say by themselves
	// what becomes of connections.
	Ends bool `json:"ends,omitempty"`
	// Grace is how long the nodes go on as they are before the fault comes: a
	// retired node that serves on for a while (1.9 O). At most 1 h; not scaled.
	Grace Duration `json:"grace,omitempty"`
}

// Duration is a time.Duration whose JSON is a string such as "1.5s".
type Duration = targets.Duration

// Applied is the answer to every call that changes something.
type Applied struct {
	RequestedAt time.Time `json:"requested_at"` // when the change began
	// InForceAt is when the change was in force: for a fault, when the kernel had
	// it and every connection concerned had been dealt with. For a fault with a
	// grace it lies ahead; the history tells when it came.
	InForceAt time.Time `json:"in_force_at"`
	Changed   bool      `json:"changed"` // false if it was so already
}

// Event is one change, as kept in the history.
type Event struct {
	Number int `json:"number"` // from 1
	Applied
	// Action is put-load-balancer, delete-load-balancer, put-node, delete-node,
	// plan-fault (a grace began), set-fault or
	// change-dns (other nodes belong in DNS than before).
	Action string `json:"action"`
	// Subject is the name of a load balancer, or the addresses of nodes.
	Subject []string `json:"subject"`
	// SinceStart is from the start of the server to InForceAt.
	SinceStart Span   `json:"since_start"`
	Detail     string `json:"detail,omitempty"`
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
	AnyPort   bool     `json:"any_port"` // connections to all others are taken too
	TimeScale float64  `json:"time_scale"`
	Uptime    Span     `json:"uptime"`
	Timers    []Timer  `json:"timers"` // with their defaults
	// Capture is whether packet rows come from a capture of the interface.
	Capture bool `json:"capture"`
	// CaptureDropped is how many packets the capture lost. More than 0 means that
	// packet rows are missing.
	CaptureDropped uint64 `json:"capture_dropped"`
	// AcceptErrors is how many connections could not be accepted, for want of file
	// descriptors most likely. More than 0 means that clients saw what no fault did.
	AcceptErrors uint64 `json:"accept_errors"`
	Attempts     int    `json:"attempts"` // rows recorded
	Connections  int    `json:"connections"`
	Packets      int    `json:"packets"`
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
