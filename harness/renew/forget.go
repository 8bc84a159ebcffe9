//go:build linux

package renew

import (
	"errors"
	"fmt"
	"net"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// forget ends what the kernel still has of this network namespace's connections. A socket
// whose process has ended goes on sending what was written to it while its peer is silent,
// and a node would be sent a request of the cell before. An entry of conntrack has a new
// connection between the same ports translated as the old one was. An agent without
// CAP_NET_ADMIN has no part in that.
func forget() error {
	for _, part := range []func() error{
		destroySockets,
		func() error { return netlink.ConntrackTableFlush(netlink.ConntrackTable) },
	} {
		if err := part(); err != nil && !errors.Is(err, unix.EPERM) {
			return fmt.Errorf("%s: forget the connections from before: %w", Name, err)
		}
	}
	return nil
}

func destroySockets() error {
	sockets, err := netlink.SocketDiagTCP(unix.AF_INET)
	if err != nil {
		return err
	}
	var errs []error
	for _, s := range sockets {
		if s.State == netlink.TCP_LISTEN {
			continue
		}
		err := netlink.SocketDestroy(
			&net.TCPAddr{IP: s.ID.Source, Port: int(s.ID.SourcePort)},
			&net.TCPAddr{IP: s.ID.Destination, Port: int(s.ID.DestinationPort)})
		if err != nil && !errors.Is(err, unix.ENOENT) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}
