//go:build linux

package pod

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"sync"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// Bit masks of TCP states for diag.sockets.
const (
	listening   = 1 << netlink.TCP_LISTEN
	established = 1 << netlink.TCP_ESTABLISHED
)

// diag asks the kernel for sockets over one netlink socket (sock_diag(7)).
// netlink.SocketDiagTCP is not used because it always fetches every state: a
// proxy that opens a connection per request leaves thousands in TIME_WAIT.
type diag struct {
	mu     sync.Mutex // one dump at a time: the answers come on one socket
	handle *nl.SocketHandle
}

func newDiag() (*diag, error) {
	s, err := nl.Subscribe(unix.NETLINK_INET_DIAG)
	if err != nil {
		return nil, fmt.Errorf("pod: open a sock_diag netlink socket: %w", err)
	}
	return &diag{handle: &nl.SocketHandle{Socket: s}}, nil
}

func (d *diag) close() { d.handle.Close() }

// sockets lists the TCP sockets, IPv4 and IPv6, in any of the given states.
//
// What it costs is the kernel's walk over its hash table of connections, whose
// size follows the machine's memory (0.5 ms with 24 GB), and hardly the number
// of sockets. So it uses the older request, TCPDIAG_GETSOCK, whose one walk
// finds both address families; SOCK_DIAG_BY_FAMILY needs one walk for each.
func (d *diag) sockets(states uint32) ([]socket, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	req := nl.NewNetlinkRequest(tcpdiagGetsock, unix.NLM_F_DUMP)
	req.Sockets = map[int]*nl.SocketHandle{unix.NETLINK_INET_DIAG: d.handle}
	req.AddRawData(diagRequest(states))
	var out []socket
	var bad error
	err := req.ExecuteIter(unix.NETLINK_INET_DIAG, tcpdiagGetsock, func(msg []byte) bool {
		var s socket
		if s, bad = parseSocket(msg); bad != nil {
			return false
		}
		out = append(out, s)
		return true
	})
	if err == nil {
		err = bad
	}
	if err != nil {
		return nil, fmt.Errorf("pod: list TCP sockets over sock_diag: %w", err)
	}
	return out, nil
}

// From linux/inet_diag.h: the message type, and the sizes of struct
// inet_diag_req and struct inet_diag_msg.
const (
	tcpdiagGetsock    = 18
	sizeofDiagRequest = 60
	sizeofDiagMessage = 72
)

// diagRequest is a struct inet_diag_req that matches any address.
func diagRequest(states uint32) []byte {
	b := make([]byte, sizeofDiagRequest)
	b[0] = unix.AF_INET // looked at only where one socket is asked for
	for i := 44; i < 52; i++ {
		b[i] = 0xff // INET_DIAG_NOCOOKIE, twice
	}
	binary.NativeEndian.PutUint32(b[52:], states)
	return b
}

// parseSocket reads a struct inet_diag_msg. IPv4 addresses inside IPv6 ones
// are given as IPv4.
func parseSocket(b []byte) (socket, error) {
	if len(b) < sizeofDiagMessage {
		return socket{}, fmt.Errorf("got a socket message of %d bytes, want %d or more", len(b), sizeofDiagMessage)
	}
	address := func(at int) (netip.Addr, error) {
		switch b[0] {
		case unix.AF_INET:
			return netip.AddrFrom4([4]byte(b[at : at+4])), nil
		case unix.AF_INET6:
			return netip.AddrFrom16([16]byte(b[at : at+16])).Unmap(), nil
		}
		return netip.Addr{}, fmt.Errorf("got a socket of address family %d, want %d or %d", b[0], unix.AF_INET, unix.AF_INET6)
	}
	src, err := address(8)
	if err != nil {
		return socket{}, err
	}
	dst, err := address(24)
	if err != nil {
		return socket{}, err
	}
	return socket{
		state:  b[1],
		local:  netip.AddrPortFrom(src, binary.BigEndian.Uint16(b[4:])),
		remote: netip.AddrPortFrom(dst, binary.BigEndian.Uint16(b[6:])),
		cookie: uint64(binary.NativeEndian.Uint32(b[44:])) | uint64(binary.NativeEndian.Uint32(b[48:]))<<32,
		inode:  binary.NativeEndian.Uint32(b[68:]),
	}, nil
}
