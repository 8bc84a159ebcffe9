// Package targets is the side of a fake load balancer node that faces its
// targets: which of them are healthy as this node sees it, which one gets the
// next request, and what became of the request.
//
// A [Group] is a target group as it is configured. A [Pool] is one node's view of
// it: as in an ALB each node checks health by itself and holds connections of its
// own (section 3 of the project's aws-facts, by whose numbers facts are cited).
package targets

import (
	"fmt"
	"regexp"
	"slices"
)

// Group is a target group.
type Group struct {
	// Name is 1 to 32 letters, digits and inner hyphens, as for an ALB. Only the
	// single group of a load balancer without rules has none.
	Name string `json:"name,omitempty"`
	// Targets are the registered targets, at most 1000. An empty list is a group
	// without any: 503 (2.4.1 D).
	Targets []Target `json:"targets,omitempty"`
	// Protocol towards targets: HTTP (the default) or HTTPS with an application load
	// balancer, TCP (the default) or TLS with a network load balancer. The
	// certificates of targets are not validated (3.1.4, 4.10 D).
	Protocol string `json:"protocol,omitempty"`
	// ProtocolVersion is HTTP1, HTTP2 or GRPC (3.1.4 D). Empty means HTTP1. The
	// other two are spoken with prior knowledge, over TLS with ALPN h2. TCP and TLS
	// have none.
	ProtocolVersion string      `json:"protocol_version,omitempty"`
	Health          HealthCheck `json:"health_check"`
	Attributes      Attributes  `json:"attributes,omitzero"`
	// Retries is how many further targets are tried when a connection cannot be
	// made, 0 to 3. An ALB is not seen to try any (3.1.6 O). 0 means the default.
	Retries int `json:"retries,omitempty"`

	norms Norms // that it was checked by
}

// The protocols of target groups and of health checks.
const (
	ProtocolHTTP  = "HTTP"
	ProtocolHTTPS = "HTTPS"
	ProtocolTCP   = "TCP"
	ProtocolTLS   = "TLS"
)

// The protocol versions of target groups.
const (
	VersionHTTP1 = "HTTP1"
	VersionHTTP2 = "HTTP2"
	VersionGRPC  = "GRPC"
)

const (
	maxTargets = 1000 // AWS's quota of targets per group
	maxZone    = 64
	maxRetries = 3
)

var groupName = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9-]{0,30}[A-Za-z0-9])?$`)

// Check is CheckBy the norms of AWS.
func (g Group) Check() (Group, string, error) {
	if g.Network() {
		return g.CheckBy(AWSNetwork)
	}
	return g.CheckBy(AWS)
}

// CheckBy returns the group with the defaults of its cloud filled in, or the name of the
// field that is wrong, and why.
func (g Group) CheckBy(n Norms) (Group, string, error) {
	g.norms = n
	if g.Protocol == "" {
		g.Protocol = ProtocolHTTP
	}
	if g.Retries == 0 {
		g.Retries = n.Retries
	}
	if g.ProtocolVersion == "" && !g.Network() {
		g.ProtocolVersion = VersionHTTP1
	}
	if g.Network() {
		g = g.networkDefaults()
	}
	switch {
	case g.Name != "" && !groupName.MatchString(g.Name):
		return g, "name", fmt.Errorf("got %q, want 1 to 32 letters, digits and inner hyphens", g.Name)
	case !g.Network() && g.Protocol != ProtocolHTTP && g.Protocol != ProtocolHTTPS:
		return g, "protocol", fmt.Errorf("got protocol %q, want %s, %s, %s or %s", g.Protocol, ProtocolHTTP, ProtocolHTTPS, ProtocolTCP, ProtocolTLS)
	case g.Network() && g.ProtocolVersion != "":
		return g, "protocol_version", fmt.Errorf("got %q with protocol %s, want none", g.ProtocolVersion, g.Protocol)
	case !g.Network() && !slices.Contains([]string{VersionHTTP1, VersionHTTP2, VersionGRPC}, g.ProtocolVersion):
		return g, "protocol_version", fmt.Errorf("got %q, want %s, %s or %s", g.ProtocolVersion, VersionHTTP1, VersionHTTP2, VersionGRPC)
	case len(g.Targets) > maxTargets:
		return g, "targets", fmt.Errorf("got %d targets, want at most %d", len(g.Targets), maxTargets)
	case g.Retries < 0 || g.Retries > maxRetries:
		return g, "retries", fmt.Errorf("got %d, want 0 to %d", g.Retries, maxRetries)
	}
	g.Targets = append([]Target{}, g.Targets...) // never null in JSON
	for i, t := range g.Targets {
		t, field, err := t.check(i, g.ProtocolVersion)
		if err == nil && slices.ContainsFunc(g.Targets[:i], func(o Target) bool { return o.ID() == t.ID() }) {
			err = fmt.Errorf("got %s twice, want it once", t.ID())
		}
		if err != nil {
			return g, fmt.Sprintf("targets[%d]%s", i, field), err
		}
		g.Targets[i] = t
	}
	field, err := g.checkNetwork()
	if err != nil {
		return g, field, err
	}
	if g.Health, field, err = g.Health.check(g.ProtocolVersion, n); err != nil {
		return g, "health_check." + field, err
	}
	if g.Attributes, field, err = g.Attributes.check(n); err != nil {
		return g, "attributes." + field, err
	}
	return g, "", nil
}

// overHTTP2 reports whether targets are spoken to in HTTP/2.
func (g Group) overHTTP2() bool {
	return g.ProtocolVersion == VersionHTTP2 || g.ProtocolVersion == VersionGRPC
}

// crossZone reports whether nodes use the targets of every zone (3.4.9 D).
func (g Group) crossZone() bool { return g.Attributes.CrossZone != crossZoneOff }
