package engine

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"
)

// AptInstall installs Debian packages, without their recommendations, and says
// so in one line. It needs root. Output of apt-get is shown only on failure.
func AptInstall(ctx context.Context, log io.Writer, packages ...string) error {
	if os.Geteuid() != 0 {
		return fmt.Errorf("%s missing and not root: run as root, or apt-get install %[1]s", strings.Join(packages, " "))
	}
	begin := time.Now()
	// A repository of the user's that cannot be reached makes the update fail
	// although Debian's own lists arrived; only the installation decides.
	updateErr := apt(ctx, "update", "-qq")
	// Another apt-get, such as a second run's, is waited for.
	args := append([]string{"install", "-o", "DPkg::Lock::Timeout=300", "-y", "-qq", "--no-install-recommends"}, packages...)
	if err := apt(ctx, args...); err != nil {
		return errors.Join(err, updateErr)
	}
	_, _ = fmt.Fprintf(log, "installed %s with apt-get in %.1f s\n", strings.Join(packages, " "), time.Since(begin).Seconds())
	return nil
}

func apt(ctx context.Context, args ...string) error {
	var out bytes.Buffer
	cmd := exec.CommandContext(ctx, "apt-get", args...) //nolint:gosec // package names are the program's own
	cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("apt-get %s: %w:\n%s", strings.Join(args, " "), err, lastLines(out.Bytes()))
	}
	return nil
}
