//go:build linux

package pod

import (
	"fmt"
	"strings"

	"golang.org/x/sys/unix"
)

// checkCapabilities refuses to start without what the agent needs, because the
// lack would show later, as processes without sockets.
func checkCapabilities() error {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var sets [2]unix.CapUserData
	if err := unix.Capget(&header, &sets[0]); err != nil {
		return fmt.Errorf("pod: read own capabilities: %w", err)
	}
	has := func(bit int) bool { return sets[bit/32].Effective&(1<<(bit%32)) != 0 }
	var missing []string
	if !has(unix.CAP_NET_ADMIN) {
		missing = append(missing, "NET_ADMIN")
	}
	if !has(unix.CAP_SYS_PTRACE) {
		missing = append(missing, "SYS_PTRACE")
	}
	if !has(unix.CAP_DAC_READ_SEARCH) && !has(unix.CAP_DAC_OVERRIDE) {
		missing = append(missing, "DAC_READ_SEARCH")
	}
	if len(missing) > 0 {
		return fmt.Errorf("pod: missing capabilities: add %s to the container", strings.Join(missing, ", "))
	}
	return nil
}
