package images

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// lockRef keeps other processes of this user from making the same image at the
// same time: the second import would leave the first image nameless. The lock
// ends with the process that holds it.
func lockRef(ctx context.Context, ref string) (unlock func(), err error) {
	name := strings.NewReplacer("/", "_", ":", "_").Replace(ref)
	path := filepath.Join(os.TempDir(), fmt.Sprintf("proxychaos-%d-%s.lock", os.Getuid(), name))
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		file, err := tryLock(path)
		if err != nil {
			return nil, fmt.Errorf("lock for making %s: %w", ref, err)
		}
		if file != nil {
			return func() {
				_ = os.Remove(path)
				_ = file.Close()
			}, nil
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("waiting for another process that makes %s: %w", ref, ctx.Err())
		case <-tick.C:
		}
	}
}

// tryLock returns the locked file, or nil while another holds it. Holders
// remove the file, so the one that was locked must still be the one at path.
func tryLock(path string) (*os.File, error) {
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
	if err == nil || errors.Is(err, os.ErrNotExist) || errors.Is(err, syscall.EWOULDBLOCK) {
		return nil, nil
	}
	return nil, err
}
