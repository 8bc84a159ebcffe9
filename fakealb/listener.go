package fakealb

import (
	"fmt"
	"slices"
	"strings"

	"github.com/proxychaos/proxychaos/fakealb/cert"
	"github.com/proxychaos/proxychaos/fakealb/cloud"
	"github.com/proxychaos/proxychaos/fakealb/policy"
	"github.com/proxychaos/proxychaos/fakealb/rules"
	"github.com/proxychaos/proxychaos/fakealb/targets"
)

// Listener is a port of a load balancer and what is spoken on it.
type Listener struct {
	Port     uint16           `json:"port"` // one of Config.Ports, or any with Config.AnyPort
	Protocol ListenerProtocol `json:"protocol"`
	// Certificates are those of an HTTPS or TLS listener, at most 26; the first is the
	// default one (2.3.3 D). With none those of the load balancer serve.
	Certificates []cert.Certificate `json:"certificates,omitempty"`
	// SSLPolicy is the name of an ALB's security policy, such as
	// ELBSecurityPolicy-TLS13-1-2-2021-06. The default of an HTTPS listener is
	// ELBSecurityPolicy-2016-08 (2.3.1 D).
	SSLPolicy  string             `json:"ssl_policy,omitempty"`
	Attributes ListenerAttributes `json:"attributes,omitzero"`
	// ALPNPolicy is of TLS listeners, whose default is None (4.10 D).
	ALPNPolicy ALPNPolicy `json:"alpn_policy,omitempty"`
	// MutualAuthentication is off by default.
	MutualAuthentication MutualAuthentication `json:"mutual_authentication,omitzero"`
	// Rules are asked by their priority, at most 100; DefaultActions, none or one, is
	// what is done where none holds. Without it the request goes to what the load
	// balancer's targets or target_group say.
	Rules          []rules.Rule   `json:"rules,omitempty"`
	DefaultActions []rules.Action `json:"default_actions,omitempty"`
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

// checkListeners returns the load balancer with the defaults of its listeners
// filled in, or what is wrong with them, given the ports that nodes have.
func (lb LoadBalancer) checkListeners(config Config) (LoadBalancer, error) {
	if len(lb.Listeners) > maxListeners {
		return lb, badField("listeners", "got %d listeners, want at most %d", len(lb.Listeners), maxListeners)
	}
	lb.Listeners = slices.Clone(lb.Listeners)
	for i, l := range lb.Listeners {
		field := fmt.Sprintf("listeners[%d].", i)
		switch {
		case l.Port == 0:
			return lb, badField(field+"port", "got port 0, want 1 to 65535")
		case !config.AnyPort && !slices.Contains(config.Ports, l.Port):
			return lb, badField(field+"port", "got port %d, want one of %d, on which every node listens", l.Port, config.Ports)
		case slices.ContainsFunc(lb.Listeners[:i], func(o Listener) bool { return o.Port == l.Port }):
			return lb, badField(field+"port", "got port %d twice, want one listener a port", l.Port)
		case !slices.Contains(lb.Type.protocols(), l.Protocol):
			return lb, badField(field+"protocol", "got protocol %q with type %q, want one of %q", l.Protocol, lb.Type, lb.Type.protocols())
		}
		var err error
		if l, err = l.checkFlow(field, cloud.Of(lb.Cloud).Network); err != nil {
			return lb, err
		}
		if lb.Listeners[i], err = l.checkTLS(field); err != nil {
			return lb, err
		}
		if lb.Listeners[i], err = lb.checkRules(i); err != nil {
			return lb, err
		}
		if g := lb.TargetGroup; l.Protocol == ProtocolHTTP && len(l.DefaultActions) == 0 && g != nil && g.ProtocolVersion != targets.VersionHTTP1 {
			return lb, badField(field+"protocol", "got %s with a target_group of version %s, want %s (2.2.4)", l.Protocol, g.ProtocolVersion, ProtocolHTTPS)
		}
	}
	return lb, nil
}

// checkTLS checks what only listeners with TLS have.
func (l Listener) checkTLS(field string) (Listener, error) {
	if mode := l.MutualAuthentication.Mode; l.Protocol == ProtocolTLS && mode != "" && mode != mutualOff {
		return l, badField(field+"mutual_authentication.mode", "got %q with protocol %s, which has no mutual TLS", mode, l.Protocol)
	}
	if l.Protocol != ProtocolHTTPS && l.Protocol != ProtocolTLS {
		if l.Certificates != nil || l.SSLPolicy != "" || l.MutualAuthentication != (MutualAuthentication{}) {
			return l, badField(field+"protocol", "got %s with certificates, ssl_policy or mutual_authentication, want %s or %s, or none of these", l.Protocol, ProtocolHTTPS, ProtocolTLS)
		}
		return l, nil
	}
	if l.SSLPolicy == "" {
		l.SSLPolicy = policy.Default
	}
	if _, ok := policy.Named(l.SSLPolicy); !ok {
		return l, badField(field+"ssl_policy", "got %q, want one of %s", l.SSLPolicy, strings.Join(policy.Names(), ", "))
	}
	if len(l.Certificates) > maxCertificates {
		return l, badField(field+"certificates", "got %d certificates, want at most %d", len(l.Certificates), maxCertificates)
	}
	var err error
	if l.MutualAuthentication, err = l.MutualAuthentication.check(field + "mutual_authentication"); err != nil {
		return l, err
	}
	l.Certificates = slices.Clone(l.Certificates)
	for i, c := range l.Certificates {
		wrong := ""
		if l.Certificates[i], wrong, err = c.Check(); err != nil {
			return l, badField(fmt.Sprintf("%scertificates[%d].%s", field, i, wrong), "%v", err)
		}
	}
	return l, nil
}

// listener returns the listener of a port. A load balancer without listeners
// serves every port; what it returns for that has no protocol.
func (lb LoadBalancer) listener(port uint16) (Listener, bool) {
	if len(lb.Listeners) == 0 {
		return Listener{Port: port, SSLPolicy: policy.AnyPort}, true
	}
	i := slices.IndexFunc(lb.Listeners, func(l Listener) bool { return l.Port == port })
	if i < 0 {
		return Listener{}, false
	}
	return lb.Listeners[i], true
}

// policies are the security policies of the listeners that have one.
func (lb LoadBalancer) policies() []string {
	var names []string
	for _, l := range lb.Listeners {
		if l.SSLPolicy != "" {
			names = append(names, l.SSLPolicy)
		}
	}
	return names
}
