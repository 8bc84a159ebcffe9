package images

import (
	"context"
	"fmt"
	"os"
	"os/exec"

	"github.com/proxychaos/proxychaos/harness/engine"
	"github.com/proxychaos/proxychaos/harness/lock"
)

// builder makes a root file system of Debian's packages.
const builder = "mmdebstrap"

// haveBuilder installs the builder if it is missing and the Finder may: once, however many images wait
// for it. The error wraps ErrNotAvailable if this machine cannot have it; why says which
// image needs it and for what reason.
func (f *Finder) haveBuilder(ctx context.Context, why string) error {
	if onPath(builder) {
		return nil
	}
	if !onPath("apt-get") {
		return fmt.Errorf("%w: %s, and this is not Debian, so it cannot be built from packages", ErrNotAvailable, why)
	}
	if !f.MayInstall || os.Geteuid() != 0 {
		return fmt.Errorf("%w: %s, and %s is missing: as root, apt-get install %[3]s", ErrNotAvailable, why, builder)
	}
	unlock, err := lock.Take(ctx, builder)
	if err != nil {
		return err
	}
	defer unlock()
	if onPath(builder) {
		return nil // another image's build installed it while this one waited
	}
	if err := engine.AptInstall(ctx, lineWriter{f}, builder); err != nil {
		return fmt.Errorf("install %s: %w", builder, err)
	}
	return nil
}

func onPath(command string) bool {
	_, err := exec.LookPath(command)
	return err == nil
}
