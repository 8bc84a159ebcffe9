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

func TestViewsGiveClientsTheirOwnAddresses(t *testing.T) {
	g := expect(t)
	n := elb("app.example", fresh)
	n.Views = []fakedns.View{
		{Clients: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}, A: addrs("10.66.0.1")},
		{Resolvers: addrs("127.0.53.2"), A: old, AAAA: addrs("2001:db8::2")},
	}
	srv := start(t, fakedns.Config{Listen: addrPorts("127.0.53.1:0", "127.0.53.2:0"), Names: []fakedns.Name{n}})
	at := func(i int, qtype uint16) []netip.Addr {
		c := &dns.Client{Timeout: patience}
		reply, _, err := c.Exchange(question("app.example", qtype), srv.Addrs()[i].String())
		g.Expect(err).NotTo(HaveOccurred())
		return addressesOf(reply)
	}
	g.Expect(at(0, dns.TypeA)).To(ConsistOf(fresh))
	g.Expect(at(0, dns.TypeAAAA)).To(BeEmpty())
	g.Expect(at(1, dns.TypeA)).To(ConsistOf(old))
	g.Expect(at(1, dns.TypeAAAA)).To(ConsistOf(addrs("2001:db8::2")))
}

func TestCountdownTTL(t *testing.T) {
	t.Attr("aws-fact", "5.5")
	g := expect(t)
	n := elb("app.example", old)
	n.TTL, n.TTLMode = 2*time.Second, fakedns.TTLCountdown
	srv := start(t, fakedns.Config{Names: []fakedns.Name{n}})
	var seen []uint32
	g.Eventually(func() []uint32 {
		ttl := askA(t, srv, "app.example").Answer[0].Header().Ttl
		if len(seen) == 0 || seen[len(seen)-1] != ttl {
			seen = append(seen, ttl)
		}
		return seen
	}, patience, 10*time.Millisecond).Should(HaveLen(4))
	g.Expect(seen).To(Equal([]uint32{2, 1, 2, 1}), "counted down to the end, then fetched anew")
	began := queries(t, srv, fakedns.Filter{})[0].ReceivedAt
	for _, q := range queries(t, srv, fakedns.Filter{}) {
		if age := q.ReceivedAt.Sub(began); age < 2*time.Second {
			g.Expect(q.TTL).To(Equal(2*time.Second-age.Truncate(time.Second)), "at age %v", age)
		}
	}
	put(t, srv, n)
	g.Expect(askA(t, srv, "app.example").Answer[0].Header().Ttl).To(BeEquivalentTo(2), "a PUT starts it anew")
}

func TestPropagation(t *testing.T) {
	t.Attr("aws-fact", "5.10")
	g := expect(t)
	srv := start(t, fakedns.Config{Names: []fakedns.Name{elb("app.example", old), {Name: "www.example", Alias: "app.example"}}})
	change := elb("app.example", fresh)
	change.Propagation = 300 * time.Millisecond
	appears := elb("new.example", fresh)
	appears.Propagation = 200 * time.Millisecond
	before := time.Now()
	inForce := put(t, srv, change, appears)
	g.Expect(inForce).To(BeTemporally(">=", before.Add(300*time.Millisecond)), "the last of the two")
	g.Expect(askA(t, srv, "new.example").Rcode).To(Equal(dns.RcodeNameError))
	g.Eventually(func() []netip.Addr { return addressesOf(askA(t, srv, "www.example")) }, patience, 5*time.Millisecond).
		Should(ConsistOf(fresh))
	for _, q := range queries(t, srv, fakedns.Filter{Name: "www.example"}) {
		settled := !q.ReceivedAt.Before(inForce)
		g.Expect(q.Stale).To(Equal(!settled))
		want := old
		if settled {
			want = fresh
		}
		g.Expect(q.Answers).To(ConsistOf(want))
	}
	g.Expect(askA(t, srv, "new.example").Rcode).To(Equal(dns.RcodeSuccess))
}

func TestAChangeOnItsWayIsOvertaken(t *testing.T) {
	g := expect(t)
	srv := start(t, fakedns.Config{Names: []fakedns.Name{elb("app.example", old)}})
	slow := elb("app.example", addrs("10.99.0.1"))
	slow.Propagation = time.Hour
	put(t, srv, slow)
	slower := elb("app.example", addrs("10.99.0.2"))
	slower.Propagation = time.Hour
	put(t, srv, slower)
	g.Expect(addressesOf(askA(t, srv, "app.example"))).To(ConsistOf(old), "what was seen once is seen from then on")
	put(t, srv, elb("app.example", fresh))
	g.Expect(addressesOf(askA(t, srv, "app.example"))).To(ConsistOf(fresh))
}

func TestInterleaveMixesAnswersButNeverWithinOne(t *testing.T) {
	t.Attr("aws-fact", "5.5")
	g := expect(t)
	srv := start(t, fakedns.Config{Names: []fakedns.Name{elb("app.example", old)}})
	change := elb("app.example", fresh)
	change.Interleave = time.Hour
	put(t, srv, change)
	seen := map[bool]int{}
	for range 64 {
		got := addressesOf(askA(t, srv, "app.example"))
		isOld := slices.Contains(old, got[0])
		seen[isOld]++
		g.Expect(got).To(ConsistOf(map[bool][]netip.Addr{true: old, false: fresh}[isOld]))
	}
	g.Expect(seen[true]).To(BeNumerically(">", 8))
	g.Expect(seen[false]).To(BeNumerically(">", 8))
}

// Two changes that cross on their way can form a loop that neither PUT could be
// refused for; a resolver answers SERVFAIL and the server lives on.
func TestALoopOfCrossingChangesEnds(t *testing.T) {
	for field, point := range map[string]func(name, to string) fakedns.Name{
		"cname": func(name, to string) fakedns.Name { return fakedns.Name{Name: name, CNAME: to} },
		"alias": func(name, to string) fakedns.Name { return fakedns.Name{Name: name, Alias: to} },
	} {
		t.Run(field, func(t *testing.T) {
			g := expect(t)
			srv := start(t, fakedns.Config{Names: []fakedns.Name{point("a.example", "b.example"), elb("b.example", old)}})
			later := elb("a.example", fresh)
			later.Propagation = time.Hour
			put(t, srv, later)
			put(t, srv, point("b.example", "a.example"))
			reply := askA(t, srv, "a.example")
			g.Expect(reply.Answer).To(BeEmpty())
		})
	}
}

func TestPTR(t *testing.T) {
	g := expect(t)
	srv := start(t, fakedns.Config{Names: []fakedns.Name{
		{Name: "1.1.10.10.in-addr.arpa", TTL: time.Minute, PTR: "ip-10-10-1-1.ec2.internal"},
		{Name: "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa", TTL: time.Minute, PTR: "six.example"},
	}})
	g.Expect(dig(t, srv, "+short", "-x", "10.10.1.1")).To(Equal("ip-10-10-1-1.ec2.internal.\n"))
	g.Expect(dig(t, srv, "+short", "-x", "2001:db8::1")).To(Equal("six.example.\n"))
	g.Expect(dig(t, srv, "-x", "10.10.1.2")).To(ContainSubstring("status: NXDOMAIN"))
}

func TestRotationGoesOnThroughAChangeAndBeginsAnewWithAReset(t *testing.T) {
	g := expect(t)
	n := elb("app.example", old)
	n.Order = fakedns.OrderRotate
	srv := start(t, fakedns.Config{Names: []fakedns.Name{n}})
	first := func() netip.Addr { return addressesOf(askA(t, srv, "app.example"))[0] }
	g.Expect(first()).To(Equal(old[0]))
	n.A = fresh
	put(t, srv, n)
	g.Expect(first()).To(Equal(fresh[1]))
	srv.Reset()
	g.Expect(first()).To(Equal(old[0]))
}
