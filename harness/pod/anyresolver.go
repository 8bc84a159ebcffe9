//go:build linux

package pod

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"syscall"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

const (
	// dnsTable is the number of the routing table in which every address is local.
	dnsTable = 53
	// dnsPriority puts the rules after those for the namespace's own addresses (0) and
	// before all others (32766).
	dnsPriority = 53
)

// loopbackOf is, by address family, the source of a query whose sender has no other address.
var loopbackOf = map[int]netip.Addr{
	netlink.FAMILY_V4: netip.AddrFrom4([4]byte{127, 0, 0, 1}),
	netlink.FAMILY_V6: netip.IPv6Loopback(),
}

// families are the address families that the namespace has.
func families() []int {
	disabled, err := os.ReadFile("/proc/sys/net/ipv6/conf/lo/disable_ipv6")
	if err != nil || strings.TrimSpace(string(disabled)) != "0" {
		return []int{netlink.FAMILY_V4}
	}
	return []int{netlink.FAMILY_V4, netlink.FAMILY_V6}
}

// resolverSockets are those on which fakedns answers at every address.
func resolverSockets() []netip.AddrPort {
	var all []netip.AddrPort
	for _, family := range families() {
		everywhere := netip.IPv4Unspecified()
		if family == netlink.FAMILY_V6 {
			everywhere = netip.IPv6Unspecified()
		}
		for _, port := range dnsPorts {
			all = append(all, netip.AddrPortFrom(everywhere, port))
		}
	}
	return all
}

// deliveredHere are the ports whose packets are delivered in this namespace, by protocol.
var deliveredHere = map[int][]uint16{unix.IPPROTO_UDP: append(slices.Clone(dnsPorts), syslogPort), unix.IPPROTO_TCP: dnsPorts}

// routeHere has all that is sent to a port of deliveredHere delivered in this
// namespace, whatever address it is for, and returns what undoes that. No address is
// translated: fakedns sees which one was asked.
func routeHere() (undo func() error, err error) {
	lo, err := netlink.LinkByName("lo")
	if err != nil {
		return nil, fmt.Errorf("pod: find lo: %w", err)
	}
	var done []func() error
	undo = func() error {
		var errs []error
		for _, step := range slices.Backward(done) {
			errs = append(errs, step())
		}
		return errors.Join(errs...)
	}
	for _, family := range families() {
		route := everythingLocal(family, lo)
		if err := netlink.RouteAdd(route); err != nil {
			return nil, errors.Join(fmt.Errorf("pod: add a route for resolvers (needs CAP_NET_ADMIN): %w", err), undo())
		}
		done = append(done, func() error { return netlink.RouteDel(route) })
		for protocol, ports := range deliveredHere {
			for _, port := range ports {
				rule := netlink.NewRule()
				rule.Family, rule.Table, rule.Priority = family, dnsTable, dnsPriority
				rule.IPProto, rule.Dport = protocol, netlink.NewRulePortRange(port, port)
				if err := netlink.RuleAdd(rule); err != nil {
					return nil, errors.Join(fmt.Errorf("pod: add a routing rule for port %d (needs CAP_NET_ADMIN): %w", port, err), undo())
				}
				done = append(done, func() error { return netlink.RuleDel(rule) })
			}
		}
	}
	return undo, nil
}

// everythingLocal is a route by which every address of a family is one of this
// namespace's.
func everythingLocal(family int, lo netlink.Link) *netlink.Route {
	own := loopbackOf[family]
	return &netlink.Route{
		Family: family, Table: dnsTable, Type: unix.RTN_LOCAL, Scope: netlink.SCOPE_HOST, LinkIndex: lo.Attrs().Index,
		Dst: &net.IPNet{IP: make(net.IP, own.BitLen()/8), Mask: net.CIDRMask(0, own.BitLen())},
		Src: own.AsSlice(),
	}
}

// transparent lets a socket answer from addresses that are not this namespace's.
func transparent(network, _ string, raw syscall.RawConn) error {
	level, option := unix.SOL_IP, unix.IP_TRANSPARENT
	if strings.HasSuffix(network, "6") {
		level, option = unix.SOL_IPV6, unix.IPV6_TRANSPARENT
	}
	var bad error
	err := raw.Control(func(fd uintptr) { bad = unix.SetsockoptInt(int(fd), level, option, 1) })
	if bad != nil {
		bad = fmt.Errorf("set IP_TRANSPARENT (needs CAP_NET_ADMIN): %w", bad)
	}
	return errors.Join(err, bad)
}
