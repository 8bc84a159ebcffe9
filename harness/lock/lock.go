// Package lock lets one process of this user at a time do something on this machine.
package lock

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"
)

// poll is how often a process asks whether the one before it has ended.
const poll = 10 * time.Millisecond

// Take waits until nobody else holds the lock of this name, in this process or in
// another one of this user, and returns what gives it back, which can be called more
// than once. A lock ends with the process that holds it. Take gives up with ctx.
func Take(ctx context.Context, name string) (release func(), err error) {
	dir, err := folder()
	if err != nil {
		return nil, fmt.Errorf("lock %s: %w", name, err)
	}
	path := filepath.Join(dir, strings.NewReplacer("/", "_", ":", "_").Replace(name))
	tick := time.NewTicker(poll)
	defer tick.Stop()
	for {
		file, err := try(path)
		if err != nil {
			return nil, fmt.Errorf("lock %s: %w", name, err)
		}
		if file != nil {
			return sync.OnceFunc(func() {
				_ = os.Remove(path)
				_ = file.Close()
			}), nil
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("waiting for another process that holds the lock %s: %w", name, ctx.Err())
		case <-tick.C:
		}
	}
}

// folder makes and returns the folder of the locks. Nobody else may write to it:
// in a folder for all, such as /tmp, another user could hold our lock for ever, or put
// a link to a file of ours in its place.
func folder() (string, error) {
	user := os.Getuid()
	dir := filepath.Join(os.TempDir(), fmt.Sprintf("proxychaos-%d", user))
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, os.ErrExist) {
		return "", err
	}
	info, err := os.Lstat(dir)
	if err != nil {
		return "", err
	}
	const othersWrite = 0o022
	owner := info.Sys().(*syscall.Stat_t).Uid
	if !info.IsDir() || int(owner) != user || info.Mode()&othersWrite != 0 {
		return "", fmt.Errorf("got %s of user %d with the mode %s, want a folder that only user %d can write to: remove it, or set TMPDIR to another folder", dir, owner, info.Mode(), user)
	}
	return dir, nil
}

// try returns the locked file, or nil while another holds it. Holders remove the
// file, so the one that was locked must still be the one at path.
func try(path string) (*os.File, error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600) //nolint:gosec // name is the program's own
	if err != nil {
		return nil, err
	}
	err = syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if err == nil {
		var locked, there os.FileInfo
		if locked, err = file.Stat(); err == nil {
			if there, err = os.Stat(path); err == nil && os.SameFile(locked, there) {
				return file, nil
			}
		}
	}
	_ = file.Close()
	if err == nil || errors.Is(err, os.ErrNotExist) || errors.Is(err, syscall.EWOULDBLOCK) || errors.Is(err, syscall.EINTR) {
		return nil, nil
	}
	return nil, err
}
