package run

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/moby/moby/client"
	. "github.com/onsi/gomega"
	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"

	"github.com/proxychaos/proxychaos/fakealb"
	"github.com/proxychaos/proxychaos/harness/load"
	"github.com/proxychaos/proxychaos/harness/pod"
	"github.com/proxychaos/proxychaos/harness/recording"
	"github.com/proxychaos/proxychaos/harness/renew"
	"github.com/proxychaos/proxychaos/harness/testbed"
)

// A world that answers whatever it is asked does so for its own proxy only: another
// machine, with this one as its way to everywhere, reaches no node, resolver or control
// API, on any port, and from inside nobody gets out to it.
func TestNothingIsReachedFromOutside(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	lab := containers(t, options(t))
	tb, err := testbed.Start(t.Context(), lab.docker, testbed.Spec{
		Kit: lab.shared.Kit, Labels: lab.shared.Labels, Seed: 1, Start: os.Getpid() + int(lab.next.Add(1)), IPv6: true,
	})
	t.Cleanup(func() { g.Expect(tb.Close()).To(Succeed()) })
	g.Expect(err).NotTo(HaveOccurred())
	node, node6 := tb.Node(0), tb.Node6(0)
	_, err = tb.ALB.PutLoadBalancer(t.Context(), fakealb.LoadBalancer{Name: "backend", Targets: 1})
	g.Expect(err).NotTo(HaveOccurred())
	for addr, network := range map[netip.Addr]netip.Prefix{node: tb.Subnet, node6: tb.Subnet6} {
		_, err = tb.ALB.PutNode(t.Context(), fakealb.Node{Addr: addr, LoadBalancer: "backend"})
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(tb.Pod.SetLiterals(t.Context(), pod.LiteralsRequest{Network: network, Nodes: []netip.Addr{addr}})).To(Succeed())
	}

	stranger := anotherMachine(t)
	// inside says what became of a request from the load agent: nothing, or an answer of
	// whatever kind.
	inside := func(to netip.AddrPort, patience recording.Seconds) (bool, string) {
		got, err := tb.Load.Burst(t.Context(), load.Burst{
			Way: recording.Way{Target: "http://" + to.String(), Host: "www.example.com", Paths: []string{"/"}}, Concurrency: 1, Timeout: patience,
		})
		g.Expect(err).NotTo(HaveOccurred())
		return got.Error == "", fmt.Sprintf("%s: %v %s", to, got.Outcomes, got.Error)
	}
	host := func(n byte) netip.Addr {
		b := tb.Subnet.Addr().As4()
		b[3] = n
		return netip.AddrFrom4(b)
	}
	host6 := func(n byte) netip.Addr {
		b := tb.Subnet6.Addr().As16()
		b[15] = n
		return netip.AddrFrom16(b)
	}
	for _, to := range []netip.AddrPort{
		netip.AddrPortFrom(node, 80), netip.AddrPortFrom(node, 5050), netip.AddrPortFrom(node, 61100), // of a node
		netip.AddrPortFrom(host(2), 61100), netip.AddrPortFrom(host(2), 53), // the pod: control API, resolver
		netip.AddrPortFrom(host(3), 61100), netip.AddrPortFrom(host(4), 61100), // load, fakealb
		netip.AddrPortFrom(node6, 80), netip.AddrPortFrom(node6, 5050), netip.AddrPortFrom(host6(2), 53),
	} {
		switch {
		case to.Port() == 53: // it answers no HTTP
		case to.Addr().Is6(): // the load has IPv4 alone
			got, err := tb.Pod.ProbeHTTP(t.Context(), pod.HTTPRequest{Addr: to, Timeout: pod.Duration(20 * time.Second)})
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(got.Status).To(Equal(200), "from inside %s: %+v", to, got)
		default:
			yes, what := inside(to, 20)
			g.Expect(yes).To(BeTrue(), "from inside %s", what)
		}
		g.Expect(stranger.dial(to)).NotTo(Succeed(), "from outside %s", to)
	}
	// What has no port to ask from inside must have none outside: agents are called over IPv4.
	for _, n := range []byte{2, 3, 4} {
		for _, port := range []uint16{61100, renew.Port} {
			g.Expect(stranger.dial(netip.AddrPortFrom(host6(n), port))).NotTo(Succeed(), "from outside %s, port %d", host6(n), port)
		}
	}
	for _, out := range []netip.AddrPort{stranger.at, stranger.at6} {
		yes, what := inside(out, 2)
		g.Expect(yes).To(BeFalse(), "out of the testbed %s", what)
	}
	for _, to := range []netip.AddrPort{
		stranger.at, netip.MustParseAddrPort("8.8.8.8:443"), netip.MustParseAddrPort("192.168.1.101:8080"),
		stranger.at6, netip.MustParseAddrPort("[2001:4860:4860::8888]:443"),
	} {
		got, err := tb.Pod.ProbeHTTP(t.Context(), pod.HTTPRequest{Addr: to, Timeout: pod.Duration(20 * time.Second)})
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(got.Status).To(Equal(200), "from the pod to %s: %+v", to, got)
	}
	g.Expect(stranger.accepted.Load()).To(BeZero(), "connections that got out")
	attempts, err := tb.ALB.Attempts(t.Context())
	g.Expect(err).NotTo(HaveOccurred())
	asked := map[uint16]bool{}
	for _, a := range attempts {
		asked[a.Port] = true
	}
	g.Expect(asked).To(And(HaveKey(uint16(443)), HaveKey(uint16(8080))), "what the pod sent to literal addresses came to the node")

	found, err := lab.docker.ContainerList(t.Context(), client.ContainerListOptions{All: true, Filters: make(client.Filters).Add("label", labelOf(lab)...)})
	g.Expect(err).NotTo(HaveOccurred())
	for _, c := range found.Items {
		for _, p := range c.Ports {
			g.Expect(p.PublicPort == 0 || p.IP.IsLoopback()).To(BeTrue(), "%v publishes %+v on addresses of this machine", c.Names, p)
		}
	}
}

// labelOf are the labels of everything that a lab has started.
func labelOf(lab *Lab) []string {
	var all []string
	for key, value := range lab.shared.Labels {
		all = append(all, key+"="+value)
	}
	return all
}

// stranger is another machine.
type stranger struct {
	at, at6  netip.AddrPort // where it listens
	accepted atomic.Int64
	dials    chan func()
}

// anotherMachine makes a network namespace whose only neighbour is this machine, which routes for
// it if it routes for anybody.
func anotherMachine(t *testing.T) *stranger {
	t.Helper()
	g := NewWithT(t)
	near, far := fmt.Sprintf("pcn%d", os.Getpid()), fmt.Sprintf("pcf%d", os.Getpid())
	veth := &netlink.Veth{LinkAttrs: netlink.LinkAttrs{Name: near}, PeerName: far}
	g.Expect(netlink.LinkAdd(veth)).To(Succeed(), "this test makes a network namespace: run it as root")
	t.Cleanup(func() { g.Expect(netlink.LinkDel(veth)).To(Succeed()) })
	g.Expect(address(near, "203.0.113.17/30")).To(Succeed())
	g.Expect(address(near, "2001:db8:113::17/64")).To(Succeed())
	here, err := netlink.NewHandle()
	g.Expect(err).NotTo(HaveOccurred())
	t.Cleanup(here.Close)
	s := &stranger{at: netip.MustParseAddrPort("203.0.113.18:9100"), at6: netip.MustParseAddrPort("[2001:db8:113::18]:9100"), dials: make(chan func())}
	made := make(chan error)
	go func() {
		runtime.LockOSThread() // the thread, and with it the namespace, ends with this goroutine
		made <- s.settle(t, here, far)
		for dial := range s.dials {
			dial()
		}
	}()
	t.Cleanup(func() { close(s.dials) })
	g.Expect(<-made).To(Succeed())
	return s
}

// settle takes the calling thread to a namespace of its own and listens there.
func (s *stranger) settle(t *testing.T, here *netlink.Handle, far string) error {
	link, err := here.LinkByName(far)
	if err != nil {
		return err
	}
	space, err := netns.New()
	if err != nil {
		return err
	}
	defer space.Close()
	if err := here.LinkSetNsFd(link, int(space)); err != nil {
		return err
	}
	if err := errors.Join(address(far, "203.0.113.18/30"), address(far, "2001:db8:113::18/64")); err != nil {
		return err
	}
	for _, way := range []net.IP{net.IPv4(203, 0, 113, 17), net.ParseIP("2001:db8:113::17")} {
		if err := netlink.RouteAdd(&netlink.Route{Gw: way}); err != nil {
			return err
		}
	}
	for _, at := range []netip.AddrPort{s.at, s.at6} {
		l, err := net.Listen("tcp", at.String())
		if err != nil {
			return err
		}
		t.Cleanup(func() { _ = l.Close() })
		go s.accept(l)
	}
	return nil
}

// accept counts who comes.
func (s *stranger) accept(l net.Listener) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		s.accepted.Add(1)
		_ = c.Close()
	}
}

// address gives a link an address, and has it up.
func address(link, cidr string) error {
	l, err := netlink.LinkByName(link)
	if err != nil {
		return err
	}
	addr, err := netlink.ParseAddr(cidr)
	if err != nil {
		return err
	}
	if addr.IP.To4() == nil {
		addr.Flags = unix.IFA_F_NODAD
	}
	return errors.Join(netlink.AddrAdd(l, addr), netlink.LinkSetUp(l))
}

// dial tries to connect from the other machine.
func (s *stranger) dial(to netip.AddrPort) error {
	done := make(chan error)
	s.dials <- func() {
		c, err := net.DialTimeout("tcp", to.String(), time.Second)
		if err == nil {
			err = c.Close()
		}
		done <- err
	}
	return <-done
}
