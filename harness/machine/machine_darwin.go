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
	memory, noMemory := unix.SysctlUint64("hw.memsize")
	kernel, noKernel := unix.Sysctl("kern.osrelease")
	if err := errors.Join(noMemory, noKernel); err != nil {
		return recording.Host{}, fmt.Errorf("asking the kernel for its version and memory: %w", err)
	}
	return recording.Host{Cores: runtime.NumCPU(), MemoryMiB: int(memory >> 20), Kernel: kernel}, nil
}
