//go:build linux

package renew

import (
	"errors"
	"fmt"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// closeWayOut takes the default routes of IPv6 away. A testbed's network is internal, and
// has none for IPv4; for IPv6 Docker makes one all the same, and routes for others as soon
// as there is such a network. An agent without CAP_NET_ADMIN is the load, which has no IPv6.
func closeWayOut() error {
	routes, err := netlink.RouteList(nil, netlink.FAMILY_V6)
	if err != nil && !errors.Is(err, unix.EAFNOSUPPORT) && !errors.Is(err, unix.EOPNOTSUPP) {
		return fmt.Errorf("%s: list the routes of IPv6: %w", Name, err)
	}
	for _, r := range routes {
		if r.Gw == nil || r.Dst != nil && r.Dst.String() != "::/0" {
			continue
		}
		if err := netlink.RouteDel(&r); err != nil && !errors.Is(err, unix.EPERM) {
			return fmt.Errorf("%s: take the default route of IPv6 away: %w", Name, err)
		}
	}
	return nil
}
