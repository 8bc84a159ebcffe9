package images

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/moby/moby/client"
)

// importTar makes an image from a root file system in one step, without a
// builder. A second import under the same name would leave the first one
// nameless, so callers look first, under lockRef.
func (f *Finder) importTar(ctx context.Context, ref string, tar io.Reader, changes []string) error {
	res, err := f.cli.ImageImport(ctx, client.ImageImportSource{Source: tar, SourceName: "-"}, ref, client.ImageImportOptions{Changes: changes})
	if err != nil {
		return fmt.Errorf("import %s: %w", ref, err)
	}
	defer func() { _ = res.Close() }()
	// The engine reports a failure inside the stream, after its status 200.
	dec := json.NewDecoder(res)
	for {
		var line struct {
			Error string `json:"error"`
		}
		err := dec.Decode(&line)
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return fmt.Errorf("import %s: %w", ref, err)
		case line.Error != "":
			return fmt.Errorf("import %s: %s", ref, line.Error)
		}
	}
}

// lockRef keeps other processes of this machine from making the same image at
// the same time. The lock ends with the process that holds it.
func lockRef(ctx context.Context, ref string) (unlock func(), err error) {
	name := strings.NewReplacer("/", "_", ":", "_").Replace(ref)
	path := filepath.Join(os.TempDir(), fmt.Sprintf("proxychaos-%d-%s.lock", os.Getuid(), name))
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600) //nolint:gosec // name is the program's own
	if err != nil {
		return nil, fmt.Errorf("lock for making %s: %w", ref, err)
	}
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return func() {
				// Removed while held: a process that waits on the removed file
				// locks it for itself, and then finds the image present.
				_ = os.Remove(path)
				_ = file.Close()
			}, nil
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			_ = file.Close()
			return nil, fmt.Errorf("lock %s: %w", path, err)
		}
		select {
		case <-ctx.Done():
			_ = file.Close()
			return nil, fmt.Errorf("waiting for another process that makes %s: %w", ref, ctx.Err())
		case <-tick.C:
		}
	}
}

// cutLast cuts s around the last instance of sep.
func cutLast(s, sep string) (before, after string, found bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}
