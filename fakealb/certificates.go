package fakealb

import (
	"crypto/tls"
	"fmt"
	"net/netip"
	"strings"

	"github.com/proxychaos/proxychaos/fakealb/cert"
)

// CA returns the certificate of the server's authority as PEM, for the trust
// store of a client.
func (s *Server) CA() []byte { return s.authority.PEM() }

// certificateFor is the certificate for a client that asks for a name, or for none: the
// best one of the listener's or, if that has none, one for whatever is asked for.
func (s *Server) certificateFor(lb LoadBalancer, l Listener, hello *tls.ClientHelloInfo, node netip.Addr) (cert.Leaf, error) {
	asked := strings.ToLower(strings.TrimSuffix(hello.ServerName, "."))
	list := l.Certificates
	if len(list) == 0 {
		list = lb.shortCertificates()
	}
	switch {
	case len(list) > 0:
		return s.authority.Best(list, asked, hello)
	case asked == "":
		return s.defaultLeaf(node.String()), nil
	}
	return cert.Leaf{Names: asked}, nil
}

// shortCertificates are those of LoadBalancer.Certificates.
func (lb LoadBalancer) shortCertificates() []cert.Certificate {
	var list []cert.Certificate
	for _, name := range lb.Certificates {
		list = append(list, cert.Certificate{Names: []string{name}, KeyType: cert.ECDSA, KeySize: 256, Hash: "SHA256"})
	}
	return list
}

// prepare makes the certificates of a load balancer, so that no client waits for
// the making of its key.
func (s *Server) prepare(lb LoadBalancer) error {
	for i, l := range lb.Listeners {
		for j, c := range l.Certificates {
			if _, err := s.authority.Leaf(c.Leaf()); err != nil {
				return fmt.Errorf("listeners[%d].certificates[%d]: %w", i, j, err)
			}
		}
	}
	return nil
}
