package gen

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// Probe is one try of a client, which should take well under a millisecond
// while all is well.
type Probe func(ctx context.Context) error

// probeTimeout is when a probe is taken to be unanswered.
const probeTimeout = 50 * time.Millisecond

// proofs is how many probes in a row have to end as wanted before it is believed.
const proofs = 5

// settle bounds the wait for that.
const settle = 10 * time.Second

// InForce calls change and returns how long after the call began a client saw
// the fault: the time of the first failure after which no probe succeeded. A
// client tries all the while, one probe after the other. A probe that is
// refused counts from when it was; one that is not answered counts from its
// start, since the waiting is the client's own.
func InForce(ctx context.Context, probe Probe, change func(ctx context.Context) error) (time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, settle)
	defer cancel()
	w := watch(ctx, probe)
	defer w.stop()
	if err := w.until(ctx, proofs, true); err != nil {
		return 0, fmt.Errorf("before the fault: %w", err)
	}
	called := time.Now()
	if err := change(ctx); err != nil {
		return 0, fmt.Errorf("put the fault: %w", err)
	}
	if err := w.until(ctx, proofs, false); err != nil {
		return 0, fmt.Errorf("after the fault: %w", err)
	}
	w.stop()
	return max(0, w.seen.Sub(called)), nil
}

// Serves waits until probe succeeds again and again.
func Serves(ctx context.Context, probe Probe) error {
	ctx, cancel := context.WithTimeout(ctx, settle)
	defer cancel()
	w := watch(ctx, probe)
	defer w.stop()
	return w.until(ctx, proofs, true)
}

// watcher probes in a loop.
type watcher struct {
	stop func()

	mu   sync.Mutex
	ok   bool // how the last probe ended
	run  int  // how many in a row ended so
	err  error
	seen time.Time     // when the running failure began
	news chan struct{} // has room for one
}

func watch(ctx context.Context, probe Probe) *watcher {
	ctx, cancel := context.WithCancel(ctx)
	w := &watcher{news: make(chan struct{}, 1)}
	var done sync.WaitGroup
	w.stop = func() { cancel(); done.Wait() }
	done.Go(func() {
		for ctx.Err() == nil {
			began := time.Now()
			one, end := context.WithTimeout(ctx, probeTimeout)
			err := probe(one)
			waited := errors.Is(one.Err(), context.DeadlineExceeded)
			end()
			if ctx.Err() == nil {
				w.note(began, time.Now(), err, waited)
			}
		}
	})
	return w
}

func (w *watcher) note(began, ended time.Time, err error, waited bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if ok := err == nil; ok != w.ok || w.run == 0 {
		w.ok, w.run = ok, 0
		if w.seen = ended; waited {
			w.seen = began
		}
	}
	w.run++
	w.err = err
	select {
	case w.news <- struct{}{}:
	default:
	}
}

// until waits for n probes in a row that ended well, or that did not.
func (w *watcher) until(ctx context.Context, n int, ok bool) error {
	for {
		w.mu.Lock()
		reached, last := w.ok == ok && w.run >= n, w.err
		w.mu.Unlock()
		if reached {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%d probes in a row did not end as wanted within %s: %w", n, settle, errors.Join(ctx.Err(), last))
		case <-w.news:
		}
	}
}
