package testbed

import (
	"fmt"
	"net/netip"

	"github.com/vishvananda/netlink"
)

// routes are the networks that this machine routes already: Docker accepts a
// subnet that overlaps one without a word.
func routes() ([]netip.Prefix, error) {
	list, err := netlink.RouteList(nil, netlink.FAMILY_V4)
	if err != nil {
		return nil, fmt.Errorf("reading this machine's routes: %w", err)
	}
	var taken []netip.Prefix
	for _, r := range list {
		if r.Dst == nil {
			continue
		}
		addr, ok := netip.AddrFromSlice(r.Dst.IP.To4())
		ones, _ := r.Dst.Mask.Size()
		if ok && ones > 0 {
			taken = append(taken, netip.PrefixFrom(addr, ones))
		}
	}
	return taken, nil
}
