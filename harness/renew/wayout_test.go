package renew

import (
	"net"
	"testing"

	. "github.com/onsi/gomega"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// The default route that an engine gives for IPv6 is taken away; routes to the network
// itself, and those of IPv4, stay.
func TestTheWayOutIsClosed(t *testing.T) {
	p := apart(t)
	link := &netlink.Veth{LinkAttrs: netlink.LinkAttrs{Name: "eth0"}, PeerName: "far0"}
	p.Expect(netlink.LinkAdd(link)).To(Succeed())
	for cidr, flags := range map[string]int{"198.18.5.2/24": 0, "2001:2:0:5::2/64": unix.IFA_F_NODAD} {
		addr, err := netlink.ParseAddr(cidr)
		p.Expect(err).NotTo(HaveOccurred())
		addr.Flags = flags
		p.Expect(netlink.AddrAdd(link, addr)).To(Succeed())
	}
	p.Expect(netlink.LinkSetUp(link)).To(Succeed())
	for _, gateway := range []string{"198.18.5.1", "2001:2:0:5::1"} {
		p.Expect(netlink.RouteAdd(&netlink.Route{LinkIndex: link.Attrs().Index, Gw: net.ParseIP(gateway)})).To(Succeed())
	}
	leads := func(to string) error {
		_, err := netlink.RouteGet(net.ParseIP(to))
		return err
	}
	p.Expect(leads("2001:db8::1")).To(Succeed())
	for range 2 { // also when there is none
		p.Expect(closeWayOut()).To(Succeed())
		p.Expect(leads("2001:db8::1")).To(MatchError(unix.ENETUNREACH))
		p.Expect(leads("2001:2:0:5::15")).To(Succeed())
		p.Expect(leads("203.0.113.1")).To(Succeed())
	}
}
