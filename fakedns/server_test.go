package fakedns_test

import (
	"context"
	"errors"
	"net/http"
	"net/netip"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/miekg/dns"
	. "github.com/onsi/gomega"

	"github.com/proxychaos/proxychaos/fakedns"
)

func addrPorts(list ...string) []netip.AddrPort {
	out := make([]netip.AddrPort, len(list))
	for i, s := range list {
		out[i] = netip.MustParseAddrPort(s)
	}
	return out
}

func TestNewRefusesABadConfig(t *testing.T) {
	a, six := addrs("10.0.0.1"), addrs("2001:db8::1")
	name := func(n fakedns.Name) fakedns.Config { return fakedns.Config{Names: []fakedns.Name{n}} }
	for message, cfg := range map[string]fakedns.Config{
		`listen[0]: not an address`:                                           {Listen: make([]netip.AddrPort, 1)},
		`control: got 0.0.0.0:80, want a loopback`:                            {Control: netip.MustParseAddrPort("0.0.0.0:80")},
		`control: got 8.8.8.8:80, want a loopback`:                            {Control: netip.MustParseAddrPort("8.8.8.8:80")},
		`negative_ttl_seconds: got 500ms`:                                     {NegativeTTL: 500 * time.Millisecond},
		`names[0].name: empty`:                                                name(fakedns.Name{}),
		`names[0].name: got "a..b"`:                                           name(fakedns.Name{Name: "a..b"}),
		`names[0].name: got "a b"`:                                            name(fakedns.Name{Name: "a b"}),
		`names[0].ttl_seconds: got 1.5, want whole seconds`:                   name(fakedns.Name{Name: "x", TTL: 1500 * time.Millisecond}),
		`names[0].ttl_seconds: got -1, want`:                                  name(fakedns.Name{Name: "x", TTL: -time.Second}),
		`names[0].a[0]: got "2001:db8::1", want an IPv4 address`:              name(fakedns.Name{Name: "x", A: six}),
		`names[0].aaaa[0]: got "10.0.0.1", want an IPv6 address`:              name(fakedns.Name{Name: "x", AAAA: a}),
		`names[0].aaaa[0]: got "::ffff:10.0.0.1", want an IPv6`:               name(fakedns.Name{Name: "x", AAAA: addrs("::ffff:10.0.0.1")}),
		`names[0].a[1]: 10.0.0.1 is given twice`:                              name(fakedns.Name{Name: "x", A: append(a, a...)}),
		`names[0].order: got "random", want shuffle`:                          name(fakedns.Name{Name: "x", Order: "random"}),
		`names[0].max_answers: got -1, want 1 to 1000`:                        name(fakedns.Name{Name: "x", MaxAnswers: -1}),
		`names[0].alias: "x" has alias and cname`:                             name(fakedns.Name{Name: "x", Alias: "y", CNAME: "z"}),
		`names[0].alias: "x" has alias and records`:                           name(fakedns.Name{Name: "x", Alias: "y", A: a}),
		`names[0].cname: "x" has cname and records`:                           name(fakedns.Name{Name: "x", CNAME: "y", A: a}),
		`names[0].ttl_seconds: got 60 on an alias`:                            name(fakedns.Name{Name: "x", Alias: "y", TTL: time.Minute}),
		`names[1].name: "x" is given twice`:                                   {Names: []fakedns.Name{{Name: "x"}, {Name: "X."}}},
		`names[0].zones: "x" has zones and addresses of its own`:              name(fakedns.Name{Name: "x", A: a, Zones: []fakedns.Zone{{Name: "1a"}}}),
		`names[0].zones: given for the wildcard "*.x"`:                        name(fakedns.Name{Name: "*.x", Zones: []fakedns.Zone{{Name: "1a"}}}),
		`names[0].zones[0].name: got "1.a", want one label`:                   name(fakedns.Name{Name: "x", Zones: []fakedns.Zone{{Name: "1.a"}}}),
		`names[0].zones[1].name: "1a" is given twice`:                         name(fakedns.Name{Name: "x", Zones: []fakedns.Zone{{Name: "1a"}, {Name: "1A"}}}),
		`names[0].zones[0].a[0]: got "2001:db8::1", want an IPv4`:             name(fakedns.Name{Name: "x", Zones: []fakedns.Zone{{Name: "1a", A: six}}}),
		`names[0].zones.a[1]: 10.0.0.1 is given twice`:                        name(fakedns.Name{Name: "x", Zones: []fakedns.Zone{{Name: "1a", A: a}, {Name: "1b", A: a}}}),
		`names[0].unhealthy[0]: 10.0.0.1 is none of the addresses`:            name(fakedns.Name{Name: "x", Unhealthy: a}),
		`names[0].health: got "ill", want healthy or unhealthy`:               name(fakedns.Name{Name: "x", Health: "ill"}),
		`names[0].evaluate_target_health: given for "x", which is`:            name(fakedns.Name{Name: "x", EvaluateTargetHealth: true}),
		`names[0].failover: got "a..b"`:                                       name(fakedns.Name{Name: "x", Failover: "a..b"}),
		`names: "a" leads back to "a" through`:                                {Names: []fakedns.Name{{Name: "a", Failover: "b"}, {Name: "b", Alias: "a"}}},
		`max_ttl_seconds: got 500ms`:                                          {MaxTTL: 500 * time.Millisecond},
		`names: "a" leads back to "a"`:                                        {Names: []fakedns.Name{{Name: "a", Alias: "b"}, {Name: "b", CNAME: "a"}}},
		`names: "*" leads back to "*" through alias, cname or failover, want`: name(fakedns.Name{Name: "*", CNAME: "unset"}),
	} {
		t.Run(message, func(t *testing.T) {
			g := expect(t)
			srv, err := fakedns.New(cfg)
			g.Expect(srv).To(BeNil())
			var typed *fakedns.Error
			g.Expect(errors.As(err, &typed)).To(BeTrue())
			g.Expect(typed.Code).To(Equal(fakedns.CodeInvalid))
			g.Expect(err).To(MatchError(ContainSubstring(message)))
		})
	}
}

func TestAPortThatIsTakenIsSaidPlainly(t *testing.T) {
	g := expect(t)
	first := start(t, fakedns.Config{})
	_, err := fakedns.New(fakedns.Config{Listen: first.Addrs()})
	g.Expect(err).To(MatchError(syscall.EADDRINUSE))
	g.Expect(err).To(MatchError(ContainSubstring("listen on " + first.Addrs()[0].String())))
}

func TestAnswersOnManyAddressesAndOnesAddedLater(t *testing.T) {
	t.Attr("aws-fact", "5.1")
	g := expect(t)
	srv := start(t, fakedns.Config{
		Listen: addrPorts("127.0.53.1:0", "127.0.53.2:0", "[::1]:0"),
		Names:  []fakedns.Name{elb("app.example", old)},
	})
	g.Expect(srv.Listen(t.Context(), netip.MustParseAddrPort("127.0.53.3:0"))).To(Succeed())
	g.Expect(srv.Addrs()).To(HaveLen(4))
	for _, at := range srv.Addrs() {
		for _, network := range []string{"udp", "tcp"} {
			c := &dns.Client{Net: network, Timeout: patience}
			reply, _, err := c.Exchange(question("app.example", dns.TypeA), at.String())
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(addressesOf(reply)).To(ConsistOf(old))
			log := queries(t, srv, fakedns.Filter{After: srv.LastSeq() - 1})
			g.Expect(log[0].Resolver).To(Equal(at), "over %s", network)
		}
	}
}

func TestWildcardAddressAnswersFromTheAddressAsked(t *testing.T) {
	for listen, asked := range map[string]string{"0.0.0.0:0": "127.0.53.9", "[::]:0": "::1"} {
		t.Run(listen, func(t *testing.T) {
			g := expect(t)
			srv := start(t, fakedns.Config{Listen: addrPorts(listen), Names: []fakedns.Name{elb("app.example", old)}})
			at := netip.AddrPortFrom(netip.MustParseAddr(asked), srv.Addrs()[0].Port())
			for _, network := range []string{"udp", "tcp"} {
				// miekg's client connects its UDP socket: an answer from elsewhere is not seen.
				c := &dns.Client{Net: network, Timeout: patience}
				reply, _, err := c.Exchange(question("app.example", dns.TypeA), at.String())
				g.Expect(err).NotTo(HaveOccurred())
				g.Expect(addressesOf(reply)).To(ConsistOf(old))
			}
			for _, q := range queries(t, srv, fakedns.Filter{}) {
				g.Expect(q.Resolver).To(Equal(at))
			}
		})
	}
}

func TestOneResolverOfTwoDead(t *testing.T) {
	g := expect(t)
	srv := start(t, fakedns.Config{
		Listen: addrPorts("127.0.53.1:0", "127.0.53.2:0"),
		Names:  []fakedns.Name{elb("app.example", old)},
	})
	putFault(t, srv, fakedns.Fault{ID: "first-dead", Kind: fakedns.KindSilence, Scope: fakedns.Scope{Resolvers: addrs("127.0.53.1")}})
	expectSilence(t, srv, "udp", question("app.example", dns.TypeA))
	c := &dns.Client{Timeout: patience}
	reply, _, err := c.Exchange(question("app.example", dns.TypeA), srv.Addrs()[1].String())
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(addressesOf(reply)).To(ConsistOf(old))
}

func TestCloseFreesTheAddressAndEveryGoroutine(t *testing.T) {
	g := expect(t)
	before := runtime.NumGoroutine()
	srv, err := fakedns.New(fakedns.Config{Listen: addrPorts("127.0.0.1:0"), Control: netip.MustParseAddrPort("127.0.0.1:0")})
	g.Expect(err).NotTo(HaveOccurred())
	ended := make(chan error, 1)
	go func() { ended <- srv.Run(context.Background()) }()
	put(t, srv, elb("app.example", old))
	askA(t, srv, "app.example")
	idle, err := dns.Dial("tcp", srv.Addrs()[0].String())
	g.Expect(err).NotTo(HaveOccurred())
	defer func() { _ = idle.Close() }()
	waited := make(chan error, 1)
	go func() {
		_, err := srv.WaitQuery(context.Background(), fakedns.Filter{Name: "never.example"})
		waited <- err
	}()
	begun := time.Now()
	g.Expect(srv.Close()).To(Succeed())
	g.Expect(time.Since(begun)).To(BeNumerically("<", patience/2), "it does not wait for the idle connection")
	g.Expect(srv.Close()).To(Succeed())
	g.Eventually(ended, patience).Should(Receive(BeNil()))
	g.Eventually(waited, patience).Should(Receive(MatchError(ContainSubstring("the server is closed"))))
	g.Expect(srv.Run(t.Context())).To(MatchError(ContainSubstring("the server is closed")))
	g.Expect(srv.Listen(t.Context(), netip.MustParseAddrPort("127.0.0.1:0"))).To(MatchError(ContainSubstring("the server is closed")))
	g.Eventually(runtime.NumGoroutine, patience).Should(BeNumerically("<=", before))

	again, err := fakedns.New(fakedns.Config{Listen: srv.Addrs()})
	g.Expect(err).NotTo(HaveOccurred(), "the address is free again")
	g.Expect(again.Close()).To(Succeed(), "Close without Run")
}

func TestRunTwice(t *testing.T) {
	g := expect(t)
	srv := start(t, fakedns.Config{})
	g.Eventually(func() error {
		resp, err := http.Get(srv.ControlURL() + "/v1/version")
		if err != nil {
			return err
		}
		return resp.Body.Close()
	}, patience).Should(Succeed())
	g.Expect(srv.Run(t.Context())).To(MatchError(ContainSubstring("Run was called twice")))
}
