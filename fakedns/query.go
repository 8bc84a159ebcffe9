package fakedns

import (
	"fmt"
	"net/netip"
	"time"
)

// Transport is how a query came.
type Transport string

// The transports.
const (
	UDP Transport = "udp"
	TCP Transport = "tcp"
)

func (t Transport) check(field string) *Error {
	switch t {
	case "", UDP, TCP:
		return nil
	}
	return invalid(field, "got %q, want udp or tcp", string(t))
}

// Query is one row of the query log.
type Query struct {
	// Seq rises by 1 with each query, from 1, also across a reset.
	Seq uint64 `json:"seq"`
	// ReceivedAt is when the query was read from the socket.
	ReceivedAt time.Time `json:"received_at"`
	// AnsweredAt is when the answer was handed to the socket; zero if there was none
	// (silence) or not yet (delay).
	AnsweredAt time.Time      `json:"answered_at,omitzero"`
	Client     netip.AddrPort `json:"client"`
	// Resolver is the local address that the query reached.
	Resolver  netip.AddrPort `json:"resolver"`
	Transport Transport      `json:"transport"`
	// Name asked for: lower case, no trailing dot; "" if the query could not be read.
	Name string `json:"name"`
	// Type asked for, such as "A"; "" if the query could not be read.
	Type string `json:"type"`
	// RCode of the answer, such as "NOERROR"; "" if none was meant to be sent.
	RCode string `json:"rcode"`
	// Answers are the addresses that were sent, in their order; none with KindGarbage. Of
	// SRV records they are those of the hosts that came beside them: the IPv4 ones if there
	// are any.
	Answers []netip.Addr `json:"answers,omitempty"`
	// TTL is how long a client may keep the answer: the lowest TTL in it; for a
	// negative answer that of the SOA.
	TTL time.Duration `json:"-"`
	// Truncated is the TC bit of the answer.
	Truncated bool `json:"truncated,omitempty"`
	// Stale: the answer holds something that had been replaced when it was asked for,
	// by a change on its way (Name.Propagation, Name.Interleave) or a KindStale fault.
	Stale bool `json:"stale,omitempty"`
	// Faults are the ids of the faults that changed the answer, in their order.
	Faults []string `json:"faults,omitempty"`
	// Revision is the state that was answered from: see [Change].
	Revision uint64 `json:"revision"`
}

// Filter selects queries; a zero field is "any".
type Filter struct {
	// Name asked for, without regard to case or a trailing dot.
	Name string
	// Type asked for, such as "A".
	Type string
	// Client is the prefix that the client's address must be in.
	Client netip.Prefix
	// After is a Seq; only later queries match.
	After uint64
	// Since is a time; only queries received then or later match.
	Since time.Time
}

// matcher is a Filter that was checked.
type matcher struct {
	name   string
	qtype  uint16
	client netip.Prefix
	after  uint64
	since  int64
}

func (f Filter) compile() (matcher, *Error) {
	m := matcher{client: f.Client.Masked(), after: f.After}
	var err *Error
	if f.Name != "" {
		if m.name, err = hostname("name", f.Name); err != nil {
			return matcher{}, err
		}
	}
	if _, m.qtype, err = questionType("type", f.Type); err != nil {
		return matcher{}, err
	}
	if !f.Since.IsZero() {
		m.since = f.Since.UnixNano()
	}
	return m, nil
}

func (m *matcher) matches(r *record) bool {
	return (m.name == "" || m.name == r.name) &&
		(m.qtype == 0 || m.qtype == r.qtype) &&
		(!m.client.IsValid() || m.client.Contains(r.clientAddr())) &&
		r.received >= m.since
}

// describe says in words what is waited for.
func (f Filter) describe() string {
	name, qtype := f.Name, f.Type
	if name == "" {
		name = "any name"
	}
	if qtype == "" {
		qtype = "any type"
	}
	s := fmt.Sprintf("%s, %s, after query %d", name, qtype, f.After)
	if f.Client.IsValid() {
		s += fmt.Sprintf(", from %s", f.Client)
	}
	return s
}
