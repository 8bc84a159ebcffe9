package targets

import (
	"context"
	"fmt"
	"net"
	"net/netip"

	"github.com/pires/go-proxyproto"
)

// versionNone is the protocol version of groups over TCP and TLS.
const versionNone = ""

// NetworkAttributes are those that only groups of network load balancers have.
type NetworkAttributes struct {
	// ProxyProtocolV2 has every connection to a target, those of health checks too,
	// begin with a PROXY protocol header of version 2 (4.8 D).
	ProxyProtocolV2 bool `json:"proxy_protocol_v2.enabled,omitempty"`
	// ConnectionTermination resets what flows a target still has at the end of its
	// deregistration delay. By default they live on (4.9 D).
	ConnectionTermination bool `json:"deregistration_delay.connection_termination.enabled,omitempty"`
	// UnhealthyTermination resets the flows of a target that becomes unhealthy, unless
	// the group fails open: on by default (4.5 D). Nil means the default.
	UnhealthyTermination *bool `json:"target_health_state.unhealthy.connection_termination.enabled,omitempty"`
	// UnhealthyDrainingSeconds is how long such a target is unhealthy.draining before
	// it is unhealthy and its flows are reset: 0 to 360000, and 0 unless
	// UnhealthyTermination is false (4.5 D). With 0 its flows live on.
	UnhealthyDrainingSeconds int `json:"target_health_state.unhealthy.draining_interval_seconds,omitempty"`
}

const maxUnhealthyDraining = 360000

// Network reports whether the group is one of a network load balancer.
func (g Group) Network() bool { return g.Protocol == ProtocolTCP || g.Protocol == ProtocolTLS }

// networkDefaults fills in the defaults that are others than an ALB's.
func (g Group) networkDefaults() Group {
	orElse(&g.Attributes.CrossZone, crossZoneOff)
	if g.Attributes.UnhealthyTermination == nil {
		on := !g.norms.FlowsOutlive
		g.Attributes.UnhealthyTermination = &on
	}
	orElse(&g.Health.Protocol, ProtocolTCP)
	return g
}

// checkNetwork returns what is wrong with what only groups of network load
// balancers have, or with what they have not.
func (g Group) checkNetwork() (string, error) {
	a := g.Attributes
	if !g.Network() {
		if a.NetworkAttributes != (NetworkAttributes{}) {
			return "attributes", fmt.Errorf("got %+v with protocol %s, want them with %s and %s only", a.NetworkAttributes, g.Protocol, ProtocolTCP, ProtocolTLS)
		}
		return "", nil
	}
	for i, t := range g.Targets {
		if t.BuiltIn != nil {
			return fmt.Sprintf("targets[%d].built_in", i), fmt.Errorf("got a built-in target, which speaks HTTP, with protocol %s: want a server", g.Protocol)
		}
	}
	n := a.NetworkAttributes
	switch {
	case a.Sticky || a.SlowStartSeconds != 0 || a.Algorithm != "" && a.Algorithm != RoundRobin || g.Retries != 0:
		return "attributes", fmt.Errorf("got stickiness, slow start, an algorithm or retries with protocol %s, want them with %s and %s only", g.Protocol, ProtocolHTTP, ProtocolHTTPS)
	case n.UnhealthyDrainingSeconds < 0 || n.UnhealthyDrainingSeconds > maxUnhealthyDraining:
		return "attributes.target_health_state.unhealthy.draining_interval_seconds", fmt.Errorf("got %d, want 0 to %d", n.UnhealthyDrainingSeconds, maxUnhealthyDraining)
	case n.UnhealthyDrainingSeconds > 0 && *n.UnhealthyTermination:
		return "attributes.target_health_state.unhealthy.draining_interval_seconds", fmt.Errorf("got %d with connection_termination.enabled, want that false", n.UnhealthyDrainingSeconds)
	}
	return "", nil
}

// checkTCP fills in and checks a health check which is a connection and no more.
func (h HealthCheck) checkTCP(n Norms) (HealthCheck, string, error) {
	if h.Path != "" || h.Matcher != "" {
		return h, "protocol", fmt.Errorf("got %s with a path or a matcher, want %s or %s, or neither", h.Protocol, ProtocolHTTP, ProtocolHTTPS)
	}
	field, err := h.checkNumbers(n)
	return h, field, err
}

// checkTCP makes a health check of a connection: whoever accepts it is healthy.
func (g Group) checkTCP(ctx context.Context, addr netip.AddrPort) result {
	c, err := g.dialCheck(ctx, "tcp", addr.String())
	if err != nil {
		return failure(err)
	}
	defer c.Close()
	if _, err := c.Write(nil); err != nil {
		return failure(err)
	}
	return result{ok: true, code: -1}
}

// checkHost is the Host of health checks over HTTP: the node itself, with the port
// of its listener (4.4 D).
func (p *Pool) checkHost() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return netip.AddrPortFrom(p.node.Addr, p.node.Port).String()
}

// dialCheck opens the connection of a health check.
func (g Group) dialCheck(ctx context.Context, network, addr string) (net.Conn, error) {
	c, err := (&net.Dialer{}).DialContext(ctx, network, addr)
	if err != nil || !g.Attributes.ProxyProtocolV2 {
		return c, err
	}
	header, err := localHeader()
	if err != nil {
		_ = c.Close()
		return nil, err
	}
	return &headedConn{Conn: c, header: header}, nil
}

// localHeader is the PROXY protocol header of a connection that is the load
// balancer's own: it names no client.
func localHeader() ([]byte, error) {
	return (&proxyproto.Header{Version: 2, Command: proxyproto.LOCAL}).Format()
}

// headedConn sends a header with what is written first, in one packet: a server
// that takes the header for a bad request then answers to a request of ours.
type headedConn struct {
	net.Conn
	header []byte
}

// Write writes the header, once, and b.
func (c *headedConn) Write(b []byte) (int, error) {
	if c.header == nil {
		return c.Conn.Write(b)
	}
	n, err := c.Conn.Write(append(c.header, b...))
	n = max(0, n-len(c.header))
	c.header = nil
	return n, err
}
