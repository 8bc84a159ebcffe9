package fakealb

import (
	"fmt"
	"slices"
)

// Listener is a port of a load balancer and what is spoken on it.
type Listener struct {
	Port     uint16           `json:"port"` // one of Config.Ports
	Protocol ListenerProtocol `json:"protocol"`
}

// ListenerProtocol is what a client has to speak on a port.
type ListenerProtocol string

// The protocols of listeners.
const (
	ProtocolHTTP  ListenerProtocol = "HTTP"
	ProtocolHTTPS ListenerProtocol = "HTTPS"
)

// maxListeners is an ALB's quota.
const maxListeners = 50

// checkListeners returns what is wrong with the listeners of a load balancer
// whose nodes have these ports.
func (lb LoadBalancer) checkListeners(ports []uint16) error {
	if len(lb.Listeners) > maxListeners {
		return badField("listeners", "got %d listeners, want at most %d", len(lb.Listeners), maxListeners)
	}
	for i, l := range lb.Listeners {
		field := fmt.Sprintf("listeners[%d].", i)
		switch {
		case !slices.Contains(ports, l.Port):
			return badField(field+"port", "got port %d, want one of %d, on which every node listens", l.Port, ports)
		case slices.ContainsFunc(lb.Listeners[:i], func(o Listener) bool { return o.Port == l.Port }):
			return badField(field+"port", "got port %d twice, want one listener a port", l.Port)
		case l.Protocol != ProtocolHTTP && l.Protocol != ProtocolHTTPS:
			return badField(field+"protocol", "got protocol %q, want %q or %q", l.Protocol, ProtocolHTTP, ProtocolHTTPS)
		}
	}
	return nil
}

// listener returns the listener of a port. A load balancer without listeners
// serves every port; what it returns for that has no protocol.
func (lb LoadBalancer) listener(port uint16) (Listener, bool) {
	if len(lb.Listeners) == 0 {
		return Listener{Port: port}, true
	}
	i := slices.IndexFunc(lb.Listeners, func(l Listener) bool { return l.Port == port })
	if i < 0 {
		return Listener{}, false
	}
	return lb.Listeners[i], true
}
