package run

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/miekg/dns"
	. "github.com/onsi/gomega"

	"github.com/proxychaos/proxychaos/fakealb"
	"github.com/proxychaos/proxychaos/fakedns"
)

// fakes are a DNS server and a node at an address of its own, for a cell without a proxy.
func fakes(t *testing.T, addr string) (c *cell, resolver, node string) {
	t.Helper()
	g := NewWithT(t)
	names, err := fakedns.New(fakedns.Config{
		Listen: []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:0")}, Control: netip.MustParseAddrPort("127.0.0.1:0"),
		Names: []fakedns.Name{{Name: fakedns.Wildcard, A: []netip.Addr{netip.MustParseAddr(addr)}, TTL: time.Second}},
	})
	g.Expect(err).NotTo(HaveOccurred())
	free, err := net.Listen("tcp4", addr+":0")
	g.Expect(err).NotTo(HaveOccurred())
	at := netip.MustParseAddrPort(free.Addr().String())
	g.Expect(free.Close()).To(Succeed())
	nodes, err := fakealb.New(fakealb.Config{
		Network: fakealb.NetworkUserspace, Ports: []uint16{at.Port()},
		LoadBalancers: []fakealb.LoadBalancer{{Name: "backend", Targets: 1}},
		Nodes:         []fakealb.Node{{Addr: at.Addr(), LoadBalancer: "backend"}},
	})
	g.Expect(err).NotTo(HaveOccurred())
	for _, server := range []interface {
		Run(context.Context) error
		Close() error
	}{names, nodes} {
		done := make(chan error, 1)
		go func() { done <- server.Run(t.Context()) }()
		t.Cleanup(func() { _, _ = server.Close(), <-done })
	}
	return &cell{to: clients{
		dns: fakedns.NewClient(names.ControlURL(), nil), alb: fakealb.NewClient(nodes.ControlURL(), nil),
		isProbe: func(netip.AddrPort) bool { return false },
	}}, names.Addrs()[0].String(), at.String()
}

// A client that sends no SNI trusts a node under each name that was asked for, those
// that were asked for at the start and those that came later.
func TestACertificateForTheNamesThatWereAskedFor(t *testing.T) {
	g := NewWithT(t)
	c, resolver, node := fakes(t, "127.66.0.1")
	ask := func(name string) {
		_, err := dns.Exchange(new(dns.Msg).SetQuestion(name+".", dns.TypeA), resolver)
		g.Expect(err).NotTo(HaveOccurred())
	}
	shown := func() []string {
		conn, err := tls.Dial("tcp4", node, &tls.Config{InsecureSkipVerify: true}) // without a name: no SNI
		if err != nil {
			return nil
		}
		defer conn.Close()
		return conn.ConnectionState().PeerCertificates[0].DNSNames
	}
	ask("api.internal.example.com")
	done := errors.New("all seen")
	err := c.certified(t.Context(), func(context.Context) error {
		g.Expect(shown()).To(Equal([]string{"api.internal.example.com"}))
		ask("orders_api_1")
		g.Eventually(shown).WithTimeout(20 * time.Second).Should(Equal([]string{"api.internal.example.com", "orders_api_1"}))
		return done
	})
	g.Expect(err).To(MatchError(done))
}
