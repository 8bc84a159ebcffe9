//go:build linux

package machine

import (
	"errors"
	"fmt"
	"runtime"

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
