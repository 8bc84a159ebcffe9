package fakedns

import (
	"net/netip"
	"sync"
	"time"
)

// Limits of Route 53 Resolver, in queries per second. What is over them is dropped
// without an answer.
const (
	// DefaultPerSecond is what the VPC resolver takes from one network interface (aws-facts 5.2).
	DefaultPerSecond = 1024
	// EndpointPerSecond is what one address of a resolver endpoint takes (5.12).
	EndpointPerSecond = 10000
	// EndpointTrackedPerSecond is the same where security groups track the connections (5.12).
	EndpointTrackedPerSecond = 1500
)

// Per is what a KindThrottle counts queries by.
type Per string

// The ways to count.
const (
	// PerClient counts by the client's address: a network interface. The default.
	PerClient Per = "client"
	// PerResolver counts by the local address that was asked: a resolver endpoint.
	PerResolver Per = "resolver"
)

func (f *Fault) normalizeRate() *Error {
	if f.PerSecond == 0 {
		f.PerSecond = DefaultPerSecond
	}
	if f.PerSecond < 0 {
		return invalid("per_second", "got %d, want 1 or more", f.PerSecond)
	}
	switch f.Per {
	case "":
		f.Per = PerClient
	case PerClient, PerResolver:
	default:
		return invalid("per", "got %q, want client or resolver", f.Per)
	}
	return nil
}

// throttle counts the queries of each address in seconds that begin with a query.
type throttle struct {
	silence
	limit int
	per   Per

	mu     sync.Mutex
	counts map[netip.Addr]*second
}

type second struct {
	began time.Time
	count int
}

func startThrottle(f *Fault, _ *state, _ *Config) behaviour {
	return &throttle{limit: f.PerSecond, per: f.Per, counts: map[netip.Addr]*second{}}
}

func (t *throttle) chooses(q *question) bool {
	by := q.client.Addr()
	if t.per == PerResolver {
		by = q.resolver.Addr()
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	s := t.counts[by]
	if s == nil {
		s = &second{began: q.received}
		t.counts[by] = s
	}
	if q.received.Sub(s.began) >= time.Second {
		*s = second{began: q.received}
	}
	s.count++
	return s.count > t.limit
}
