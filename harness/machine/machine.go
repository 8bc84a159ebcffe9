// Package machine says where something was run and with what: what a reader
// needs to judge a figure or to repeat a run.
package machine

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"runtime"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/proxychaos/proxychaos/harness/recording"
)

// Host is this machine, without its container engine.
func Host() (recording.Host, error) {
	var uts unix.Utsname
	var info unix.Sysinfo_t
	if err := errors.Join(unix.Uname(&uts), unix.Sysinfo(&info)); err != nil {
		return recording.Host{}, fmt.Errorf("asking the kernel for its version and memory: %w", err)
	}
	return recording.Host{
		Cores: runtime.NumCPU(), MemoryMiB: int(info.Totalram * uint64(info.Unit) >> 20),
		Kernel: unix.ByteSliceToString(uts.Release[:]),
	}, nil
}

// Tool is the build under way; the commit is left empty outside a checkout.
func Tool(ctx context.Context) recording.Tool {
	t := recording.Tool{Go: runtime.Version()}
	if out, err := exec.CommandContext(ctx, "git", "rev-parse", "--short=12", "HEAD").Output(); err == nil {
		t.Commit = strings.TrimSpace(string(out))
		changed, err := exec.CommandContext(ctx, "git", "status", "--porcelain", "--untracked-files=no").Output()
		t.Dirty = err != nil || len(changed) > 0
	}
	return t
}
