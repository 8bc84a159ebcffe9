package fakedns

import (
	"regexp"
	"slices"
	"sync/atomic"
	"time"
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
	// After is the time from the PUT until the fault begins; 0 is at once. Not for
	// KindStale, which keeps what is answered at the PUT.
	After time.Duration `json:"-"`
	// For is how long it lasts from its beginning; 0 is until it is deleted.
	For time.Duration `json:"-"`
	// Delay is by how much KindDelay is late: more than 0, up to 1 h. Only for that
	// kind. resolv.conf's default timeout is 5 s.
	Delay time.Duration `json:"-"`
	// PerSecond is how many queries KindThrottle lets through in a second; 0 is
	// DefaultPerSecond. Only for that kind.
	PerSecond int `json:"per_second,omitempty"`
	// Per is what PerSecond counts by; "" is PerClient. Only for KindThrottle.
	Per Per `json:"per,omitempty"`
	// TTL replaces, in whole seconds, the TTL of what KindStale answers and of the SOA
	// of KindNoData and KindNXDomain; 0 leaves it. Only for these kinds.
	TTL time.Duration `json:"-"`
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

// Check says what is wrong with the fault, as a PUT would; nil if nothing is.
func (f Fault) Check() error {
	if _, err := f.normalize(); err != nil {
		return err
	}
	return nil
}

func (f Fault) normalize() (Fault, *Error) {
	if !faultID.MatchString(f.ID) || f.ID == "." || f.ID == ".." {
		return Fault{}, invalid("id", "got %q, want 1 to 64 of a-z A-Z 0-9 . _ -", f.ID)
	}
	if _, ok := kinds[f.Kind]; !ok {
		return Fault{}, invalid("kind", "got %q, want one of %s", f.Kind, kindList())
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
	if err := f.normalizeParameters(); err != nil {
		return Fault{}, err
	}
	scope, err := f.Scope.normalize()
	if err != nil {
		return Fault{}, within("scope", err)
	}
	f.Scope = scope
	return f, nil
}

// normalizeParameters checks the fields that only some kinds have.
func (f *Fault) normalizeParameters() *Error {
	takes := kinds[f.Kind].takes
	for _, p := range []struct {
		parameter
		field string
		given bool
	}{
		{takesDelay, "delay_seconds", f.Delay != 0},
		{takesRate, "per_second", f.PerSecond != 0},
		{takesRate, "per", f.Per != ""},
		{takesTTL, "ttl_seconds", f.TTL != 0},
	} {
		if p.given && !slices.Contains(takes, p.parameter) {
			return invalid(p.field, "given, but kind %q has no such parameter", f.Kind)
		}
	}
	if slices.Contains(takes, takesDelay) && (f.Delay <= 0 || f.Delay > maxDelay) {
		return invalid("delay_seconds", "got %g, want more than 0 and at most %g", f.Delay.Seconds(), maxDelay.Seconds())
	}
	if slices.Contains(takes, takesRate) {
		if err := f.normalizeRate(); err != nil {
			return err
		}
	}
	if slices.Contains(takes, noAfter) && f.After != 0 {
		return invalid("after_seconds", "given, but kind %q begins when it is put", f.Kind)
	}
	return checkTTL(f.TTL)
}

// activeFault is a Fault that was put, with its counters.
type activeFault struct {
	Fault
	behaviour behaviour
	qtype     uint16 // Scope.Type
	// from is zero without After: whoever is answered from the state that has the fault
	// meets it, also if the query was received just before.
	from, until time.Time
	// inForceAt is from, or the moment the fault was in place. Guarded by Server.mu.
	inForceAt time.Time
	hits      atomic.Uint64
}

// activate starts a fault that is put into this state.
func activate(f Fault, st *state, cfg *Config, now time.Time) *activeFault {
	_, qtype, _ := questionType("", f.Scope.Type)
	a := &activeFault{Fault: f, qtype: qtype}
	a.behaviour = kinds[f.Kind].start(&a.Fault, st, cfg)
	if f.After > 0 {
		a.from = now.Add(f.After)
	}
	if f.For > 0 {
		a.until = now.Add(f.After + f.For)
	}
	return a
}

// calm says whether no fault could touch the answer to q.
func (st *state) calm(q *question) bool {
	for _, a := range st.faults {
		if a.inWindow(q.received) && a.Scope.matches(q, a.qtype) {
			return false
		}
	}
	return true
}

// takesPart says whether the fault changes the answer to q, and counts it if so.
func (a *activeFault) takesPart(q *question) bool {
	if !a.inWindow(q.received) || !a.Scope.matches(q, a.qtype) {
		return false
	}
	if c, ok := a.behaviour.(chooser); ok && !c.chooses(q) {
		return false
	}
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

// inWindow says whether the fault's time has come and not passed.
func (a *activeFault) inWindow(now time.Time) bool {
	return !now.Before(a.from) && (a.until.IsZero() || now.Before(a.until))
}

func (a *activeFault) status(now time.Time) FaultStatus {
	hits := a.hits.Load()
	spent := a.Count > 0 && hits >= uint64(a.Count)
	return FaultStatus{
		Fault: a.Fault, InForceAt: a.inForceAt, Until: a.until,
		Hits: hits, InForce: a.inWindow(now) && !spent,
	}
}
