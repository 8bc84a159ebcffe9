package fakedns_test

import (
	"net"
	"testing"
	"time"

	"github.com/miekg/dns"
	. "github.com/onsi/gomega"

	"github.com/proxychaos/proxychaos/fakedns"
)

// What the VPC resolver does on top of Route 53: section 5 of aws-facts.md.

func TestAHighTTLIsLowered(t *testing.T) {
	t.Attr("aws-fact", "5.4")
	names := []fakedns.Name{{Name: "app.example", TTL: time.Hour, A: old}, {Name: "www.example", TTL: 2 * time.Hour, CNAME: "app.example"}}
	ttls := func(srv *fakedns.Server, recursive bool) []uint32 {
		m := question("www.example", dns.TypeA)
		m.RecursionDesired = recursive
		reply := ask(t, srv, "udp", m)
		return []uint32{reply.Answer[0].Header().Ttl, reply.Answer[1].Header().Ttl}
	}
	g := expect(t)
	srv := start(t, fakedns.Config{Names: names})
	g.Expect(ttls(srv, true)).To(Equal([]uint32{300, 300}))
	g.Expect(queries(t, srv, fakedns.Filter{})[0].TTL).To(Equal(300 * time.Second))
	g.Expect(ttls(srv, false)).To(Equal([]uint32{7200, 3600}), "Route 53 itself gives what was set")
	g.Expect(askA(t, srv, "nowhere.example").Ns[0].Header().Ttl).To(BeEquivalentTo(900), "negative answers are as they were")
	g.Expect(ttls(start(t, fakedns.Config{Names: names, MaxTTL: 2 * time.Hour}), true)).To(Equal([]uint32{7200, 3600}), "it can be set")
}

func TestThrottlePerEndpointAddress(t *testing.T) {
	t.Attr("aws-fact", "5.12")
	g := expect(t)
	g.Expect(fakedns.EndpointPerSecond).To(Equal(10000))
	g.Expect(fakedns.EndpointTrackedPerSecond).To(Equal(1500))
	srv := start(t, fakedns.Config{
		Listen: addrPorts("127.0.53.1:0", "127.0.53.2:0"), Names: []fakedns.Name{elb("app.example", old)},
	})
	const limit = 5 // of which a slow machine, too, sends more in a second
	putFault(t, srv, fakedns.Fault{ID: "f", Kind: fakedns.KindThrottle, PerSecond: limit, Per: fakedns.PerResolver})
	packet, err := question("app.example", dns.TypeA).Pack()
	g.Expect(err).NotTo(HaveOccurred())
	// Two clients share the limit of the address that both ask.
	const each = 2 * limit
	for client := range 2 {
		from := &net.UDPAddr{IP: net.IPv4(127, 0, 53, byte(70+client))}
		conn, err := net.DialUDP("udp", from, net.UDPAddrFromAddrPort(srv.Addrs()[0]))
		g.Expect(err).NotTo(HaveOccurred())
		defer func() { _ = conn.Close() }()
		for range each {
			_, err := conn.Write(packet)
			g.Expect(err).NotTo(HaveOccurred())
		}
	}
	g.Eventually(srv.LastSeq, patience).Should(BeEquivalentTo(2 * each))
	// Seconds begin with a query, so the log says how many there were.
	var began time.Time
	allowed, dropped := 0, 0
	for _, q := range queries(t, srv, fakedns.Filter{}) {
		if q.ReceivedAt.Sub(began) >= time.Second {
			began, allowed = q.ReceivedAt, limit
		}
		allowed--
		silent := q.RCode == ""
		g.Expect(silent).To(Equal(allowed < 0), "query %d", q.Seq)
		if silent {
			dropped++
		}
	}
	g.Expect(dropped).To(BeNumerically(">", each), "more than one client alone sent")
	other := &dns.Client{Timeout: patience}
	_, _, err = other.Exchange(question("app.example", dns.TypeA), srv.Addrs()[1].String())
	g.Expect(err).NotTo(HaveOccurred(), "the other address has its own")
	_, err = srv.PutFault(fakedns.Fault{ID: "f", Kind: fakedns.KindThrottle, Per: "zone"})
	g.Expect(err).To(MatchError(ContainSubstring(`per: got "zone", want client or resolver`)))
}
