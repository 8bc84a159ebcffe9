package fakealb

import (
	"net/http"
	"slices"
	"strings"

	"github.com/proxychaos/proxychaos/fakealb/cert"
)

// DefaultCertificate is the certificate of a client that sends no SNI, from a node whose
// load balancer has no certificates of its own.
type DefaultCertificate struct {
	// Names are at most 100 host names. With none the certificate is for the node's
	// address.
	Names []string `json:"names"`
}

func (d DefaultCertificate) check() error {
	bad := func(name string) bool {
		return name == "" || len(name) > 253 || strings.ContainsAny(name, ", \t\r\n")
	}
	switch {
	case d.Names == nil || len(d.Names) > cert.MaxNames:
		return badField("names", "got %d names, want a list of at most %d", len(d.Names), cert.MaxNames)
	case slices.ContainsFunc(d.Names, bad):
		return badField("names", "got %q, want host names", d.Names)
	}
	return nil
}

func (s *Server) handlePutDefaultCertificate(w http.ResponseWriter, r *http.Request) {
	var d DefaultCertificate
	err := decode(w, r, &d)
	if err == nil {
		err = d.check()
	}
	if err != nil {
		answer(w, nil, err)
		return
	}
	s.answerChange(w, func() (Applied, error) {
		a := begin()
		changed := s.setDefaultNames(strings.ToLower(strings.Join(d.Names, ",")))
		return s.note(a.end(changed), "put-default-certificate", "", d.Names...), nil
	})
}

// setDefaultNames reports whether the names were others before.
func (s *Server) setDefaultNames(names string) bool {
	before := s.defaultNames.Swap(&names)
	return before == nil || *before != names
}

// defaultLeaf is the certificate for a client that asks a node for none by name.
func (s *Server) defaultLeaf(node string) cert.Leaf {
	if names := s.defaultNames.Load(); names != nil && *names != "" {
		return cert.Leaf{Names: *names}
	}
	return cert.Leaf{Names: node}
}
