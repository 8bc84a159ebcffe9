package renew

import (
	"net"
	"net/netip"
	"os"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
	. "github.com/onsi/gomega"
	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
)

var (
	literal       = netip.MustParseAddr("192.0.2.1") // what a config has in place of a name
	first, second = netip.MustParseAddr("127.0.0.2"), netip.MustParseAddr("127.0.0.3")
)

// port is the client's: one that comes again.
const port = 40000

// place is a network namespace with two nodes, for the thread of the calling test.
type place struct {
	*WithT
	nft *nftables.Conn
}

func apart(t *testing.T) place {
	t.Helper()
	p := place{WithT: NewWithT(t)}
	runtime.LockOSThread() // and never given back: the namespace ends with the thread
	space, err := netns.New()
	p.Expect(err).NotTo(HaveOccurred(), "this test makes a network namespace: run it as root")
	t.Cleanup(func() { _ = space.Close() })
	lo, err := netlink.LinkByName("lo")
	p.Expect(err).NotTo(HaveOccurred())
	p.Expect(netlink.LinkSetUp(lo)).To(Succeed())
	p.Expect(netlink.RouteAdd(&netlink.Route{LinkIndex: lo.Attrs().Index, Scope: netlink.SCOPE_LINK, Dst: &net.IPNet{IP: literal.AsSlice(), Mask: net.CIDRMask(32, 32)}})).To(Succeed())
	p.nft, err = nftables.New()
	p.Expect(err).NotTo(HaveOccurred())
	return p
}

// node listens at an address.
func (p place) node(t *testing.T, at netip.Addr) *net.TCPListener {
	t.Helper()
	l, err := net.ListenTCP("tcp4", net.TCPAddrFromAddrPort(netip.AddrPortFrom(at, 80)))
	p.Expect(err).NotTo(HaveOccurred())
	t.Cleanup(func() { _ = l.Close() })
	return l
}

// dial connects from port.
func dial(t *testing.T, to netip.Addr, patience time.Duration) (net.Conn, error) {
	t.Helper()
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: port}, Timeout: patience}
	d.Control = func(_, _ string, raw syscall.RawConn) error {
		return raw.Control(func(fd uintptr) { _ = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_REUSEADDR, 1) })
	}
	c, err := d.DialContext(t.Context(), "tcp4", netip.AddrPortFrom(to, 80).String())
	if c != nil {
		t.Cleanup(func() { _ = c.Close() })
	}
	return c, err
}

// destination matches what goes to an address.
func destination(addr netip.Addr) []expr.Any {
	const offset = 16
	return []expr.Any{
		&expr.Payload{DestRegister: 1, Base: expr.PayloadBaseNetworkHeader, Offset: offset, Len: 4},
		&expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: addr.AsSlice()},
	}
}

// silence drops what comes to an address. It returns how many packets came, and what ends it.
func (p place) silence(addr netip.Addr) (dropped func() uint64, end func()) {
	table := p.nft.AddTable(&nftables.Table{Name: "silence", Family: nftables.TableFamilyIPv4})
	chain := p.nft.AddChain(&nftables.Chain{
		Name: "input", Table: table, Type: nftables.ChainTypeFilter, Hooknum: nftables.ChainHookInput, Priority: nftables.ChainPriorityFilter,
	})
	p.nft.AddRule(&nftables.Rule{Table: table, Chain: chain, Exprs: append(destination(addr), &expr.Counter{}, &expr.Verdict{Kind: expr.VerdictDrop})})
	p.Expect(p.nft.Flush()).To(Succeed())
	dropped = func() uint64 {
		rules, err := p.nft.GetRules(table, chain)
		p.Expect(err).NotTo(HaveOccurred())
		for _, e := range rules[0].Exprs {
			if counter, ok := e.(*expr.Counter); ok {
				return counter.Packets
			}
		}
		return 0
	}
	return dropped, func() { p.drop(table) }
}

// translate leads the literal address to a node until it is ended.
func (p place) translate(node netip.Addr) (end func()) {
	table := p.nft.AddTable(&nftables.Table{Name: "translate", Family: nftables.TableFamilyIPv4})
	chain := p.nft.AddChain(&nftables.Chain{
		Name: "output", Table: table, Type: nftables.ChainTypeNAT, Hooknum: nftables.ChainHookOutput, Priority: nftables.ChainPriorityNATDest,
	})
	p.nft.AddRule(&nftables.Rule{Table: table, Chain: chain, Exprs: append(destination(literal),
		&expr.Immediate{Register: 1, Data: node.AsSlice()},
		&expr.NAT{Type: expr.NATTypeDestNAT, Family: unix.NFPROTO_IPV4, RegAddrMin: 1})})
	p.Expect(p.nft.Flush()).To(Succeed())
	return func() { p.drop(table) }
}

func (p place) drop(table *nftables.Table) {
	p.nft.DelTable(table)
	p.Expect(p.nft.Flush()).To(Succeed())
}

// The kernel sends what was written to a silent node again and again, also once the process
// has ended: the node of the next cell would see a request of the one before.
func TestNoRequestFromBeforeIsSentAgain(t *testing.T) {
	p := apart(t)
	p.node(t, first)
	c, err := dial(t, first, patience)
	p.Expect(err).NotTo(HaveOccurred())
	dropped, _ := p.silence(first)
	_, err = c.Write([]byte("GET /?proxychaos=17 HTTP/1.1\r\n\r\n"))
	p.Expect(err).NotTo(HaveOccurred())
	p.Expect(c.Close()).To(Succeed()) // as the kernel does for a process that is killed
	before := dropped()
	p.Eventually(dropped).WithTimeout(5*time.Second).Should(BeNumerically(">", before), "what was written is sent again")
	p.Expect(forget()).To(Succeed())
	sockets, err := netlink.SocketDiagTCP(unix.AF_INET)
	p.Expect(err).NotTo(HaveOccurred())
	p.Expect(sockets).To(HaveEach(HaveField("State", Equal(uint8(netlink.TCP_LISTEN)))), "no other socket is left that could send")
}

// The kernel remembers how it translated a connection that was never answered, for two
// minutes: one between the same ports would be to the node that the cell before had for a
// literal address.
func TestNothingIsTranslatedAsBefore(t *testing.T) {
	p := apart(t)
	p.node(t, first)
	want := p.node(t, second)
	endTranslation := p.translate(first)
	_, endSilence := p.silence(first)
	_, err := dial(t, literal, 50*time.Millisecond)
	p.Expect(err).To(MatchError(os.IsTimeout, "is a timeout"))

	p.Expect(forget()).To(Succeed())
	endSilence()
	endTranslation()
	p.translate(second)
	_, err = dial(t, literal, patience)
	p.Expect(err).NotTo(HaveOccurred())
	p.Expect(want.SetDeadline(time.Now().Add(patience))).To(Succeed())
	got, err := want.Accept()
	p.Expect(err).NotTo(HaveOccurred(), "the connection is to the second node")
	p.Expect(got.Close()).To(Succeed())
}

// patience is with what takes no time on loopback.
const patience = 2 * time.Second
