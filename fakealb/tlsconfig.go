package fakealb

import (
	"crypto/tls"
	"fmt"
	"slices"

	"github.com/proxychaos/proxychaos/fakealb/cert"
	"github.com/proxychaos/proxychaos/fakealb/policy"
)

// tlsConfig is what the listener offers to one client, as the load balancer was
// when the handshake began. A fault may have wrong make another certificate of the
// right one.
func (s *Server) tlsConfig(c *clientConn, lb LoadBalancer, hello *tls.ClientHelloInfo, wrong func(cert.Leaf) cert.Leaf) *tls.Config {
	listener, _ := lb.listener(c.port)
	p, _ := policy.Named(listener.SSLPolicy)
	config := p.Config()
	config.NextProtos = common(lb.alpn(listener), hello.SupportedProtos)
	config.GetCertificate = func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
		spec, err := s.certificateFor(lb, listener, hello, c.node.addr)
		if err != nil {
			return nil, err
		}
		if wrong != nil {
			spec = wrong(spec)
		}
		c.certificate = fmt.Sprintf("%s %s %d %s", spec.Names, spec.KeyType, spec.KeySize, spec.Hash)
		return s.authority.Leaf(spec)
	}
	// Resumption would hide a wrong certificate.
	config.SessionTicketsDisabled = wrong != nil
	if wrong == nil {
		// Sessions are resumed by the node that began them only (1.18 D).
		config.SetSessionTicketKeys([][32]byte{c.node.ticketKey})
	}
	listener.MutualAuthentication.configure(config, c)
	return config
}

// alpn are the protocols that a listener offers, the preferred one first.
func (lb LoadBalancer) alpn(l Listener) []string {
	if lb.Type == TypeNetwork {
		return alpnPolicies[l.ALPNPolicy]
	}
	ours := []string{"h2", "http/1.1"}
	if on := lb.Attributes.HTTP2; on != nil && !*on {
		ours = ours[1:]
	}
	return ours
}

// common is ours, unless a client offers only what we do not know: it goes on
// without ALPN (2.2.5 O1), where crypto/tls would end the handshake.
func common(ours, offered []string) []string {
	if !slices.ContainsFunc(offered, func(p string) bool { return slices.Contains(ours, p) }) {
		return nil
	}
	return ours
}
