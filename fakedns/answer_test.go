package fakedns_test

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/miekg/dns"
	. "github.com/onsi/gomega"

	"github.com/proxychaos/proxychaos/fakedns"
)

func TestAnswersAAndAAAA(t *testing.T) {
	t.Attr("aws-fact", "1.1")
	t.Attr("aws-fact", "1.14")
	g := expect(t)
	srv := start(t, fakedns.Config{})
	n := elb("App.Example.", old)
	n.AAAA = addrs("2001:db8::1", "2001:db8::2")
	put(t, srv, n)

	for _, network := range []string{"udp", "tcp"} {
		reply := ask(t, srv, network, question("aPP.exAMple", dns.TypeA))
		g.Expect(reply.Rcode).To(Equal(dns.RcodeSuccess))
		g.Expect(addressesOf(reply)).To(ConsistOf(old))
		g.Expect(reply.RecursionAvailable).To(BeTrue(), "asked to recurse it is the VPC resolver")
		g.Expect(reply.Authoritative).To(BeFalse())
		for _, rr := range reply.Answer {
			g.Expect(rr.Header().Name).To(Equal("aPP.exAMple."), "the spelling of the question is kept")
			g.Expect(rr.Header().Ttl).To(BeEquivalentTo(60))
		}
		six := ask(t, srv, network, question("app.example", dns.TypeAAAA))
		g.Expect(addressesOf(six)).To(ConsistOf(n.AAAA))
	}
}

func TestWithoutRecursionItIsAuthoritative(t *testing.T) {
	g := expect(t)
	srv := start(t, fakedns.Config{Names: []fakedns.Name{elb("app.example", old)}})
	m := question("app.example", dns.TypeA)
	m.RecursionDesired = false
	reply := ask(t, srv, "udp", m)
	g.Expect(reply.Authoritative).To(BeTrue())
	g.Expect(reply.RecursionAvailable).To(BeFalse())
}

func TestNegativeAnswersCarryTheSOAOfRoute53(t *testing.T) {
	t.Attr("aws-fact", "5.8")
	srv := start(t, fakedns.Config{Names: []fakedns.Name{elb("app.shop.example", old)}})
	for _, c := range []struct {
		name  string
		qtype uint16
		rcode int
	}{
		{"app.shop.example", dns.TypeAAAA, dns.RcodeSuccess}, // no such records
		{"app.shop.example", dns.TypeHTTPS, dns.RcodeSuccess},
		{"shop.example", dns.TypeA, dns.RcodeSuccess}, // stands above a name
		{"other.example", dns.TypeA, dns.RcodeNameError},
		{"x.app.shop.example", dns.TypeA, dns.RcodeNameError},
	} {
		t.Run(fmt.Sprintf("%s_%s", c.name, dns.Type(c.qtype)), func(t *testing.T) {
			g := expect(t)
			reply := ask(t, srv, "udp", question(c.name, c.qtype))
			g.Expect(reply.Rcode).To(Equal(c.rcode))
			g.Expect(reply.Answer).To(BeEmpty())
			g.Expect(reply.Ns).To(HaveLen(1))
			soa := reply.Ns[0].(*dns.SOA)
			g.Expect(soa.Hdr.Ttl).To(BeEquivalentTo(900))
			g.Expect(soa.Serial).To(BeEquivalentTo(1))
			g.Expect([]uint32{soa.Refresh, soa.Retry, soa.Expire, soa.Minttl}).To(Equal([]uint32{7200, 900, 1209600, 86400}))
			g.Expect(soa.Mbox).To(Equal("awsdns-hostmaster.amazon.com."))
			g.Expect(dns.IsSubDomain(soa.Hdr.Name, dns.Fqdn(c.name))).To(BeTrue())
		})
	}
}

func TestWildcardAnswersWhatIsNotSet(t *testing.T) {
	g := expect(t)
	srv := start(t, fakedns.Config{Names: []fakedns.Name{elb("*", old), elb("app.example", fresh)}})
	g.Expect(addressesOf(askA(t, srv, "app.example"))).To(ConsistOf(fresh))
	g.Expect(addressesOf(askA(t, srv, "whatever.the.config.says"))).To(ConsistOf(old))
	g.Expect(addressesOf(askA(t, srv, "single"))).To(ConsistOf(old))
}

func TestWildcardBelowAName(t *testing.T) {
	g := expect(t)
	srv := start(t, fakedns.Config{Names: []fakedns.Name{elb("*.shop.example", old), elb("a.deep.shop.example", fresh)}})
	for name, want := range map[string][]netip.Addr{
		"x.shop.example":        old,
		"y.x.shop.example":      old,
		"a.deep.shop.example":   fresh,
		"b.deep.shop.example":   nil, // deep.shop.example exists, so the wildcard beside it does not reach below it
		"shop.example":          nil,
		"other.example":         nil,
		"b.a.deep.shop.example": nil,
	} {
		g.Expect(addressesOf(askA(t, srv, name))).To(ConsistOf(want), name)
	}
	g.Expect(askA(t, srv, "deep.shop.example").Rcode).To(Equal(dns.RcodeSuccess), "it exists, without records")
	g.Expect(askA(t, srv, "b.deep.shop.example").Rcode).To(Equal(dns.RcodeNameError))
	_, err := srv.PutNames(fakedns.Name{Name: "*.loop.example", CNAME: "x.loop.example"})
	g.Expect(err).To(MatchError(ContainSubstring(`"*.loop.example" leads back to "*.loop.example"`)))
}

func TestAliasAnswersAsItself(t *testing.T) {
	t.Attr("aws-fact", "5.7")
	g := expect(t)
	srv := start(t, fakedns.Config{Names: []fakedns.Name{
		{Name: "example", Alias: "www.example"},
		{Name: "www.example", Alias: "lb.elb.amazonaws.com"},
		elb("lb.elb.amazonaws.com", old),
		{Name: "dangling.example", Alias: "nowhere.example"},
	}})
	reply := askA(t, srv, "example")
	g.Expect(addressesOf(reply)).To(ConsistOf(old))
	for _, rr := range reply.Answer {
		g.Expect(rr.Header().Name).To(Equal("example."), "no CNAME, the owner is the name asked for (aws-facts 5.7)")
		g.Expect(rr.Header().Ttl).To(BeEquivalentTo(60), "the target's TTL")
	}
	put(t, srv, elb("lb.elb.amazonaws.com", fresh))
	g.Expect(addressesOf(askA(t, srv, "example"))).To(ConsistOf(fresh))

	dangling := askA(t, srv, "dangling.example")
	g.Expect(dangling.Rcode).To(Equal(dns.RcodeSuccess))
	g.Expect(dangling.Answer).To(BeEmpty())
	g.Expect(dangling.Ns).To(HaveLen(1))
}

func TestCNAMEChainStandsInTheAnswer(t *testing.T) {
	g := expect(t)
	srv := start(t, fakedns.Config{Names: []fakedns.Name{
		{Name: "www.example", TTL: 300 * time.Second, CNAME: "app.example"},
		{Name: "app.example", TTL: 30 * time.Second, CNAME: "lb.elb.amazonaws.com"},
		elb("lb.elb.amazonaws.com", old[:1]),
		{Name: "broken.example", TTL: time.Minute, CNAME: "nowhere.test"},
	}})
	reply := askA(t, srv, "www.example")
	var got []string
	for _, rr := range reply.Answer {
		got = append(got, rr.String())
	}
	g.Expect(got).To(Equal([]string{
		"www.example.\t300\tIN\tCNAME\tapp.example.",
		"app.example.\t30\tIN\tCNAME\tlb.elb.amazonaws.com.",
		"lb.elb.amazonaws.com.\t60\tIN\tA\t10.10.1.1",
	}))
	g.Expect(queries(t, srv, fakedns.Filter{})[0].TTL).To(Equal(30*time.Second), "the log has the lowest TTL")

	only := ask(t, srv, "udp", question("www.example", dns.TypeCNAME))
	g.Expect(only.Answer).To(HaveLen(1))

	nodata := ask(t, srv, "udp", question("www.example", dns.TypeAAAA))
	g.Expect(nodata.Rcode).To(Equal(dns.RcodeSuccess))
	g.Expect(nodata.Answer).To(HaveLen(2), "the chain, though nothing is at its end")
	g.Expect(nodata.Ns).To(HaveLen(1))

	broken := askA(t, srv, "broken.example")
	g.Expect(broken.Rcode).To(Equal(dns.RcodeNameError))
	g.Expect(broken.Answer).To(HaveLen(1))
	g.Expect(broken.Ns[0].Header().Name).To(Equal("test."), "the SOA of the zone that lacks the name")
}

func manyAddresses(n int) []netip.Addr {
	out := make([]netip.Addr, n)
	for i := range out {
		out[i] = netip.AddrFrom4([4]byte{10, 1, 0, byte(i + 1)})
	}
	return out
}

func TestOrders(t *testing.T) {
	t.Attr("aws-fact", "1.2")
	t.Attr("aws-fact", "1.4")
	t.Attr("aws-fact", "5.11")
	g := expect(t)
	set := manyAddresses(12)
	named := func(order fakedns.Order, most int) fakedns.Name {
		n := elb(string(order)+".example", set)
		n.Order, n.MaxAnswers = order, most
		return n
	}
	cfg := fakedns.Config{Seed: 7, Names: []fakedns.Name{
		named(fakedns.OrderFixed, 3), named(fakedns.OrderRotate, 0), named(fakedns.OrderShuffle, 0),
	}}
	first, second := start(t, cfg), start(t, cfg)
	cfg.Seed = 8
	other := start(t, cfg)
	orders := map[string]bool{}
	seedMatters := false
	for i := range 12 {
		g.Expect(addressesOf(askA(t, first, "fixed.example"))).To(Equal(set[:3]))
		g.Expect(addressesOf(askA(t, first, "rotate.example"))).To(Equal(slices.Concat(set[i:], set[:i])[:8]))
		shuffled := addressesOf(askA(t, first, "shuffle.example"))
		g.Expect(shuffled).To(HaveLen(8), "at most 8 (aws-facts 1.4)")
		g.Expect(set).To(ContainElements(shuffled))
		g.Expect(addressesOf(askA(t, second, "shuffle.example"))).To(Equal(shuffled), "same seed, same order")
		seedMatters = seedMatters || !slices.Equal(shuffled, addressesOf(askA(t, other, "shuffle.example")))
		orders[fmt.Sprint(shuffled)] = true
	}
	g.Expect(len(orders)).To(BeNumerically(">", 8), "orders differ from answer to answer")
	g.Expect(seedMatters).To(BeTrue())
}

func TestTruncation(t *testing.T) {
	t.Attr("aws-fact", "5.6")
	srv := start(t, fakedns.Config{})
	n := elb("many.example", manyAddresses(100))
	n.MaxAnswers = 100
	put(t, srv, n)
	for _, size := range []uint16{0, 100, 512, 1232, 4096} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			g := expect(t)
			m := question("many.example", dns.TypeA)
			if size > 0 {
				m.SetEdns0(size, false)
			}
			reply := ask(t, srv, "udp", m)
			limit := max(int(size), 512)
			reply.Compress = true
			g.Expect(reply.Len()).To(BeNumerically("<=", limit))
			whole := limit >= 4096
			g.Expect(reply.Truncated).To(Equal(!whole))
			complete := len(reply.Answer) == 100
			g.Expect(complete).To(Equal(whole))
			g.Expect(reply.IsEdns0() != nil).To(Equal(size > 0), "OPT only if the client sent one")
			log := queries(t, srv, fakedns.Filter{})
			g.Expect(log[len(log)-1].Truncated).To(Equal(!whole))
			g.Expect(log[len(log)-1].Answers).To(Equal(addressesOf(reply)), "the log has what was sent")

			g.Expect(ask(t, srv, "tcp", m).Answer).To(HaveLen(100))
		})
	}
}

func TestProtocolErrors(t *testing.T) {
	g := expect(t)
	srv := start(t, fakedns.Config{Names: []fakedns.Name{elb("*", old)}})

	version1 := question("app.example", dns.TypeA)
	version1.SetEdns0(1232, false)
	version1.IsEdns0().SetVersion(1)
	g.Expect(ask(t, srv, "udp", version1).Rcode).To(Equal(dns.RcodeBadVers))

	chaos := question("version.bind", dns.TypeTXT)
	chaos.Question[0].Qclass = dns.ClassCHAOS
	g.Expect(ask(t, srv, "udp", chaos).Rcode).To(Equal(dns.RcodeRefused))

	notify := question("app.example", dns.TypeSOA)
	notify.Opcode = dns.OpcodeNotify
	g.Expect(ask(t, srv, "udp", notify).Rcode).To(Equal(dns.RcodeNotImplemented))

	two := question("app.example", dns.TypeA)
	two.Question = append(two.Question, two.Question[0])
	g.Expect(ask(t, srv, "udp", two).Rcode).To(Equal(dns.RcodeFormatError))

	huge := question("app.example", dns.TypeA).SetEdns0(1232, false)
	huge.IsEdns0().Option = []dns.EDNS0{&dns.EDNS0_PADDING{Padding: make([]byte, 5000)}}
	g.Expect(ask(t, srv, "udp", huge).Rcode).To(Equal(dns.RcodeFormatError), "no query is that long")
	g.Expect(queries(t, srv, fakedns.Filter{})).To(HaveLen(5), "each of them is in the log")
	g.Expect(addressesOf(ask(t, srv, "tcp", huge))).To(ConsistOf(old))
}
