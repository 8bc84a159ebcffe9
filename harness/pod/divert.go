//go:build linux

package pod

import (
	"encoding/binary"
	"errors"
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

// diversion has what nobody listens for at addresses of the machine delivered to applications.
type diversion struct {
	tables []*nftables.Table
	// own are addresses of the machine besides the loopback ones; added is how many.
	own   *nftables.Set
	added int
}

// divertLoopback has a TCP packet to a loopback address delivered to the listener at a port
// of 127.0.0.1 or ::1, which has to be transparent, if no socket is there for it. Nothing is
// translated: the listener learns which address and port were asked for.
func divertLoopback(port uint16) (*diversion, error) {
	lo, err := netlink.LinkByName("lo")
	if err != nil {
		return nil, fmt.Errorf("pod: find lo: %w", err)
	}
	conn, err := nftables.New()
	if err != nil {
		return nil, fmt.Errorf("pod: open nftables: %w", err)
	}
	d := &diversion{}
	for _, family := range families() {
		if err := d.divert(conn, family, lo.Attrs().Index, port); err != nil {
			return nil, err
		}
	}
	if err := conn.Flush(); err != nil {
		return nil, fmt.Errorf("pod: answer at loopback addresses (needs CAP_NET_ADMIN, and nft_socket and nft_tproxy in the kernel): %w", err)
	}
	return d, nil
}

// alsoAt does the same for IPv4 addresses that the machine has besides: all of them, of which
// those that were given before are the first.
func (d *diversion) alsoAt(own []netip.Addr) error {
	if d.own == nil || len(own) == d.added {
		return nil
	}
	conn, err := nftables.New()
	if err != nil {
		return fmt.Errorf("pod: open nftables: %w", err)
	}
	var keys []nftables.SetElement
	for _, a := range own[d.added:] {
		keys = append(keys, nftables.SetElement{Key: a.AsSlice()})
	}
	if err := errors.Join(conn.SetAddElements(d.own, keys), conn.Flush()); err != nil {
		return fmt.Errorf("pod: answer at addresses of the machine: %w", err)
	}
	d.added = len(own)
	return nil
}

// stop undoes all of it.
func (d *diversion) stop() error {
	if d == nil {
		return nil
	}
	conn, err := nftables.New()
	if err != nil {
		return err
	}
	for _, table := range d.tables {
		conn.DelTable(table)
	}
	return conn.Flush()
}

// divert adds the table of one address family.
func (d *diversion) divert(conn *nftables.Conn, family, link int, port uint16) error {
	own := loopbackOf[family]
	inet, nat, destination, mask, key := nftables.TableFamilyIPv4, byte(unix.NFPROTO_IPV4), uint32(16), []byte{255, 0, 0, 0}, nftables.TypeIPAddr
	if family == netlink.FAMILY_V6 {
		inet, nat, destination, mask, key = nftables.TableFamilyIPv6, unix.NFPROTO_IPV6, 24, slices.Repeat([]byte{255}, 16), nftables.TypeIP6Addr
	}
	table := conn.AddTable(&nftables.Table{Name: besideTable, Family: inet})
	d.tables = append(d.tables, table)
	set := &nftables.Set{Table: table, Name: "own", KeyType: key}
	if err := conn.AddSet(set, nil); err != nil {
		return err
	}
	if family == netlink.FAMILY_V4 {
		d.own = set
	}
	chain := conn.AddChain(&nftables.Chain{
		Name: "divert", Table: table, Type: nftables.ChainTypeFilter,
		Hooknum: nftables.ChainHookPrerouting, Priority: nftables.ChainPriorityMangle,
	})
	arriving := slices.Concat(protocolTCP(), []expr.Any{
		&expr.Meta{Key: expr.MetaKeyIIF, Register: regAddr},
		&expr.Cmp{Op: expr.CmpOpEq, Register: regAddr, Data: binary.NativeEndian.AppendUint32(nil, uint32(link))},
		&expr.Payload{DestRegister: regAddr, Base: expr.PayloadBaseNetworkHeader, Offset: destination, Len: uint32(own.BitLen() / 8)},
	})
	toLoopback := []expr.Any{
		&expr.Bitwise{SourceRegister: regAddr, DestRegister: regAddr, Len: uint32(len(mask)), Mask: mask, Xor: make([]byte, len(mask))},
		&expr.Cmp{Op: expr.CmpOpEq, Register: regAddr, Data: masked(own, mask)},
	}
	toOwn := []expr.Any{&expr.Lookup{SourceRegister: regAddr, SetName: set.Name, SetID: set.ID}}
	accept := []expr.Any{&expr.Verdict{Kind: expr.VerdictAccept}}
	// It holds only if there is a socket.
	taken := []expr.Any{&expr.Socket{Key: expr.SocketKeyWildcard, Register: regValue}}
	deliver := []expr.Any{
		&expr.Immediate{Register: regAddr, Data: own.AsSlice()},
		&expr.Immediate{Register: regValue, Data: binaryutil.BigEndian.PutUint16(port)},
		&expr.TProxy{Family: nat, TableFamily: byte(inet), RegAddr: regAddr, RegPort: regValue},
	}
	for _, to := range [][]expr.Any{toLoopback, toOwn} {
		for _, rule := range [][]expr.Any{taken, deliver} {
			conn.AddRule(&nftables.Rule{Table: table, Chain: chain, Exprs: slices.Concat(arriving, to, rule, accept)})
		}
	}
	return nil
}

// masked is an address with all bits cleared that a mask does not have.
func masked(addr netip.Addr, mask []byte) []byte {
	all := addr.AsSlice()
	for i := range all {
		all[i] &= mask[i]
	}
	return all
}
