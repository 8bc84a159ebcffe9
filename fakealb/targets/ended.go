package targets

import (
	"net"
	"syscall"

	"golang.org/x/sys/unix"
)

// ended reports whether the other side has ended an idle connection, or has sent
// on it what nobody asked for.
func ended(c net.Conn) bool {
	for {
		inner, ok := c.(interface{ NetConn() net.Conn })
		if !ok {
			break
		}
		c = inner.NetConn()
	}
	s, ok := c.(syscall.Conn)
	if !ok {
		return false
	}
	raw, err := s.SyscallConn()
	if err != nil {
		return true
	}
	waiting := false
	err = raw.Read(func(fd uintptr) bool {
		var b [1]byte
		_, _, err := unix.Recvfrom(int(fd), b[:], unix.MSG_PEEK|unix.MSG_DONTWAIT)
		waiting = err == unix.EAGAIN //nolint:errorlint // an errno as the kernel gave it
		return true
	})
	return err != nil || !waiting
}
