package pod

import (
	"errors"
	"io"
	"net"
	"net/netip"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	mdns "github.com/miekg/dns"
	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
)

// farNodes gives the namespace an interface with an address, and puts nodes of the same
// network behind it, in a namespace of their own. Each answers on port 8080 with its
// address, and refuses on all others.
func farNodes(t *testing.T, own netip.Prefix, nodes ...netip.Addr) {
	t.Helper()
	addInterface(t, own.String())
	far, err := netlink.LinkByName("far0")
	if err != nil {
		t.Fatal(err)
	}
	made := make(chan error)
	go func() {
		runtime.LockOSThread() // and the thread ends with this goroutine
		made <- farSide(t, far, own.Bits(), nodes)
	}()
	if err := <-made; err != nil {
		t.Fatal(err)
	}
}

// farSide takes the calling thread to a new namespace.
func farSide(t *testing.T, far netlink.Link, bits int, nodes []netip.Addr) error {
	here, err := netlink.NewHandle()
	if err != nil {
		return err
	}
	defer here.Close()
	there, err := netns.New()
	if err != nil {
		return err
	}
	defer there.Close()
	if err := here.LinkSetNsFd(far, int(there)); err != nil {
		return err
	}
	inside, err := netlink.LinkByName("far0")
	if err != nil {
		return err
	}
	for _, n := range nodes {
		addr := &netlink.Addr{IPNet: &net.IPNet{IP: n.AsSlice(), Mask: net.CIDRMask(bits, n.BitLen())}}
		if n.Is6() {
			addr.Flags = unix.IFA_F_NODAD
		}
		if err := netlink.AddrAdd(inside, addr); err != nil {
			return err
		}
	}
	if err := netlink.LinkSetUp(inside); err != nil {
		return err
	}
	for _, n := range nodes {
		listen(t, netip.AddrPortFrom(n, 8080).String(), func(c net.Conn) { _, _ = io.WriteString(c, n.String()); _ = c.Close() })
	}
	return nil
}

// answers says which node a connection to an address has come to.
func answers(t *testing.T, addr string) string {
	t.Helper()
	c, err := net.DialTimeout("tcp", addr, 5*time.Second)
	if err != nil {
		t.Errorf("%s: %v", addr, err)
		return ""
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(10 * time.Second))
	text, err := io.ReadAll(c)
	if err != nil || c.RemoteAddr().String() != addr {
		t.Errorf("%s: got %v and peer %s", addr, err, c.RemoteAddr())
	}
	return string(text)
}

// The first connection to an address that no name led to finds a node, and so do all
// after it, on every port and all at once.
func TestLiteralAddresses(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	const first, second = "198.19.5.21", "198.19.5.22"
	nodes := []netip.Addr{netip.MustParseAddr(first), netip.MustParseAddr(second)}
	farNodes(t, netip.MustParsePrefix("198.19.5.2/24"), nodes...)
	t.Run("while it runs", func(t *testing.T) {
		c := startAgent(t)
		if _, err := net.DialTimeout("tcp4", "192.168.1.101:8080", time.Second); !errors.Is(err, unix.ENETUNREACH) {
			t.Errorf("before any node is behind them: got %v, want no way there", err)
		}
		network := netip.MustParsePrefix("198.19.5.0/24")
		if err := c.SetLiterals(timely(t), LiteralsRequest{Network: network, Nodes: nodes}); err != nil {
			t.Fatal(err)
		}
		for _, try := range [][2]string{
			{"192.168.1.101", first},
			{"192.168.1.101", first},
			{"10.0.3.7", second},
			{"10.0.3.8", first},
			{"10.0.3.7", second},
			{"198.51.100.9", second},
			{second, second},
			{first, first},
		} {
			if got := answers(t, try[0]+":8080"); got != try[1] {
				t.Errorf("%s: got to %q, want %s", try[0], got, try[1])
			}
		}
		found, err := c.Literals(timely(t))
		want := []Literal{
			{netip.MustParseAddr("10.0.3.8"), nodes[0]},
			{netip.MustParseAddr("192.168.1.101"), nodes[0]},
			{netip.MustParseAddr("10.0.3.7"), nodes[1]},
			{netip.MustParseAddr("198.51.100.9"), nodes[1]},
		}
		if err != nil || !slices.Equal(found, want) {
			t.Errorf("got %v, %v, want %v", found, err, want)
		}
		together(t, "172.16.0.9:8080") // which of the nodes, none can say
		whatIsNotTaken(t, c)
		if err := c.SetLiterals(timely(t), LiteralsRequest{Network: network, Nodes: nodes}); err == nil {
			t.Error("set a second time: got no error")
		}
	})
	if _, err := net.DialTimeout("tcp4", "192.168.1.101:8080", time.Second); !errors.Is(err, unix.ENETUNREACH) {
		t.Errorf("after it: got %v, want no way there", err)
	}
}

// The same for IPv6. Neighbour discovery and IPv4 go on as they were.
func TestLiteralIPv6Addresses(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	network, nodes := netip.MustParsePrefix("fd00:5::/64"), []netip.Addr{netip.MustParseAddr("fd00:5::21"), netip.MustParseAddr("fd00:5::22")}
	farNodes(t, netip.MustParsePrefix("fd00:5::2/64"), nodes...)
	t.Run("while it runs", func(t *testing.T) {
		c := startAgent(t)
		if _, err := net.DialTimeout("tcp", "[2001:db8::10]:8080", time.Second); !errors.Is(err, unix.ENETUNREACH) {
			t.Errorf("before any node is behind them: got %v, want no way there", err)
		}
		req := LiteralsRequest{Network: network, Nodes: nodes}
		if err := c.SetLiterals(timely(t), req); err != nil {
			t.Fatal(err)
		}
		for _, try := range [][2]string{
			{"2001:db8::10", "fd00:5::21"},
			{"2001:db8::11", "fd00:5::22"},
			{"fd00:6::22", "fd00:5::21"}, // as another network's address ends
			{"2001:db8::10", "fd00:5::21"},
			{"fd00:5::22", "fd00:5::22"},
		} {
			if got := answers(t, "["+try[0]+"]:8080"); got != try[1] {
				t.Errorf("%s: got to %q, want %s", try[0], got, try[1])
			}
		}
		found, err := c.Literals(timely(t))
		want := []Literal{
			{netip.MustParseAddr("2001:db8::10"), nodes[0]},
			{netip.MustParseAddr("fd00:6::22"), nodes[0]},
			{netip.MustParseAddr("2001:db8::11"), nodes[1]},
		}
		if err != nil || !slices.Equal(found, want) {
			t.Errorf("got %v, %v, want %v", found, err, want)
		}
		together(t, "[2001:db8::12]:8080")
		if _, err := net.DialTimeout("tcp", "[2001:db8::10]:81", 5*time.Second); !errors.Is(err, unix.ECONNREFUSED) {
			t.Errorf("a port that the node refuses: got %v, want it refused", err)
		}
		toldOfUDP(t, "[2001:db8::10]:515", unix.EPERM, unix.EACCES)
		if err := c.SetLiterals(timely(t), req); err == nil {
			t.Error("set a second time: got no error")
		}
	})
	if _, err := net.DialTimeout("tcp", "[2001:db8::10]:8080", time.Second); !errors.Is(err, unix.ENETUNREACH) {
		t.Errorf("after it: got %v, want no way there", err)
	}
}

// toldOfUDP: a datagram to an address is refused at once, with one of the errors.
func toldOfUDP(t *testing.T, addr string, want ...error) {
	t.Helper()
	udp, err := net.Dial("udp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer udp.Close()
	_ = udp.SetDeadline(time.Now().Add(10 * time.Second))
	_, err = udp.Write([]byte("x"))
	if err == nil {
		_, err = udp.Read(make([]byte, 1))
	}
	if !slices.ContainsFunc(want, func(w error) bool { return errors.Is(err, w) }) {
		t.Errorf("UDP to %s: got %v, want to be told at once", addr, err)
	}
}

// together opens many first connections to an address at once: all come to one node.
func together(t *testing.T, addr string) {
	t.Helper()
	got := make([]string, 50)
	var clients sync.WaitGroup
	for i := range got {
		clients.Go(func() { got[i] = answers(t, addr) })
	}
	clients.Wait()
	if all := slices.Compact(got); len(all) != 1 {
		t.Errorf("%s: got to %q, want one node", addr, all)
	}
}

// whatIsNotTaken: a port that the node refuses is refused, UDP is told so, DNS servers
// answer.
func whatIsNotTaken(t *testing.T, c *Client) {
	t.Helper()
	if _, err := net.DialTimeout("tcp4", "192.168.1.101:81", 5*time.Second); !errors.Is(err, unix.ECONNREFUSED) {
		t.Errorf("a port that the node refuses: got %v, want it refused", err)
	}
	toldOfUDP(t, "192.168.1.101:515", unix.EPERM, unix.EHOSTUNREACH)
	setName(t, c, "backend.test", "198.18.1.10")
	for _, network := range []string{"udp", "tcp"} {
		asked := new(mdns.Msg).SetQuestion("backend.test.", mdns.TypeA)
		got, _, err := (&mdns.Client{Net: network, Timeout: 5 * time.Second}).ExchangeContext(timely(t), asked, "192.168.1.101:53")
		if err != nil || len(got.Answer) != 1 {
			t.Errorf("DNS over %s: got %v, %v, want an answer", network, got, err)
		}
	}
}

func TestLiteralsAreChecked(t *testing.T) {
	network, node := netip.MustParsePrefix("198.19.5.0/24"), netip.MustParseAddr("198.19.5.21")
	for field, req := range map[string]LiteralsRequest{
		"network": {Nodes: []netip.Addr{node}},
		"nodes":   {Network: network},
	} {
		var bad *Error
		if err := req.validate(); !errors.As(err, &bad) || bad.Field != field {
			t.Errorf("%+v: got %v, want an error about %s", req, err, field)
		}
	}
	outside := LiteralsRequest{Network: network, Nodes: []netip.Addr{netip.MustParseAddr("10.0.0.1")}}
	var bad *Error
	if err := outside.validate(); !errors.As(err, &bad) || bad.Field != "nodes" {
		t.Errorf("a node outside the network: got %v", err)
	}
}

// Connections to literal addresses are upstream ones, those to DNS servers are not.
func TestNodesContain(t *testing.T) {
	n := Nodes{Prefix: netip.MustParsePrefix("198.18.1.0/24"), Except: []netip.Addr{netip.MustParseAddr("198.18.1.4")}, Literals: true}
	for peer, want := range map[string]bool{
		"198.18.1.21:80": true, "198.18.1.4:9100": false, "192.168.1.101:8080": true, "[::ffff:10.0.3.7]:80": true,
		"169.254.169.253:53": false, "127.0.0.1:8080": false, "[fd00:ec2::253]:53": false,
		"[2001:db8::10]:8080": true, "[2001:2:0:1201::15]:80": true, "[::1]:8080": false,
	} {
		if got := n.contains(netip.MustParseAddrPort(peer)); got != want {
			t.Errorf("%s: got %v, want %v", peer, got, want)
		}
	}
	n.Literals = false
	if n.contains(netip.MustParseAddrPort("192.168.1.101:8080")) {
		t.Error("a literal address counts although none is asked for")
	}
}
