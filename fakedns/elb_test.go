package fakedns_test

import (
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/miekg/dns"
	. "github.com/onsi/gomega"

	"github.com/proxychaos/proxychaos/fakedns"
)

// The DNS of a load balancer: section 1 of aws-facts.md.

const internalALB = "internal-app-1234567890.ap-northeast-1.elb.amazonaws.com"

var zoneNames = []string{"ap-northeast-1a", "ap-northeast-1c", "ap-northeast-1d"}

// alb is a load balancer with one node in each zone.
func alb(name string, nodes []netip.Addr) fakedns.Name {
	n := fakedns.Name{Name: name, TTL: time.Minute}
	for i, a := range nodes {
		n.Zones = append(n.Zones, fakedns.Zone{Name: zoneNames[i], A: []netip.Addr{a}})
	}
	return n
}

func TestOneAddressForEachZone(t *testing.T) {
	t.Attr("aws-fact", "1.3")
	t.Attr("aws-fact", "1.13")
	g := expect(t)
	srv := start(t, fakedns.Config{Names: []fakedns.Name{alb(internalALB, old)}})
	reply := askA(t, srv, internalALB)
	g.Expect(addressesOf(reply)).To(ConsistOf(old), "an internal name resolves for anybody, to private addresses")
	for _, a := range addressesOf(reply) {
		g.Expect(a.IsPrivate()).To(BeTrue())
	}
}

func TestNamesOfALoadBalancer(t *testing.T) {
	t.Attr("aws-fact", "1.12")
	g := expect(t)
	const public, nlb = "app-987654321.eu-west-1.elb.amazonaws.com", "net-0123456789abcdef.elb.eu-west-1.amazonaws.com"
	srv := start(t, fakedns.Config{Names: []fakedns.Name{alb(internalALB, old), alb(public, fresh), alb(nlb, fresh)}})
	for name, want := range map[string][]netip.Addr{
		"dualstack." + internalALB: old,
		"dualstack." + public:      fresh,
		"ap-northeast-1c.internal-app-1234567890.elb.ap-northeast-1.amazonaws.com": old[1:2],
		"ap-northeast-1a.app-987654321.elb.eu-west-1.amazonaws.com":                fresh[:1],
		"ap-northeast-1d." + nlb: fresh[2:],
	} {
		reply := askA(t, srv, name)
		g.Expect(addressesOf(reply)).To(ConsistOf(want), name)
		g.Expect(reply.Answer[0].Header().Name).To(Equal(name+"."), "no CNAME between")
		g.Expect(reply.Answer[0].Header().Ttl).To(BeEquivalentTo(60))
	}

	smaller := alb(internalALB, fresh[:2])
	smaller.Propagation = 200 * time.Millisecond
	at := put(t, srv, smaller)
	const left = "ap-northeast-1d.internal-app-1234567890.elb.ap-northeast-1.amazonaws.com"
	g.Eventually(func() int { return askA(t, srv, left).Rcode }, patience, 5*time.Millisecond).
		Should(Equal(dns.RcodeNameError), "the zone was taken from the load balancer, and its name went with it")
	for _, q := range queries(t, srv, fakedns.Filter{Name: left}) {
		answered := q.RCode == "NOERROR"
		g.Expect(answered).To(Equal(q.ReceivedAt.Before(at)), "query %d", q.Seq)
	}
	g.Expect(addressesOf(askA(t, srv, "dualstack."+internalALB))).To(ConsistOf(fresh[:2]))
	put(t, srv, elb(internalALB, old))
	g.Expect(askA(t, srv, "dualstack."+internalALB).Rcode).To(Equal(dns.RcodeNameError), "no zones, no further names")
}

func TestDualstack(t *testing.T) {
	t.Attr("aws-fact", "1.14")
	g := expect(t)
	both := alb("both.example", old)
	both.Zones[0].AAAA = addrs("2001:db8::1")
	six := fakedns.Name{Name: "six.example", TTL: time.Minute, Zones: []fakedns.Zone{{Name: "1a", AAAA: addrs("2001:db8::2")}}}
	four := alb("four.example", old)
	srv := start(t, fakedns.Config{Names: []fakedns.Name{both, six, four}})
	of := func(name string, qtype uint16) *dns.Msg { return ask(t, srv, "udp", question(name, qtype)) }
	g.Expect(addressesOf(of("dualstack.both.example", dns.TypeA))).To(ConsistOf(old))
	g.Expect(addressesOf(of("dualstack.both.example", dns.TypeAAAA))).To(ConsistOf(addrs("2001:db8::1")))
	// dualstack-without-public-ipv4: AAAA only.
	g.Expect(addressesOf(of("six.example", dns.TypeAAAA))).To(ConsistOf(addrs("2001:db8::2")))
	for _, nodata := range []*dns.Msg{of("six.example", dns.TypeA), of("four.example", dns.TypeAAAA)} {
		g.Expect(nodata.Rcode).To(Equal(dns.RcodeSuccess))
		g.Expect(nodata.Answer).To(BeEmpty())
		g.Expect(nodata.Ns).To(ContainElement(BeAssignableToTypeOf(&dns.SOA{})))
	}
}

func TestScalingChangesTheAnswer(t *testing.T) {
	t.Attr("aws-fact", "1.5")
	t.Attr("aws-fact", "1.6")
	g := expect(t)
	srv := start(t, fakedns.Config{Names: []fakedns.Name{elb("app.example", old)}})
	fleet := manyAddresses(100) // as many as one ALB may have
	put(t, srv, elb("app.example", fleet))
	seen := map[netip.Addr]bool{}
	g.Eventually(func() int {
		got := addressesOf(askA(t, srv, "app.example"))
		g.Expect(got).To(HaveLen(8), "an answer shows 8 of them")
		for _, a := range got {
			seen[a] = true
		}
		return len(seen)
	}, patience, time.Nanosecond).Should(Equal(100), "and each is shown at some time")
	put(t, srv, elb("app.example", old[:2]))
	g.Expect(addressesOf(askA(t, srv, "app.example"))).To(ConsistOf(old[:2]))
}

func TestARemovedAddressIsNotGivenAgain(t *testing.T) {
	t.Attr("aws-fact", "1.7")
	g := expect(t)
	srv := start(t, fakedns.Config{Names: []fakedns.Name{elb("app.example", old)}})
	g.Expect(askA(t, srv, "app.example").Answer[0].Header().Ttl).To(BeEquivalentTo(60), "who has it may keep it for 60 s")
	at := put(t, srv, elb("app.example", old[1:]))
	for range 32 {
		askA(t, srv, "app.example")
	}
	after := queries(t, srv, fakedns.Filter{Since: at})
	g.Expect(after).To(HaveLen(32))
	for _, q := range after {
		g.Expect(q.Answers).To(ConsistOf(old[1:]))
	}
}

func TestAZoneThatFailsIsLeftOut(t *testing.T) {
	t.Attr("aws-fact", "1.15")
	g := expect(t)
	srv := start(t, fakedns.Config{})
	withUnhealthy := func(bad ...netip.Addr) []netip.Addr {
		n := alb(internalALB, old)
		n.Unhealthy = bad
		put(t, srv, n)
		return addressesOf(askA(t, srv, internalALB))
	}
	g.Expect(withUnhealthy()).To(ConsistOf(old))
	g.Expect(withUnhealthy(old[0])).To(ConsistOf(old[1:]))
	g.Expect(withUnhealthy(old[:2]...)).To(ConsistOf(old[2]))
	g.Expect(withUnhealthy(old...)).To(ConsistOf(old), "all zones are bad: all are given")
}

func TestAZonalShift(t *testing.T) {
	t.Attr("aws-fact", "1.16")
	g := expect(t)
	n := alb(internalALB, old)
	n.Zones[1].Shifted = true
	srv := start(t, fakedns.Config{Names: []fakedns.Name{n}})
	g.Expect(addressesOf(askA(t, srv, internalALB))).To(ConsistOf(old[0], old[2]))
	n.Unhealthy = []netip.Addr{old[0], old[2]}
	put(t, srv, n)
	g.Expect(addressesOf(askA(t, srv, internalALB))).To(ConsistOf(old[0], old[2]), "the zone is still left out, though no other is healthy")
}

func TestFailoverToTheSecondary(t *testing.T) {
	t.Attr("aws-fact", "1.17")
	g := expect(t)
	srv := start(t, fakedns.Config{Names: []fakedns.Name{
		{Name: "app.example", Alias: internalALB, EvaluateTargetHealth: true, Failover: "sorry.example"},
		{Name: "blind.example", Alias: internalALB, Failover: "sorry.example"},
		alb(internalALB, old),
		elb("sorry.example", fresh),
	}})
	balancer, sorry := alb(internalALB, old), elb("sorry.example", fresh)
	given := func() []netip.Addr {
		put(t, srv, balancer, sorry)
		g.Expect(addressesOf(askA(t, srv, "blind.example"))).To(ConsistOf(old), "this alias does not evaluate its target's health")
		return addressesOf(askA(t, srv, "app.example"))
	}
	g.Expect(given()).To(ConsistOf(old))
	balancer.Health = fakedns.HealthUnhealthy // a target group has no healthy target
	g.Expect(given()).To(ConsistOf(fresh))
	g.Expect(addressesOf(askA(t, srv, internalALB))).To(ConsistOf(old), "the load balancer's own name answers as ever")
	g.Expect(askA(t, srv, "app.example").Answer[0].Header().Name).To(Equal("app.example."), "as an alias does")
	sorry.Health = fakedns.HealthUnhealthy
	g.Expect(given()).To(ConsistOf(old), "neither is healthy: the primary (aws-facts 5.9)")
	balancer.Health, sorry.Health = "", ""
	balancer.Unhealthy = old
	g.Expect(given()).To(ConsistOf(fresh), "each of its addresses is unhealthy")
	balancer.Health = fakedns.HealthHealthy
	g.Expect(given()).To(ConsistOf(old))
}

func TestADeletedLoadBalancer(t *testing.T) {
	t.Attr("aws-fact", "1.11")
	t.Attr("aws-fact", "5.10")
	g := expect(t)
	srv := start(t, fakedns.Config{Names: []fakedns.Name{
		alb(internalALB, old),
		{Name: "alias.example", Alias: internalALB},
		{Name: "cname.example", TTL: 300 * time.Second, CNAME: internalALB},
	}})
	g.Expect(askA(t, srv, "alias.example").Answer[0].Header().Ttl).To(BeEquivalentTo(60), "an alias is to be waited for 60 s")
	g.Expect(askA(t, srv, "cname.example").Answer[0].Header().Ttl).To(BeEquivalentTo(300), "a CNAME for its own TTL")

	at, err := srv.DeleteName(internalALB, 300*time.Millisecond)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(srv.Names()).To(HaveLen(2), "it is as good as gone")
	_, err = srv.DeleteName(internalALB, 0)
	g.Expect(err).To(MatchError(ContainSubstring("no name")))
	names := []string{"alias.example", "cname.example", internalALB, "dualstack." + internalALB}
	for _, name := range names {
		g.Eventually(func() []netip.Addr { return addressesOf(askA(t, srv, name)) }, patience, 5*time.Millisecond).Should(BeEmpty(), name)
		for _, q := range queries(t, srv, fakedns.Filter{Name: name}) {
			if q.ReceivedAt.Before(at) {
				g.Expect(q.Answers).To(ConsistOf(old), "%s before the change has propagated", name)
			} else {
				g.Expect(q.Answers).To(BeEmpty(), "%s after that", name)
				g.Expect(q.Stale).To(BeFalse())
			}
		}
	}
	g.Expect(askA(t, srv, "alias.example").Rcode).To(Equal(dns.RcodeSuccess), "the alias is there, without records")
	g.Expect(askA(t, srv, "cname.example").Rcode).To(Equal(dns.RcodeNameError), "the CNAME's target is not")
	g.Expect(askA(t, srv, internalALB).Rcode).To(Equal(dns.RcodeNameError))
	put(t, srv, alb(internalALB, fresh))
	g.Expect(addressesOf(askA(t, srv, "alias.example"))).To(ConsistOf(fresh), "and it can be made anew")
}

func TestHealthAwareSets(t *testing.T) {
	t.Attr("aws-fact", "5.9")
	g := expect(t)
	srv := start(t, fakedns.Config{})
	set := manyAddresses(12)
	n := elb("multi.example", set)
	n.Unhealthy = set[:2]
	put(t, srv, n)
	mixes := map[string]bool{}
	for range 16 {
		got := addressesOf(askA(t, srv, "multi.example"))
		g.Expect(got).To(HaveLen(8))
		g.Expect(set[2:]).To(ContainElements(got), "healthy ones only")
		slices.SortFunc(got, netip.Addr.Compare)
		mixes[got[0].String()+got[7].String()] = true
	}
	g.Expect(len(mixes)).To(BeNumerically(">", 1), "of more than 8 healthy ones, different mixes")
	n.Unhealthy = set[4:]
	put(t, srv, n)
	g.Expect(addressesOf(askA(t, srv, "multi.example"))).To(ConsistOf(set[:4]))
	n.Unhealthy = set
	put(t, srv, n)
	got := addressesOf(askA(t, srv, "multi.example"))
	g.Expect(got).To(HaveLen(8), "all are bad: up to 8 bad ones")
	g.Expect(set).To(ContainElements(got))

	view := fakedns.Name{Name: "view.example", TTL: time.Minute, A: old, Unhealthy: []netip.Addr{fresh[0]}, Views: []fakedns.View{{A: fresh}}}
	put(t, srv, view)
	g.Expect(addressesOf(askA(t, srv, "view.example"))).To(ConsistOf(fresh[1:]), "within a view too")
}
