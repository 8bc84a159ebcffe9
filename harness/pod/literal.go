//go:build linux

package pod

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"

	"github.com/google/nftables"
	"github.com/google/nftables/binaryutil"
	"github.com/google/nftables/expr"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// literals translates connections to addresses of one family outside the testbed's
// network, in the kernel, so that the first packet to an address already finds its node.
// Whatever else goes to such an address is refused.
type literals struct {
	*literalFamily
	nodes []netip.Addr // in their order
	table *nftables.Table
	known *nftables.Set
	route *netlink.Route // nil if it is not ours
}

// literalTable is the nftables table of literals.
const literalTable = "proxychaos_literal"

// literalFamily is what differs between IPv4 and IPv6.
type literalFamily struct {
	family      nftables.TableFamily
	key         nftables.SetDatatype
	bits        int
	destination uint32 // the offset of the address in the header
	nat         uint32
	// told are the expressions that tell the sender of what is not TCP that it is refused.
	told []expr.Any
}

var (
	literals4 = literalFamily{
		family: nftables.TableFamilyIPv4, key: nftables.TypeIPAddr, bits: 32, destination: 16, nat: unix.NFPROTO_IPV4,
		told: []expr.Any{&expr.Reject{Type: unix.NFT_REJECT_ICMP_UNREACH, Code: 13}}, // communication administratively prohibited
	}
	// What is sent over ICMPv6 is how a node's hardware address is found.
	literals6 = literalFamily{
		family: nftables.TableFamilyIPv6, key: nftables.TypeIP6Addr, bits: 128, destination: 24, nat: unix.NFPROTO_IPV6,
		told: []expr.Any{
			&expr.Meta{Key: expr.MetaKeyL4PROTO, Register: regAddr},
			&expr.Cmp{Op: expr.CmpOpNeq, Register: regAddr, Data: []byte{unix.IPPROTO_ICMPV6}},
			&expr.Reject{Type: unix.NFT_REJECT_ICMP_UNREACH, Code: 1}, // the same in ICMPv6
		},
	}
)

func literalFamilyOf(network netip.Prefix) *literalFamily {
	if network.Addr().Is4() {
		return &literals4
	}
	return &literals6
}

// startLiterals has every address outside the network lead to a node.
func startLiterals(req LiteralsRequest) (*literals, error) {
	if err := req.validate(); err != nil {
		return nil, err
	}
	way, err := netlink.RouteGet(req.Nodes[0].AsSlice())
	if err != nil || len(way) == 0 {
		return nil, fmt.Errorf("pod: find the way to the node %s: %w", req.Nodes[0], err)
	}
	// The kernel looks for a way to the address before it translates it. An engine that
	// was given a gateway has made one, which serves as well: nothing goes that way.
	f := literalFamilyOf(req.Network)
	l := &literals{literalFamily: f, nodes: slices.Clone(req.Nodes), route: &netlink.Route{
		LinkIndex: way[0].LinkIndex, Scope: netlink.SCOPE_LINK,
		Dst: &net.IPNet{IP: make(net.IP, f.bits/8), Mask: net.CIDRMask(0, f.bits)},
	}}
	if err := l.translate(req.Network, way[0].LinkIndex); err != nil {
		return nil, fmt.Errorf("pod: translate literal addresses (needs CAP_NET_ADMIN and nf_tables in the kernel): %w", err)
	}
	switch err := netlink.RouteAdd(l.route); {
	case errors.Is(err, unix.EEXIST):
		l.route = nil
	case err != nil:
		return nil, errors.Join(fmt.Errorf("pod: add a route for literal addresses (needs CAP_NET_ADMIN): %w", err), l.dropTable())
	}
	return l, nil
}

// Registers of nftables: 16 bytes each, as an IPv6 address has.
const (
	regAddr  = 1
	regValue = 2
)

// translate adds the table. A rule ends at the first of its expressions that does not
// hold, and a look-up in a map does not hold if the map has no such key.
func (l *literals) translate(network netip.Prefix, link int) error {
	conn, err := nftables.New()
	if err != nil {
		return err
	}
	l.table = conn.AddTable(&nftables.Table{Name: literalTable, Family: l.family})
	l.known = &nftables.Set{
		Table: l.table, Name: "literals", IsMap: true, Dynamic: true, Size: maxLiterals,
		KeyType: l.key, DataType: l.key,
	}
	turns := &nftables.Set{
		Table: l.table, Anonymous: true, Constant: true, IsMap: true,
		KeyType: nftables.TypeInteger, DataType: l.key,
	}
	turns.KeyType.Bytes = 4
	var turn []nftables.SetElement
	for i, node := range l.nodes {
		turn = append(turn, nftables.SetElement{Key: binaryutil.NativeEndian.PutUint32(uint32(i)), Val: node.AsSlice()})
	}
	if err := errors.Join(conn.AddSet(l.known, nil), conn.AddSet(turns, turn)); err != nil {
		return err
	}
	nat := conn.AddChain(&nftables.Chain{
		Name: "translate", Table: l.table, Type: nftables.ChainTypeNAT,
		Hooknum: nftables.ChainHookOutput, Priority: nftables.ChainPriorityNATDest,
	})
	filter := conn.AddChain(&nftables.Chain{
		Name: "refuse", Table: l.table, Type: nftables.ChainTypeFilter,
		Hooknum: nftables.ChainHookOutput, Priority: nftables.ChainPriorityFilter,
	})
	add := func(chain *nftables.Chain, exprs ...[]expr.Any) {
		conn.AddRule(&nftables.Rule{Table: l.table, Chain: chain, Exprs: slices.Concat(exprs...)})
	}
	outside, tcp := l.leaves(network, link), protocolTCP()
	translated := []expr.Any{
		&expr.Lookup{SourceRegister: regAddr, DestRegister: regAddr, IsDestRegSet: true, SetName: l.known.Name, SetID: l.known.ID},
		&expr.NAT{Type: expr.NATTypeDestNAT, Family: l.nat, RegAddrMin: regAddr},
	}
	add(nat, tcp, outside, translated)
	add(nat, tcp, outside, []expr.Any{
		&expr.Numgen{Register: regValue, Modulus: uint32(len(l.nodes)), Type: unix.NFT_NG_INCREMENTAL},
		&expr.Lookup{SourceRegister: regValue, DestRegister: regValue, IsDestRegSet: true, SetName: turns.Name, SetID: turns.ID},
		&expr.Dynset{SrcRegKey: regAddr, SrcRegData: regValue, SetName: l.known.Name, SetID: l.known.ID, Operation: unix.NFT_DYNSET_OP_ADD},
	})
	add(nat, tcp, outside, translated)
	add(filter, tcp, outside, []expr.Any{&expr.Reject{Type: unix.NFT_REJECT_TCP_RST}})
	add(filter, outside, l.told)
	return conn.Flush()
}

// leaves matches what leaves by a link for an address outside the network, and leaves
// that address in regAddr.
func (f *literalFamily) leaves(network netip.Prefix, link int) []expr.Any {
	size := uint32(f.bits / 8)
	index := binary.NativeEndian.AppendUint32(nil, uint32(link))
	return []expr.Any{
		&expr.Meta{Key: expr.MetaKeyOIF, Register: regAddr},
		&expr.Cmp{Op: expr.CmpOpEq, Register: regAddr, Data: index},
		&expr.Payload{DestRegister: regAddr, Base: expr.PayloadBaseNetworkHeader, Offset: f.destination, Len: size},
		&expr.Bitwise{SourceRegister: regAddr, DestRegister: regValue, Len: size, Mask: net.CIDRMask(network.Bits(), f.bits), Xor: make([]byte, size)},
		&expr.Cmp{Op: expr.CmpOpNeq, Register: regValue, Data: network.Masked().Addr().AsSlice()},
	}
}

func protocolTCP() []expr.Any {
	return []expr.Any{
		&expr.Meta{Key: expr.MetaKeyL4PROTO, Register: regAddr},
		&expr.Cmp{Op: expr.CmpOpEq, Register: regAddr, Data: []byte{unix.IPPROTO_TCP}},
	}
}

// list are the addresses that were tried, in the order of their nodes.
func (l *literals) list() ([]Literal, error) {
	conn, err := nftables.New()
	if err != nil {
		return nil, fmt.Errorf("pod: open nftables: %w", err)
	}
	elements, err := conn.GetSetElements(l.known)
	if err != nil {
		return nil, fmt.Errorf("pod: list literal addresses: %w", err)
	}
	found := []Literal{}
	for _, e := range elements {
		addr, okAddr := netip.AddrFromSlice(e.Key)
		node, okNode := netip.AddrFromSlice(e.Val)
		if okAddr && okNode {
			found = append(found, Literal{Addr: addr, Node: node})
		}
	}
	slices.SortFunc(found, func(a, b Literal) int {
		if turn := slices.Index(l.nodes, a.Node) - slices.Index(l.nodes, b.Node); turn != 0 {
			return turn
		}
		return a.Addr.Compare(b.Addr)
	})
	return found, nil
}

func (l *literals) dropTable() error {
	conn, err := nftables.New()
	if err != nil {
		return err
	}
	conn.DelTable(l.table)
	return conn.Flush()
}

// stop undoes what startLiterals did.
func (l *literals) stop() error {
	err := l.dropTable()
	if l.route != nil {
		err = errors.Join(err, netlink.RouteDel(l.route))
	}
	return err
}
