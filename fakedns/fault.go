package fakedns

import (
	"maps"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/miekg/dns"
)

// Kind is what a [Fault] does to the answers in its scope.
type Kind string

// The kinds. Each stands in faultkinds.go.
const (
	KindNoData   Kind = "nodata"   // NOERROR without records, SOA in the authority section (aws-facts 5.13)
	KindNXDomain Kind = "nxdomain" // NXDOMAIN with SOA
	KindServFail Kind = "servfail" // SERVFAIL, as a resolver whose upstream fails
	KindRefused  Kind = "refused"  // REFUSED
	KindSilence  Kind = "silence"  // no answer at all
	KindDelay    Kind = "delay"    // the answer comes Fault.Delay later
)

// Fault changes the answers in its Scope. Faults apply in the order in which they
// were first put, each to what the one before has left: a delay and a servfail
// together give a late SERVFAIL.
type Fault struct {
	// ID names the fault in the control API and in the query log: 1 to 64 of a-z A-Z 0-9 . _ -
	ID   string `json:"id"`
	Kind Kind   `json:"kind"`
	// Scope limits the fault; the zero Scope is every query.
	Scope Scope `json:"scope,omitzero"`
	// Count ends the fault after that many answers; 0 is no limit.
	Count int `json:"count,omitempty"`
	// After is the time from the PUT until the fault begins; 0 is at once.
	After time.Duration `json:"-"`
	// For is how long it lasts from its beginning; 0 is until it is deleted.
	For time.Duration `json:"-"`
	// Delay is by how much KindDelay is late: more than 0, up to 1 h. Not for other kinds.
	// resolv.conf's default timeout is 5 s.
	Delay time.Duration `json:"-"`
}

// Scope says which queries a [Fault] touches; a zero field is "any".
type Scope struct {
	// Name asked for, without regard to case or a trailing dot.
	Name string `json:"name,omitempty"`
	// Type asked for, such as "A" or "AAAA".
	Type string `json:"type,omitempty"`
	// Clients are the prefixes that the client's address must be in (one of them).
	Clients []netip.Prefix `json:"clients,omitempty"`
	// Resolvers are the local addresses one of which the query must have reached:
	// a fault on one of two addresses is one of two resolvers failing.
	Resolvers []netip.Addr `json:"resolvers,omitempty"`
	// Transport is "udp" or "tcp".
	Transport Transport `json:"transport,omitempty"`
}

// FaultStatus is a [Fault] and what it has done so far.
type FaultStatus struct {
	Fault Fault `json:"fault"`
	// InForceAt is when it began or will begin.
	InForceAt time.Time `json:"in_force_at"`
	// Until is when it ends by itself; zero if it does not, or only by Count.
	Until time.Time `json:"until,omitzero"`
	// Hits is how many answers it has changed.
	Hits uint64 `json:"hits"`
	// InForce says whether it would touch a query in its scope now.
	InForce bool `json:"in_force"`
}

var faultID = regexp.MustCompile(`^[a-zA-Z0-9._-]{1,64}$`)

const maxDelay = time.Hour

func (f Fault) normalize() (Fault, *Error) {
	if !faultID.MatchString(f.ID) || f.ID == "." || f.ID == ".." {
		return Fault{}, invalid("id", "got %q, want 1 to 64 of a-z A-Z 0-9 . _ -", f.ID)
	}
	if _, ok := kinds[f.Kind]; !ok {
		return Fault{}, invalid("kind", "got %q, want one of %s", f.Kind, kindList())
	}
	if f.Kind == KindDelay && (f.Delay <= 0 || f.Delay > maxDelay) {
		return Fault{}, invalid("delay_seconds", "got %g, want more than 0 and at most %g", f.Delay.Seconds(), maxDelay.Seconds())
	}
	if f.Kind != KindDelay && f.Delay != 0 {
		return Fault{}, invalid("delay_seconds", "kind %q has no delay, only kind \"delay\" has", f.Kind)
	}
	if f.Count < 0 {
		return Fault{}, invalid("count", "got %d, want 0 (no limit) or more", f.Count)
	}
	if f.After < 0 {
		return Fault{}, invalid("after_seconds", "got %g, want 0 or more", f.After.Seconds())
	}
	if f.For < 0 {
		return Fault{}, invalid("for_seconds", "got %g, want 0 (until deleted) or more", f.For.Seconds())
	}
	scope, err := f.Scope.normalize()
	if err != nil {
		return Fault{}, within("scope", err)
	}
	f.Scope = scope
	return f, nil
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
	s.Clients = slices.Clone(s.Clients)
	for i, p := range s.Clients {
		if !p.IsValid() {
			return Scope{}, invalid(indexed("clients", i), "not a prefix, want one such as 10.0.0.0/8")
		}
		s.Clients[i] = p.Masked()
	}
	s.Resolvers = slices.Clone(s.Resolvers)
	for i, a := range s.Resolvers {
		if !a.IsValid() {
			return Scope{}, invalid(indexed("resolvers", i), "not an address, want one such as 169.254.169.253")
		}
		s.Resolvers[i] = a.Unmap()
	}
	return s, nil
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

func kindList() string {
	names := make([]string, 0, len(kinds))
	for _, k := range slices.Sorted(maps.Keys(kinds)) {
		names = append(names, string(k))
	}
	return strings.Join(names, ", ")
}

// activeFault is a Fault that was put, with its counters.
type activeFault struct {
	Fault
	qtype       uint16
	apply       behaviour
	from, until time.Time
	// inForceAt is from, or the moment the fault was in place if that was later. Guarded by Server.mu.
	inForceAt time.Time
	hits      atomic.Uint64
}

func activate(f Fault, now time.Time) *activeFault {
	_, qtype, _ := questionType("", f.Scope.Type)
	a := &activeFault{Fault: f, qtype: qtype, apply: kinds[f.Kind], from: now.Add(f.After)}
	if f.For > 0 {
		a.until = a.from.Add(f.For)
	}
	return a
}

// inWindow says whether the fault's time has come and not passed.
func (a *activeFault) inWindow(now time.Time) bool {
	return !now.Before(a.from) && (a.until.IsZero() || now.Before(a.until))
}

// claim takes one of the fault's hits, and says whether there was one left.
func (a *activeFault) claim() bool {
	for {
		n := a.hits.Load()
		if a.Count > 0 && n >= uint64(a.Count) {
			return false
		}
		if a.hits.CompareAndSwap(n, n+1) {
			return true
		}
	}
}

func (a *activeFault) matches(q *question) bool {
	s := &a.Scope
	if s.Name != "" && s.Name != q.name || a.qtype != 0 && a.qtype != q.qtype {
		return false
	}
	if s.Transport != "" && s.Transport != q.transport {
		return false
	}
	if len(s.Resolvers) > 0 && !slices.Contains(s.Resolvers, q.resolver.Addr()) {
		return false
	}
	inPrefix := func(p netip.Prefix) bool { return p.Contains(q.client.Addr()) }
	return len(s.Clients) == 0 || slices.ContainsFunc(s.Clients, inPrefix)
}

func (a *activeFault) status(now time.Time) FaultStatus {
	hits := a.hits.Load()
	spent := a.Count > 0 && hits >= uint64(a.Count)
	return FaultStatus{
		Fault: a.Fault, InForceAt: a.inForceAt, Until: a.until,
		Hits: hits, InForce: a.inWindow(now) && !spent,
	}
}
