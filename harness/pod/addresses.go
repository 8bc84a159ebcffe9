package pod

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// localAddresses lists the IPv4 addresses of this namespace outside 127/8, in
// the order of the interfaces: the first is the primary one.
func localAddresses() ([]netip.Addr, error) {
	list, err := netlink.AddrList(nil, unix.AF_INET)
	if err != nil {
		return nil, fmt.Errorf("pod: list own addresses: %w", err)
	}
	var out []netip.Addr
	for _, entry := range list {
		if ip, ok := netip.AddrFromSlice(entry.IP.To4()); ok && !ip.IsLoopback() {
			out = append(out, ip)
		}
	}
	return out, nil
}

// addToLoopback makes each address local, as a /32 on lo, and returns what
// takes them away again.
func addToLoopback(addrs []netip.Addr) (undo func() error, err error) {
	lo, err := netlink.LinkByName("lo")
	if err != nil {
		return nil, fmt.Errorf("pod: find lo: %w", err)
	}
	var added []*netlink.Addr
	undo = func() error {
		var errs []error
		for _, addr := range slices.Backward(added) {
			errs = append(errs, netlink.AddrDel(lo, addr))
		}
		return errors.Join(errs...)
	}
	for _, a := range addrs {
		addr := &netlink.Addr{IPNet: &net.IPNet{IP: a.AsSlice(), Mask: net.CIDRMask(a.BitLen(), a.BitLen())}}
		if err := netlink.AddrAdd(lo, addr); err != nil {
			return nil, errors.Join(fmt.Errorf("pod: add resolver address %s to lo (needs CAP_NET_ADMIN): %w", a, err), undo())
		}
		added = append(added, addr)
	}
	return undo, nil
}

// foreign picks the resolver addresses that are not local yet, each once. All
// of 127/8 is local already.
func foreign(resolvers []netip.AddrPort, own []netip.Addr) []netip.Addr {
	var out []netip.Addr
	for _, r := range resolvers {
		a := r.Addr()
		if !a.IsLoopback() && !slices.Contains(own, a) && !slices.Contains(out, a) {
			out = append(out, a)
		}
	}
	return out
}
