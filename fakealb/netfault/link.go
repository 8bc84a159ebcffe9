//go:build linux

package netfault

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/mdlayher/packet"
	"github.com/vishvananda/netlink"
	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// link is the interface that carries node addresses.
type link struct {
	nl netlink.Link
	// arp sends gratuitous ARP; nil where the interface has no ARP, or the
	// process may not open packet sockets.
	arp *packet.Conn
}

// DefaultInterface returns the name of the only interface that is up and is not
// the loopback.
func DefaultInterface() (string, error) {
	all, err := net.Interfaces()
	if err != nil {
		return "", fmt.Errorf("list interfaces: %w", err)
	}
	var names []string
	for _, i := range all {
		if i.Flags&net.FlagUp != 0 && i.Flags&net.FlagLoopback == 0 {
			names = append(names, i.Name)
		}
	}
	if len(names) != 1 {
		return "", fmt.Errorf("got %d interfaces that are up besides the loopback (%s), want one: name the interface",
			len(names), strings.Join(names, ", "))
	}
	return names[0], nil
}

func openLink(name string) (*link, error) {
	if name == "" {
		var err error
		if name, err = DefaultInterface(); err != nil {
			return nil, err
		}
	}
	nl, err := netlink.LinkByName(name)
	if err != nil {
		return nil, fmt.Errorf("find interface %q: %w", name, err)
	}
	l := &link{nl: nl}
	attrs := nl.Attrs()
	if attrs.Flags&net.FlagLoopback != 0 || len(attrs.HardwareAddr) != 6 {
		return l, nil
	}
	ifi, err := net.InterfaceByName(name)
	if err != nil {
		return nil, fmt.Errorf("find interface %q: %w", name, err)
	}
	// The socket only sends: its filter keeps what arrives out of its queue.
	keepNothing, err := bpf.Assemble([]bpf.Instruction{bpf.RetConstant{Val: 0}})
	if err != nil {
		return nil, fmt.Errorf("assemble the ARP filter: %w", err)
	}
	l.arp, err = packet.Listen(ifi, packet.Raw, unix.ETH_P_ARP, &packet.Config{Filter: keepNothing})
	if err != nil && !errors.Is(err, unix.EPERM) {
		return nil, fmt.Errorf("open a packet socket for ARP on %s: %w", name, err)
	}
	return l, nil
}

func (l *link) add(addr netip.Addr) error {
	f := familyOf(addr)
	present, err := netlink.AddrList(l.nl, f.listing)
	if err != nil {
		return fmt.Errorf("list the addresses of %s: %w", l.nl.Attrs().Name, err)
	}
	// The kernel would take the same address again with another prefix length.
	for _, p := range present {
		if p.IP.Equal(addr.AsSlice()) {
			return fmt.Errorf("address %s is on interface %s already, and not by us: take another", addr, l.nl.Attrs().Name)
		}
	}
	if err := netlink.AddrAdd(l.nl, &netlink.Addr{IPNet: hostNet(addr), Flags: f.flags}); err != nil {
		return fmt.Errorf("add %s to %s: %w (the capability NET_ADMIN is needed)", addr, l.nl.Attrs().Name, err)
	}
	return l.announce(addr)
}

func (l *link) remove(addr netip.Addr) error {
	err := netlink.AddrDel(l.nl, &netlink.Addr{IPNet: hostNet(addr)})
	if err != nil && !errors.Is(err, unix.EADDRNOTAVAIL) {
		return fmt.Errorf("remove %s from %s: %w", addr, l.nl.Attrs().Name, err)
	}
	return nil
}

// announce broadcasts who has addr now, so that neighbours which know another
// hardware address for it correct themselves. Of an IPv6 address they find out by
// themselves, within seconds.
func (l *link) announce(addr netip.Addr) error {
	if l.arp == nil || !addr.Is4() {
		return nil
	}
	mac := l.nl.Attrs().HardwareAddr
	buf := gopacket.NewSerializeBuffer()
	err := gopacket.SerializeLayers(buf, gopacket.SerializeOptions{},
		&layers.Ethernet{SrcMAC: mac, DstMAC: layers.EthernetBroadcast, EthernetType: layers.EthernetTypeARP},
		&layers.ARP{
			AddrType: layers.LinkTypeEthernet, Protocol: layers.EthernetTypeIPv4,
			HwAddressSize: 6, ProtAddressSize: 4, Operation: layers.ARPRequest,
			SourceHwAddress: mac, SourceProtAddress: addr.AsSlice(),
			DstHwAddress: make([]byte, 6), DstProtAddress: addr.AsSlice(),
		})
	if err != nil {
		return fmt.Errorf("build the ARP announcement of %s: %w", addr, err)
	}
	if _, err := l.arp.WriteTo(buf.Bytes(), &packet.Addr{HardwareAddr: layers.EthernetBroadcast}); err != nil {
		return fmt.Errorf("announce %s by ARP: %w", addr, err)
	}
	return nil
}

func (l *link) close() error {
	if l.arp == nil {
		return nil
	}
	return l.arp.Close()
}

func hostNet(addr netip.Addr) *net.IPNet {
	return &net.IPNet{IP: addr.AsSlice(), Mask: net.CIDRMask(addr.BitLen(), addr.BitLen())}
}
