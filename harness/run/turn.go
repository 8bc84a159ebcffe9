package run

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"
)

// turnPoll is how often a process asks whether another's testbed has started.
const turnPoll = 10 * time.Millisecond

// turn waits until no other testbed of this user is starting, in this process or
// another, and returns what lets the next one start. It can be called more than once.
// The lock ends with the process that holds it.
func turn(ctx context.Context) (func(), error) {
	// Not through a link, which another user could have put there.
	path := filepath.Join(os.TempDir(), fmt.Sprintf("proxychaos-%d-starting.lock", os.Getuid()))
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR|syscall.O_NOFOLLOW, 0o600) //nolint:gosec // the program's own name
	if err != nil {
		return nil, fmt.Errorf("a lock for the start of testbeds: %w", err)
	}
	done := sync.OnceFunc(func() { _ = file.Close() }) // which unlocks it
	for {
		switch err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err {
		case nil:
			return done, nil
		case syscall.EWOULDBLOCK, syscall.EINTR:
		default:
			done()
			return nil, fmt.Errorf("a lock for the start of testbeds: %w", err)
		}
		if err := sleepUntil(ctx, time.Now().Add(turnPoll)); err != nil {
			done()
			return nil, err
		}
	}
}
