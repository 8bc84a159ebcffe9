package lock

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"
)

// Beside waits until nobody holds the lock of this name alone, in this process or in another
// one of this user. Others can hold it at the same time. It returns what gives the lock back,
// which can be called more than once. Give it back before you ask for Alone, which otherwise
// waits for you.
func Beside(ctx context.Context, name string) (release func(), err error) {
	return hold(ctx, name, syscall.LOCK_SH)
}

// Alone waits until nobody else holds the lock, Beside or Alone. Whoever comes later waits
// until it is given back.
func Alone(ctx context.Context, name string) (release func(), err error) {
	return hold(ctx, name, syscall.LOCK_EX)
}

// hold takes its turn first: those who do it beside each other would leave no gap for the one
// who wants to do it alone.
func hold(ctx context.Context, name string, how int) (release func(), err error) {
	next, err := Take(ctx, name+"-next")
	if err != nil {
		return nil, err
	}
	defer next()
	dir, err := folder()
	if err != nil {
		return nil, fmt.Errorf("lock %s: %w", name, err)
	}
	// The file stays: who removes it would have to know that nobody waits for it.
	file, err := os.OpenFile(filepath.Join(dir, name), os.O_CREATE|os.O_RDWR, 0o600) //nolint:gosec // name is the program's own
	if err != nil {
		return nil, fmt.Errorf("lock %s: %w", name, err)
	}
	tick := time.NewTicker(poll)
	defer tick.Stop()
	for {
		err := syscall.Flock(int(file.Fd()), how|syscall.LOCK_NB)
		if err == nil {
			return sync.OnceFunc(func() { _ = file.Close() }), nil
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) && !errors.Is(err, syscall.EINTR) {
			_ = file.Close()
			return nil, fmt.Errorf("lock %s: %w", name, err)
		}
		select {
		case <-ctx.Done():
			_ = file.Close()
			return nil, fmt.Errorf("waiting for others that hold the lock %s: %w", name, ctx.Err())
		case <-tick.C:
		}
	}
}
