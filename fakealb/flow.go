package fakealb

import (
	"net/netip"
	"reflect"
	"time"

	"github.com/proxychaos/proxychaos/fakealb/cloud"
	"github.com/proxychaos/proxychaos/fakealb/nlb"
	"github.com/proxychaos/proxychaos/fakealb/record"
	"github.com/proxychaos/proxychaos/fakealb/targets"
)

// flowIdle is the idle timeout of the listener's flows. Without listeners every port
// is TCP.
func (lb *LoadBalancer) flowIdle(l Listener) time.Duration {
	s := l.Attributes.TCPIdleTimeoutSeconds
	if s == 0 {
		s = cloud.Of(lb.Cloud).Network.Idle.Default
	}
	return time.Duration(s) * time.Second
}

// idleTimeout is after how much silence a connection on that port is ended.
func (lb LoadBalancer) idleTimeout(port uint16) time.Duration {
	if lb.Type == TypeNetwork {
		l, _ := lb.listener(port)
		return lb.flowIdle(l)
	}
	return lb.Attributes.idleTimeout()
}

// serveFlow has the network load balancer pin a connection to a target, and
// returns at its end.
func (s *Server) serveFlow(c *clientConn, l Listener) {
	v := c.node.view()
	group := v.lb.TargetGroup
	a := nlb.Arrival{
		ID: c.id, Client: c.peer, Node: netip.AddrPortFrom(c.node.addr, c.port), Conn: c.Conn.(nlb.Conn),
		Chosen: func(target string) {
			s.connections.Update(c.row, func(r *record.Connection) { r.Target = target })
		},
	}
	settings := nlb.Settings{
		Idle: s.scaled(v.lb.flowIdle(l)), ResetIdle: l.Attributes.TCPReset, Connect: s.scaled(flowConnect), Handshake: s.scaled(handshakeTimeout),
		TLS: group.Protocol == targets.ProtocolTLS, ProxyProtocol: group.Attributes.ProxyProtocolV2,
		Endpoint: v.lb.VPCEndpoint, Ports: v.lb.PortsPerTarget, PortHold: s.scaled(portHold),
	}
	if l.Protocol == ProtocolTLS {
		conn, ok := s.handshake(c)
		if !ok {
			return
		}
		a.Stream, a.ALPN = conn, conn.ConnectionState().NegotiatedProtocol
		settings.Keepalive = s.scaled(tlsKeepalive)
	}
	end := c.node.flows.Serve(a, v.pools[unnamed], settings)
	c.flowEnded(end)
}

// flowEnded notes how a flow ended, in place of what single reads and writes made
// of it.
func (c *clientConn) flowEnded(end nlb.End) {
	by := map[nlb.Party]record.ClosedBy{
		nlb.ByClient: record.ClosedByPeer, nlb.ByTarget: record.ClosedByTarget,
		nlb.ByBalancer: record.ClosedByNode, nlb.ByFault: record.ClosedByFault,
	}[end.By]
	select {
	case <-c.server.done:
		if by == record.ClosedByFault {
			by, end.How = record.ClosedByNode, howShutdown
		}
	default:
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closure = closure{by, string(end.How)}
}

// fitsNetwork reports whether the fault does something to a network load balancer,
// which knows of no requests.
func (spec faultSpec) fitsNetwork() bool {
	return reflect.ValueOf(spec).IsZero() || spec.packets != "" || spec.hello != nil || spec.certificate != nil && spec.answer == nil || spec.slowAccept
}
