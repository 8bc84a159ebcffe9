package fakedns

import "time"

// stale is a resolver that has lost its upstream and goes on answering from its
// cache past the TTL.
type stale struct {
	kept *table
	ttl  time.Duration
}

func startStale(f *Fault, st *state, _ *Config) behaviour { return &stale{st.table, f.TTL} }

func (s *stale) table() *table { return s.kept }

func (s *stale) apply(r *reply) {
	if s.ttl == 0 {
		return
	}
	for _, set := range append(r.additional, r.msg.Answer) {
		for _, rr := range set {
			rr.Header().Ttl = seconds32(s.ttl)
		}
	}
}
