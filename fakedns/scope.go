package fakedns

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/miekg/dns"
)

// Scope says which queries a [Fault] touches; a zero field is "any".
type Scope struct {
	// Name asked for, without regard to case or a trailing dot.
	Name string `json:"name,omitempty"`
	// Type asked for, such as "A" or "AAAA".
	Type string `json:"type,omitempty"`
	// Clients are the prefixes one of which the client's address must be in.
	Clients []netip.Prefix `json:"clients,omitempty"`
	// Resolvers are the local addresses one of which the query must have reached:
	// a fault on one of two addresses is one of two resolvers failing.
	Resolvers []netip.Addr `json:"resolvers,omitempty"`
	// Transport is "udp" or "tcp".
	Transport Transport `json:"transport,omitempty"`
}

func (s Scope) normalize() (Scope, *Error) {
	var err *Error
	if s.Name != "" {
		if s.Name, err = hostname("name", s.Name); err != nil {
			return Scope{}, err
		}
	}
	if s.Type, _, err = questionType("type", s.Type); err != nil {
		return Scope{}, err
	}
	if err := s.Transport.check("transport"); err != nil {
		return Scope{}, err
	}
	if s.Clients, err = prefixes("clients", s.Clients); err != nil {
		return Scope{}, err
	}
	if s.Resolvers, err = localAddresses("resolvers", s.Resolvers); err != nil {
		return Scope{}, err
	}
	return s, nil
}

// matches says whether q is in a scope whose Type has this number.
func (s *Scope) matches(q *question, qtype uint16) bool {
	return (s.Name == "" || s.Name == q.name) &&
		(qtype == 0 || qtype == q.qtype) &&
		(s.Transport == "" || s.Transport == q.transport) &&
		q.among(s.Clients, s.Resolvers)
}

// among says whether the query came from one of the clients to one of the resolvers.
func (q *question) among(clients []netip.Prefix, resolvers []netip.Addr) bool {
	inPrefix := func(p netip.Prefix) bool { return p.Contains(q.client.Addr()) }
	return (len(clients) == 0 || slices.ContainsFunc(clients, inPrefix)) &&
		(len(resolvers) == 0 || slices.Contains(resolvers, q.resolver.Addr()))
}

func prefixes(field string, in []netip.Prefix) ([]netip.Prefix, *Error) {
	out := slices.Clone(in)
	for i, p := range out {
		if !p.IsValid() {
			return nil, invalid(indexed(field, i), "not a prefix, want one such as 10.0.0.0/8")
		}
		out[i] = p.Masked()
	}
	return out, nil
}

func localAddresses(field string, in []netip.Addr) ([]netip.Addr, *Error) {
	out := slices.Clone(in)
	for i, a := range out {
		if !a.IsValid() {
			return nil, invalid(indexed(field, i), "not an address, want one such as 169.254.169.253")
		}
		out[i] = a.Unmap()
	}
	return out, nil
}

// questionType returns the upper-case mnemonic and the number of a type; "" is 0, any.
func questionType(field, s string) (string, uint16, *Error) {
	if s == "" {
		return "", 0, nil
	}
	s = strings.ToUpper(s)
	n, ok := dns.StringToType[s]
	if !ok {
		return "", 0, invalid(field, "got %q, want a DNS type such as A or AAAA", s)
	}
	return s, n, nil
}
