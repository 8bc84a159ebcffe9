package fakedns

import (
	"context"
	"fmt"
)

// Queries returns the logged queries that match, oldest first. Errors are *Error.
func (s *Server) Queries(f Filter) ([]Query, error) {
	m, err := f.compile()
	if err != nil {
		return nil, err
	}
	found := []Query{}
	s.log.view().each(&m, func(q Query) bool {
		found = append(found, q)
		return true
	})
	return found, nil
}

// LastSeq returns the highest Seq given so far, 0 if none: as Filter.After it
// selects what is asked from now on.
func (s *Server) LastSeq() uint64 { return s.log.view().last() }

// WaitQuery returns the first logged query that matches, as soon as there is one.
// If ctx ends first its error is wrapped.
func (s *Server) WaitQuery(ctx context.Context, f Filter) (Query, error) {
	m, bad := f.compile()
	if bad != nil {
		return Query{}, bad
	}
	for {
		view, grown := s.log.viewAndWait()
		var found *Query
		view.each(&m, func(q Query) bool {
			found = &q
			return false
		})
		if found != nil {
			return *found, nil
		}
		m.after = max(m.after, view.last())
		select {
		case <-grown:
		case <-s.closing:
			return Query{}, errClosed()
		case <-ctx.Done():
			return Query{}, fmt.Errorf("fakedns: nobody asked for %s: %w", f.describe(), ctx.Err())
		}
	}
}
