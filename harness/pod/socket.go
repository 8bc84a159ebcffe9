package pod

import "net/netip"

// socket is one TCP socket of this network namespace.
type socket struct {
	local, remote netip.AddrPort
	state         uint8  // netlink.TCP_LISTEN, netlink.TCP_ESTABLISHED, ...
	inode         uint32 // what /proc/<pid>/fd names it by; 0: no process has it
	cookie        uint64 // never used twice while the machine runs
}
