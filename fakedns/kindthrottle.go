package fakedns

import (
	"net/netip"
	"sync"
	"time"
)

// DefaultPerSecond is how many packets per second the VPC resolver takes from one
// network interface; the rest is dropped without an answer (aws-facts 5.2).
const DefaultPerSecond = 1024

// throttle counts the queries of each client address in seconds that begin with a query.
type throttle struct {
	silence
	limit int

	mu      sync.Mutex
	clients map[netip.Addr]*second
}

type second struct {
	began time.Time
	count int
}

func startThrottle(f *Fault, _ *state, _ *Config) behaviour {
	return &throttle{limit: f.PerSecond, clients: map[netip.Addr]*second{}}
}

func (t *throttle) chooses(q *question) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	s := t.clients[q.client.Addr()]
	if s == nil {
		s = &second{began: q.received}
		t.clients[q.client.Addr()] = s
	}
	if q.received.Sub(s.began) >= time.Second {
		*s = second{began: q.received}
	}
	s.count++
	return s.count > t.limit
}
