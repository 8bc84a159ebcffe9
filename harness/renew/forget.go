package renew

import (
	"errors"
	"fmt"
	"net"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// forget ends what the kernel still has of this network namespace's connections: sockets
// whose process has ended and that wait for a peer which is silent, entries of
// conntrack, by which a new connection could be translated as an old one was, and what it
// knows of the times of peers. An agent without CAP_NET_ADMIN has no part in that.
func forget() error {
	for _, part := range []func() error{
		destroySockets,
		func() error { return netlink.ConntrackTableFlush(netlink.ConntrackTable) },
		flushMetrics,
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

// deleteMetrics is TCP_METRICS_CMD_DEL (linux/tcp_metrics.h); of no address it is of all.
const deleteMetrics = 2

func flushMetrics() error {
	family, err := netlink.GenlFamilyGet("tcp_metrics")
	if err != nil {
		return err
	}
	req := nl.NewNetlinkRequest(int(family.ID), unix.NLM_F_ACK)
	req.AddData(&nl.Genlmsg{Command: deleteMetrics, Version: 1})
	_, err = req.Execute(unix.NETLINK_GENERIC, 0)
	return err
}
