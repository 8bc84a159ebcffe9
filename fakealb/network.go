package fakealb

import (
	"net/http"
	"slices"
	"time"

	"github.com/proxychaos/proxychaos/fakealb/cloud"
	"github.com/proxychaos/proxychaos/fakealb/targets"
	"github.com/proxychaos/proxychaos/harness/control"
)

// Type is a kind of load balancer.
type Type string

// The types of load balancers.
const (
	TypeApplication Type = "application"
	// TypeNetwork pins each TCP connection to a target (section 4).
	TypeNetwork Type = "network"
)

// The protocols of listeners of network load balancers. UDP is not there.
const (
	ProtocolTCP ListenerProtocol = "TCP"
	ProtocolTLS ListenerProtocol = "TLS"
)

// protocols are what listeners of a type may speak.
func (t Type) protocols() []ListenerProtocol {
	if t == TypeNetwork {
		return []ListenerProtocol{ProtocolTCP, ProtocolTLS}
	}
	return []ListenerProtocol{ProtocolHTTP, ProtocolHTTPS}
}

// dnsName is a name as AWS makes it for a load balancer (1.12 D).
func (t Type) dnsName(name string) string {
	if t == TypeNetwork {
		return name + "-0123456789abcdef.elb.us-east-1.amazonaws.com"
	}
	return name + "-1234567890.us-east-1.elb.amazonaws.com"
}

// Timers of network load balancers.
const (
	tlsKeepalive = 20 * time.Second
	// flowConnect is how long a target may take to accept a connection. A real one
	// passes SYNs on and has no such time (G).
	flowConnect = 10 * time.Second
	portHold    = time.Minute // 4.7 D
)

// maxPorts is how many source ports there are towards a target (4.7 D).
const maxPorts = 55000

// maxEndpoint bounds the name of a VPC endpoint, which AWS makes.
const maxEndpoint = 64

// checkType returns a load balancer with the defaults of its type filled in, or
// what is wrong with what only one of the types has.
func (lb LoadBalancer) checkType() (LoadBalancer, error) {
	switch lb.Type {
	case TypeNetwork:
		return lb.checkNetwork()
	case TypeApplication, "":
		lb.Type = TypeApplication
	default:
		return lb, badField("type", "got %q, want %q or %q", lb.Type, TypeApplication, TypeNetwork)
	}
	if lb.VPCEndpoint != "" || lb.PortsPerTarget != 0 {
		return lb, badField("type", "got vpc_endpoint_id or ports_per_target with type %q, want them with %q only", lb.Type, TypeNetwork)
	}
	for i, g := range append(slices.Clone(lb.TargetGroups), lb.single()...) {
		if g.Network() {
			return lb, badField("type", "got protocol %s in target group %d with type %q, want %s or %s", g.Protocol, i, lb.Type, targets.ProtocolHTTP, targets.ProtocolHTTPS)
		}
	}
	var err error
	lb.Attributes, err = lb.Attributes.check(cloud.Of(lb.Cloud))
	return lb, err
}

// single is the group without a name, if there is one.
func (lb LoadBalancer) single() []targets.Group {
	if lb.TargetGroup == nil {
		return nil
	}
	return []targets.Group{*lb.TargetGroup}
}

// checkNetwork is checkType of a network load balancer.
func (lb LoadBalancer) checkNetwork() (LoadBalancer, error) {
	if lb.PortsPerTarget == 0 {
		lb.PortsPerTarget = maxPorts
	}
	switch {
	case lb.Targets != 0:
		return lb, badField("targets", "got %d built-in targets, want a target_group: built-in targets speak HTTP to an application load balancer only", lb.Targets)
	case lb.Attributes != (Attributes{}):
		return lb, badField("attributes", "got attributes of an application load balancer, want none: those of a network load balancer are the listeners' and the target group's")
	case lb.MaxConnections != 0:
		return lb, badField("max_connections", "got %d with type %q, want it with %q only", lb.MaxConnections, TypeNetwork, TypeApplication)
	case lb.PortsPerTarget < 1 || lb.PortsPerTarget > maxPorts:
		return lb, badField("ports_per_target", "got %d, want 1 to %d", lb.PortsPerTarget, maxPorts)
	case len(lb.VPCEndpoint) > maxEndpoint:
		return lb, badField("vpc_endpoint_id", "got a name of %d bytes, want at most %d", len(lb.VPCEndpoint), maxEndpoint)
	case len(lb.TargetGroups) > 0:
		return lb, badField("target_groups", "got named target groups, want one target_group: a network load balancer has no rules here")
	case lb.TargetGroup == nil:
		lb.TargetGroup = &targets.Group{Protocol: targets.ProtocolTCP}
	case lb.TargetGroup.Protocol == "":
		group := *lb.TargetGroup
		group.Protocol, lb.TargetGroup = targets.ProtocolTCP, &group
	}
	if g := lb.TargetGroup; !g.Network() {
		return lb, badField("target_group.protocol", "got %q with type %q, want %s or %s", g.Protocol, lb.Type, targets.ProtocolTCP, targets.ProtocolTLS)
	}
	return lb, nil
}

// ListenerAttributes are listener attributes, under AWS's names.
type ListenerAttributes struct {
	// TCPIdleTimeoutSeconds is of TCP listeners: 350 by default, 60 to 6000, before
	// scaling (4.2 D), and with Azure 240 by default, 240 to 6000 (azure-lb.1 D). That of
	// TLS listeners is fixed.
	TCPIdleTimeoutSeconds int `json:"tcp.idle_timeout.seconds,omitempty"`
	// TCPReset has both sides of a flow that was silent for so long get an RST, with a cloud
	// that can do that: Azure (azure-lb.3 D).
	TCPReset bool `json:"tcp.reset.enabled,omitempty"`
}

// ALPNPolicy says what a TLS listener negotiates (4.10 D).
type ALPNPolicy string

// The ALPN policies.
const (
	ALPNNone           ALPNPolicy = "None" // the default
	ALPNHTTP1Only      ALPNPolicy = "HTTP1Only"
	ALPNHTTP2Only      ALPNPolicy = "HTTP2Only"
	ALPNHTTP2Optional  ALPNPolicy = "HTTP2Optional"
	ALPNHTTP2Preferred ALPNPolicy = "HTTP2Preferred"
)

// alpnPolicies are the protocols of each policy, the preferred one first.
var alpnPolicies = map[ALPNPolicy][]string{
	ALPNNone:           nil,
	ALPNHTTP1Only:      {"http/1.1", "http/1.0"},
	ALPNHTTP2Only:      {"h2"},
	ALPNHTTP2Optional:  {"http/1.1", "http/1.0", "h2"},
	ALPNHTTP2Preferred: {"h2", "http/1.1", "http/1.0"},
}

// checkFlow checks what only listeners of network load balancers have.
func (l Listener) checkFlow(field string, n *cloud.Network) (Listener, error) {
	idle := &l.Attributes.TCPIdleTimeoutSeconds
	switch {
	case l.Attributes.TCPReset && (l.Protocol != ProtocolTCP || !n.MayReset):
		return l, badField(field+"attributes.tcp.reset.enabled", "got true with protocol %q, want it with %q and a load balancer that can do it, such as Azure's", l.Protocol, ProtocolTCP)
	case l.Protocol != ProtocolTCP && *idle != 0:
		return l, badField(field+"attributes.tcp.idle_timeout.seconds", "got %d with protocol %q, want it with %q only: that of TLS listeners is fixed", *idle, l.Protocol, ProtocolTCP)
	case (l.Protocol == ProtocolTCP || l.Protocol == ProtocolTLS) && len(l.Rules)+len(l.DefaultActions) > 0:
		return l, badField(field+"rules", "got rules or default_actions with protocol %q, want none: every flow goes to the target_group", l.Protocol)
	case l.Protocol != ProtocolTLS && l.ALPNPolicy != "":
		return l, badField(field+"alpn_policy", "got %q with protocol %q, want it with %q only", l.ALPNPolicy, l.Protocol, ProtocolTLS)
	}
	if l.Protocol == ProtocolTCP {
		if err := n.Idle.Fill(idle); err != nil {
			return l, badField(field+"attributes.tcp.idle_timeout.seconds", "%v", err)
		}
	}
	if l.Protocol == ProtocolTLS && l.ALPNPolicy == "" {
		l.ALPNPolicy = ALPNNone
	}
	if _, ok := alpnPolicies[l.ALPNPolicy]; !ok && l.ALPNPolicy != "" {
		return l, badField(field+"alpn_policy", "got %q, want one of %s", l.ALPNPolicy,
			[]ALPNPolicy{ALPNNone, ALPNHTTP1Only, ALPNHTTP2Only, ALPNHTTP2Optional, ALPNHTTP2Preferred})
	}
	return l, nil
}

// ports are those on which a load balancer's nodes serve.
func (lb LoadBalancer) ports(all []uint16) []uint16 {
	if len(lb.Listeners) == 0 {
		return all
	}
	var out []uint16
	for _, l := range lb.Listeners {
		out = append(out, l.Port)
	}
	return out
}

// firstPort is the port by which health checks call the node (4.4 D).
func (lb LoadBalancer) firstPort(all []uint16) uint16 { return lb.ports(all)[0] }

// checkZone refuses a second address of a network load balancer in a zone: it has
// one there, and keeps it (4.11 D). mu is held.
func (s *Server) checkZone(want Node, lb LoadBalancer) error {
	if lb.Type != TypeNetwork || want.Zone == "" {
		return nil
	}
	for addr, n := range s.nodes {
		if v := n.view(); addr != want.Addr && v.lb.Name == lb.Name && v.zone == want.Zone {
			return control.Errorf(http.StatusConflict, CodeInUse, "zone", "zone %q of the network load balancer %q has the node %s, want one node a zone: name another zone, or none", want.Zone, lb.Name, addr)
		}
	}
	return nil
}

// openPorts has the node of a network load balancer drop what comes for ports on
// which it has no listener (4.3 D).
func (s *Server) openPorts(n *node) error {
	var open []uint16
	if lb := n.view().lb; lb.Type == TypeNetwork {
		open = lb.ports(s.config.Ports)
	}
	if err := s.network.OpenPorts(n.addr, open); err != nil {
		return networkError(err)
	}
	return nil
}
