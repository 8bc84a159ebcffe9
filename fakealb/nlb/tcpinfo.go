//go:build linux

package nlb

import (
	"time"

	"golang.org/x/sys/unix"
)

// tcpInfo is the kernel's view of a connection; all zero for one that is closed.
func tcpInfo(c Conn) unix.TCPInfo {
	raw, err := c.SyscallConn()
	if err != nil {
		return unix.TCPInfo{}
	}
	var info *unix.TCPInfo
	if raw.Control(func(fd uintptr) { info, err = unix.GetsockoptTCPInfo(int(fd), unix.IPPROTO_TCP, unix.TCP_INFO) }) != nil || err != nil {
		return unix.TCPInfo{}
	}
	return *info
}

// segmentsReceived counts every segment, those without data too.
func segmentsReceived(c Conn) uint32 { return tcpInfo(c).Segs_in }

// wasReset reports whether the end that a read saw was an RST whose error a write
// had taken.
func wasReset(c Conn) bool {
	const tcpClose = 7 // TCP_CLOSE in the kernel's list of states
	return tcpInfo(c).State == tcpClose
}

// setKeepalive has the kernel send keepalives at this interval, or none with 0.
func setKeepalive(c Conn, every time.Duration) {
	raw, err := c.SyscallConn()
	if err != nil {
		return
	}
	seconds := max(1, int(every.Round(time.Second)/time.Second))
	_ = raw.Control(func(fd uintptr) {
		on := 0
		if every > 0 {
			on = 1
			_ = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_KEEPIDLE, seconds)
			_ = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_KEEPINTVL, seconds)
		}
		_ = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_KEEPALIVE, on)
	})
}
