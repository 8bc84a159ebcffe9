package netfault

import "golang.org/x/sys/unix"

// unsent is how much of what was written the peer has not acknowledged, in bytes.
func unsent(fd int) int {
	left, _ := unix.IoctlGetInt(fd, unix.SIOCOUTQ)
	return left
}

// acceptsNoMore asks the kernel whether the accept queue of a listening socket is full: there
// tcpi_unacked is the queue's length and tcpi_sacked its limit.
func acceptsNoMore(fd int) (bool, error) {
	info, err := unix.GetsockoptTCPInfo(fd, unix.IPPROTO_TCP, unix.TCP_INFO)
	if err != nil {
		return false, err
	}
	return info.Unacked > info.Sacked, nil
}
