package netfault

import (
	"errors"
	"net"
	"net/netip"
	"syscall"

	"golang.org/x/sys/unix"
)

var errNeedsLinux = errors.New("needs the kernel of Linux: run this in a container, or do without it")

// OpenNFTables works on Linux alone.
func OpenNFTables(string, []uint16) (Network, error) { return nil, errNeedsLinux }

// DefaultInterface is for OpenNFTables.
func DefaultInterface() (string, error) { return "", errNeedsLinux }

// AskedPort is the port at which a connection was accepted: it is the one that was asked for.
func AskedPort(c syscall.Conn) (uint16, error) {
	conn, ok := c.(net.Conn)
	if !ok {
		return 0, errNeedsLinux
	}
	local, err := netip.ParseAddrPort(conn.LocalAddr().String())
	return local.Port(), err
}

// unsent is how much of what was written the peer has not acknowledged, in bytes.
func unsent(fd int) int {
	left, _ := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_NWRITE)
	return left
}

// acceptsNoMore cannot be asked here, so that no listener can be made silent.
func acceptsNoMore(int) (bool, error) { return false, errNeedsLinux }
