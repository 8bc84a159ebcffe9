package run

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/proxychaos/proxychaos/harness/testbed"
)

// spares are testbeds that a cell has left for the next one: to make one takes longer than
// everything else that a cell does before its load.
type spares struct {
	mu   sync.Mutex
	beds []*testbed.Testbed
	// none says that no more are kept.
	none bool
}

// take gives a spare, nil if there is none.
func (s *spares) take() *testbed.Testbed {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.beds) == 0 {
		return nil
	}
	last := s.beds[len(s.beds)-1]
	s.beds = s.beds[:len(s.beds)-1]
	return last
}

func (s *spares) give(tb *testbed.Testbed) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.beds = append(s.beds, tb)
}

// keepNone has the cells leave nothing from now on: a kernel that cannot renew one testbed
// cannot renew any, and to find that out takes as long as to make three.
func (s *spares) keepNone() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.none = true
}

func (s *spares) keepsNone() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.none
}

func (s *spares) close() error {
	var errs []error
	for tb := s.take(); tb != nil; tb = s.take() {
		errs = append(errs, tb.Close())
	}
	return errors.Join(errs...)
}

// vacateLimit is how long the removal of a proxy may take.
const vacateLimit = 30 * time.Second

// leave gives up a testbed whose cell has ended well, for another one.
func (l *Lab) leave(tb *testbed.Testbed) error {
	// Few cells have IPv6, and those after them must not; few have several proxies.
	if l.spares.keepsNone() || tb.Subnet6.IsValid() || len(tb.Others) > 0 {
		return tb.Close()
	}
	ctx, cancel := context.WithTimeout(context.Background(), vacateLimit)
	defer cancel()
	if err := tb.Vacate(ctx); err != nil {
		return errors.Join(err, tb.Close())
	}
	l.spares.give(tb)
	return nil
}

// bedFor is a testbed for a cell: one that another has left, if it can be used, else a
// new one. It is to be closed also if there is an error.
func (l *Lab) bedFor(ctx context.Context, spec testbed.Spec) (*testbed.Testbed, error) {
	if !spec.IPv6 && spec.Proxies <= 1 {
		if tb, err := l.renewed(ctx, spec); tb != nil || err != nil {
			return tb, err
		}
	}
	return testbed.Start(ctx, l.docker, spec)
}

// renewed is a testbed that another cell has left; nil if there is none that can be used.
func (l *Lab) renewed(ctx context.Context, spec testbed.Spec) (*testbed.Testbed, error) {
	tb := l.spares.take()
	if tb == nil {
		return nil, nil
	}
	err := tb.Renew(ctx, spec)
	if err == nil {
		return tb, nil
	}
	l.spares.keepNone()
	l.logf("testbeds are made anew for each cell from now on: %v", err)
	if err := tb.Close(); err != nil {
		return nil, fmt.Errorf("taking the testbed of the cell before away: %w", err)
	}
	return nil, nil
}
