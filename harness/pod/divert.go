//go:build linux

package pod

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"slices"

	"github.com/google/nftables"
	"github.com/google/nftables/binaryutil"
	"github.com/google/nftables/expr"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// besideTable is the nftables table of divertLoopback, one for each address family.
const besideTable = "proxychaos_beside"

// divertLoopback has a TCP packet to a loopback address delivered to the listener at a port
// of 127.0.0.1 or ::1, which has to be transparent, if no socket is there for it. Nothing is
// translated: the listener learns which address and port were asked for.
func divertLoopback(port uint16) (undo func() error, err error) {
	lo, err := netlink.LinkByName("lo")
	if err != nil {
		return nil, fmt.Errorf("pod: find lo: %w", err)
	}
	conn, err := nftables.New()
	if err != nil {
		return nil, fmt.Errorf("pod: open nftables: %w", err)
	}
	var tables []*nftables.Table
	for _, family := range families() {
		tables = append(tables, divert(conn, family, lo.Attrs().Index, port))
	}
	if err := conn.Flush(); err != nil {
		return nil, fmt.Errorf("pod: answer at loopback addresses (needs CAP_NET_ADMIN, and nft_socket and nft_tproxy in the kernel): %w", err)
	}
	return func() error {
		conn, err := nftables.New()
		if err != nil {
			return err
		}
		for _, table := range tables {
			conn.DelTable(table)
		}
		return conn.Flush()
	}, nil
}

// divert adds the table of one address family.
func divert(conn *nftables.Conn, family, link int, port uint16) *nftables.Table {
	own := loopbackOf[family]
	inet, nat, destination, mask := nftables.TableFamilyIPv4, byte(unix.NFPROTO_IPV4), uint32(16), []byte{255, 0, 0, 0}
	if family == netlink.FAMILY_V6 {
		inet, nat, destination, mask = nftables.TableFamilyIPv6, unix.NFPROTO_IPV6, 24, slices.Repeat([]byte{255}, 16)
	}
	table := conn.AddTable(&nftables.Table{Name: besideTable, Family: inet})
	chain := conn.AddChain(&nftables.Chain{
		Name: "divert", Table: table, Type: nftables.ChainTypeFilter,
		Hooknum: nftables.ChainHookPrerouting, Priority: nftables.ChainPriorityMangle,
	})
	toLoopback := slices.Concat(protocolTCP(), []expr.Any{
		&expr.Meta{Key: expr.MetaKeyIIF, Register: regAddr},
		&expr.Cmp{Op: expr.CmpOpEq, Register: regAddr, Data: binary.NativeEndian.AppendUint32(nil, uint32(link))},
		&expr.Payload{DestRegister: regAddr, Base: expr.PayloadBaseNetworkHeader, Offset: destination, Len: uint32(own.BitLen() / 8)},
		&expr.Bitwise{SourceRegister: regAddr, DestRegister: regAddr, Len: uint32(len(mask)), Mask: mask, Xor: make([]byte, len(mask))},
		&expr.Cmp{Op: expr.CmpOpEq, Register: regAddr, Data: masked(own, mask)},
	})
	accept := []expr.Any{&expr.Verdict{Kind: expr.VerdictAccept}}
	// It holds only if there is a socket.
	taken := []expr.Any{&expr.Socket{Key: expr.SocketKeyWildcard, Register: regValue}}
	deliver := []expr.Any{
		&expr.Immediate{Register: regAddr, Data: own.AsSlice()},
		&expr.Immediate{Register: regValue, Data: binaryutil.BigEndian.PutUint16(port)},
		&expr.TProxy{Family: nat, TableFamily: byte(inet), RegAddr: regAddr, RegPort: regValue},
	}
	for _, rule := range [][]expr.Any{taken, deliver} {
		conn.AddRule(&nftables.Rule{Table: table, Chain: chain, Exprs: slices.Concat(toLoopback, rule, accept)})
	}
	return table
}

// masked is an address with all bits cleared that a mask does not have.
func masked(addr netip.Addr, mask []byte) []byte {
	all := addr.AsSlice()
	for i := range all {
		all[i] &= mask[i]
	}
	return all
}
