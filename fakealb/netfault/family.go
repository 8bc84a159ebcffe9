//go:build linux

package netfault

import (
	"net/netip"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// family is what differs between IPv4 and IPv6: nftables has a table for each, and the
// addresses are elsewhere in the header.
type family struct {
	table   nftables.TableFamily
	nat     uint32 // of an expression that translates
	key     nftables.SetDatatype
	size    uint32 // of an address, in bytes
	src     uint32 // its offset in the header
	dst     uint32
	listing int // of addresses over netlink
	flags   int // of an address that is added
	// muted are expressions that hold for what a silent node neither sends nor gets.
	muted []expr.Any
}

var (
	ipv4 = family{
		table: nftables.TableFamilyIPv4, nat: unix.NFPROTO_IPV4, key: nftables.TypeIPAddr,
		size: 4, src: 12, dst: 16, listing: netlink.FAMILY_V4,
	}
	// Neighbour discovery is ICMPv6, where IPv4 has ARP beside it: a silent node is still
	// found, so that its peers wait in vain instead of being told that it is not there.
	// And nobody else has the address, so that it need not be asked for.
	ipv6 = family{
		table: nftables.TableFamilyIPv6, nat: unix.NFPROTO_IPV6, key: nftables.TypeIP6Addr,
		size: 16, src: 8, dst: 24, listing: netlink.FAMILY_V6, flags: unix.IFA_F_NODAD,
		muted: []expr.Any{
			&expr.Meta{Key: expr.MetaKeyL4PROTO, Register: 1},
			&expr.Cmp{Op: expr.CmpOpNeq, Register: 1, Data: []byte{unix.IPPROTO_ICMPV6}},
		},
	}
)

func familyOf(addr netip.Addr) *family {
	if addr.Is4() {
		return &ipv4
	}
	return &ipv6
}
