//go:build linux

package netfault

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"syscall"

	"github.com/google/nftables"
	"github.com/google/nftables/binaryutil"
	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"
)

// dstPort is the offset of the port asked for in a TCP header.
const dstPort = 2

// takeAnyPort sends connections to every other port of a node to the first of ports,
// with the caller's next flush. The address is not changed, so that the rules of the
// faults, which come later on a packet's way, find it.
func (t *table) takeAnyPort(ports []uint16) error {
	t.anyPort = &nftables.Set{Table: t.tab, Name: "any-port", KeyType: t.key}
	if err := t.nft.AddSet(t.anyPort, nil); err != nil {
		return err
	}
	chain := t.nft.AddChain(&nftables.Chain{
		Name: "any-port", Table: t.tab, Type: nftables.ChainTypeNAT,
		Hooknum: nftables.ChainHookPrerouting, Priority: nftables.ChainPriorityNATDest,
	})
	const register = 1
	rest := matchTCP()
	for _, p := range ports {
		rest = append(rest,
			&expr.Payload{DestRegister: register, Base: expr.PayloadBaseTransportHeader, Offset: dstPort, Len: 2},
			&expr.Cmp{Op: expr.CmpOpNeq, Register: register, Data: binaryutil.BigEndian.PutUint16(p)})
	}
	t.rule(chain, t.dst, t.anyPort, append(rest,
		&expr.Immediate{Register: register, Data: binaryutil.BigEndian.PutUint16(ports[0])},
		&expr.NAT{Type: expr.NATTypeDestNAT, Family: t.nat, RegProtoMin: register},
	)...)
	return nil
}

// takeAllOf takes connections to any port of addr, if the network was opened for that. It
// is not undone when addr is removed: what is sent there is dropped then.
func (t *table) takeAllOf(addr netip.Addr) error {
	if t.anyPort == nil {
		return nil
	}
	err := t.nft.SetAddElements(t.anyPort, []nftables.SetElement{{Key: addr.AsSlice()}})
	if err := errors.Join(err, t.nft.Flush()); err != nil {
		return fmt.Errorf("take any port of %s in nftables: %w", addr, err)
	}
	return nil
}

// AskedPort is the port that the peer of an accepted connection asked for, which the
// one it was accepted on need not be if any port is taken.
func AskedPort(c syscall.Conn) (uint16, error) {
	raw, err := c.SyscallConn()
	if err != nil {
		return 0, err
	}
	var port uint16
	var inner error
	if err := raw.Control(func(fd uintptr) { port, inner = originalPort(int(fd)) }); err != nil {
		return 0, err
	}
	if inner != nil {
		return 0, fmt.Errorf("ask the kernel for the port that was asked for: %w", inner)
	}
	return port, nil
}

// originalPort asks for the address that a socket's peer had asked for. It is a
// sockaddr_in or sockaddr_in6, for which the kernel has no call of its own in package
// unix: two others have room for them.
func originalPort(fd int) (uint16, error) {
	own, err := unix.Getsockname(fd)
	if err != nil {
		return 0, err
	}
	if _, six := own.(*unix.SockaddrInet6); six {
		const originalDst = 80 // IP6T_SO_ORIGINAL_DST
		asked, err := unix.GetsockoptIPv6MTUInfo(fd, unix.IPPROTO_IPV6, originalDst)
		if err != nil {
			return 0, err
		}
		return binary.BigEndian.Uint16(binary.NativeEndian.AppendUint16(nil, asked.Addr.Port)), nil
	}
	asked, err := unix.GetsockoptIPv6Mreq(fd, unix.IPPROTO_IP, unix.SO_ORIGINAL_DST)
	if err != nil {
		return 0, err
	}
	return binary.BigEndian.Uint16(asked.Multiaddr[2:]), nil // behind the family
}
