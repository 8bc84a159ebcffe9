package goproxy

import (
	"hash/maphash"
	"sync"
	"time"
)

// sessions remembers which sessions members have answered of late. A cookie says which
// member a session is of, and anyone can write one, or keep one from last month: a member
// that drains, or a spare, would never be rid of new sessions.
type sessions struct {
	idle time.Duration // a session is remembered for so long after its last request, at least
	most int           // sessions in a generation
	seed maphash.Seed

	mu            sync.Mutex
	since         time.Time  // when present began
	present, past generation // past is the one before
}

// generation is the sessions of a stretch of time, by their hash.
type generation struct {
	seen map[uint64]struct{}
	full bool // it could not take in all
}

// mostSessions bounds what sessions of an upstream cost: some 10 MiB for each of two
// generations.
const mostSessions = 1 << 19

func newSessions(idle time.Duration) *sessions {
	return &sessions{idle: idle, most: mostSessions, seed: maphash.MakeSeed(), since: time.Now()}
}

// note takes a session in, or notes that it is in use.
func (s *sessions) note(session string) {
	id := maphash.String(s.seed, session)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.renew(time.Now())
	if _, known := s.present.seen[id]; known {
		return
	}
	if len(s.present.seen) >= s.most {
		s.present.full = true
		return
	}
	if s.present.seen == nil {
		s.present.seen = map[uint64]struct{}{}
	}
	s.present.seen[id] = struct{}{}
}

// has reports whether a session was noted. If there were too many to note, it says yes: a
// session that is lost is worse than one that is forged.
func (s *sessions) has(session string) bool {
	id := maphash.String(s.seed, session)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.renew(time.Now())
	for _, g := range []*generation{&s.present, &s.past} {
		if _, known := g.seen[id]; known || g.full {
			return true
		}
	}
	return false
}

// renew begins a generation when the present one is old. The caller holds mu.
func (s *sessions) renew(now time.Time) {
	switch age := now.Sub(s.since); {
	case age < s.idle:
	case age < 2*s.idle:
		s.past, s.present, s.since = s.present, generation{}, s.since.Add(s.idle)
	default:
		s.past, s.present, s.since = generation{}, generation{}, now
	}
}
