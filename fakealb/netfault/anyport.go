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
// with the caller's next flush. The address stays what it is, so that the rules of the
// faults, which come later on a packet's way, find it.
func (k *kernelNet) takeAnyPort(ports []uint16) error {
	k.anyPort = &nftables.Set{Table: k.tab, Name: "any-port", KeyType: nftables.TypeIPAddr}
	if err := k.nft.AddSet(k.anyPort, nil); err != nil {
		return err
	}
	chain := k.nft.AddChain(&nftables.Chain{
		Name: "any-port", Table: k.tab, Type: nftables.ChainTypeNAT,
		Hooknum: nftables.ChainHookPrerouting, Priority: nftables.ChainPriorityNATDest,
	})
	const register = 1
	rest := matchTCP()
	for _, p := range ports {
		rest = append(rest,
			&expr.Payload{DestRegister: register, Base: expr.PayloadBaseTransportHeader, Offset: dstPort, Len: 2},
			&expr.Cmp{Op: expr.CmpOpNeq, Register: register, Data: binaryutil.BigEndian.PutUint16(p)})
	}
	k.rule(chain, ipDst, k.anyPort, append(rest,
		&expr.Immediate{Register: register, Data: binaryutil.BigEndian.PutUint16(ports[0])},
		&expr.NAT{Type: expr.NATTypeDestNAT, Family: unix.NFPROTO_IPV4, RegProtoMin: register},
	)...)
	return nil
}

// takeAllOf takes connections to any port of addr, if the network was opened for that. It
// is not undone when addr is removed: what is sent there is dropped then.
func (k *kernelNet) takeAllOf(addr netip.Addr) error {
	if k.anyPort == nil {
		return nil
	}
	err := k.nft.SetAddElements(k.anyPort, []nftables.SetElement{{Key: addr.AsSlice()}})
	if err := errors.Join(err, k.nft.Flush()); err != nil {
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
	// A sockaddr_in: family, then port and address in the order of the network.
	var asked *unix.IPv6Mreq
	var inner error
	if err := raw.Control(func(fd uintptr) {
		asked, inner = unix.GetsockoptIPv6Mreq(int(fd), unix.IPPROTO_IP, unix.SO_ORIGINAL_DST)
	}); err != nil {
		return 0, err
	}
	if inner != nil {
		return 0, fmt.Errorf("ask the kernel for the port that was asked for: %w", inner)
	}
	return binary.BigEndian.Uint16(asked.Multiaddr[2:]), nil
}
