package pod

import (
	"context"
	"errors"
	"os"
	"os/signal"

	"golang.org/x/sys/unix"
)

// reap collects the exit status of every process that ends as a child of this
// one, until ctx ends. PID 1 of a process namespace inherits all orphans; those
// that nobody waits for would stay as zombies. Only for PID 1, and only for a
// program that starts no processes of its own: it takes their status away from
// whoever else waits for it.
func reap(ctx context.Context) {
	ended := make(chan os.Signal, 1) // signals merge: one is enough to look at all
	signal.Notify(ended, unix.SIGCHLD)
	defer signal.Stop(ended)
	for {
		for {
			pid, err := unix.Wait4(-1, nil, unix.WNOHANG, nil)
			if pid <= 0 && !errors.Is(err, unix.EINTR) {
				break
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-ended:
		}
	}
}
