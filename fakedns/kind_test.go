package fakedns_test

import (
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/miekg/dns"
	. "github.com/onsi/gomega"

	"github.com/proxychaos/proxychaos/fakedns"
)

// faulty runs a server that knows app.example and has one fault.
func faulty(t testing.TB, f fakedns.Fault) *fakedns.Server {
	t.Helper()
	srv := start(t, fakedns.Config{Names: []fakedns.Name{elb("app.example", old)}})
	f.ID = "f"
	putFault(t, srv, f)
	return srv
}

// raw sends one query over UDP and returns the packet that comes back, unread.
func raw(t testing.TB, srv *fakedns.Server, m *dns.Msg) []byte {
	t.Helper()
	g := expect(t)
	conn, err := net.Dial("udp", srv.Addrs()[0].String())
	g.Expect(err).NotTo(HaveOccurred())
	defer func() { _ = conn.Close() }()
	packet, err := m.Pack()
	g.Expect(err).NotTo(HaveOccurred())
	_, err = conn.Write(packet)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(conn.SetReadDeadline(time.Now().Add(patience))).To(Succeed())
	buf := make([]byte, dns.MaxMsgSize)
	n, err := conn.Read(buf)
	g.Expect(err).NotTo(HaveOccurred())
	return buf[:n]
}

func TestTruncateSendsTheClientToTCP(t *testing.T) {
	g := expect(t)
	srv := faulty(t, fakedns.Fault{Kind: fakedns.KindTruncate})
	reply := askA(t, srv, "app.example")
	g.Expect(reply.Truncated).To(BeTrue())
	g.Expect(reply.Answer).To(BeEmpty())
	out := dig(t, srv, "app.example")
	g.Expect(out).To(ContainSubstring("Truncated, retrying in TCP mode"))
	g.Expect(out).To(ContainSubstring("10.10.1.1"))
	for _, q := range queries(t, srv, fakedns.Filter{}) {
		g.Expect(q.Truncated).To(Equal(q.Transport == fakedns.UDP))
		hit := len(q.Faults) > 0
		g.Expect(hit).To(Equal(q.Transport == fakedns.UDP))
	}
	putFault(t, srv, fakedns.Fault{ID: "no-tcp", Kind: fakedns.KindSilence, Scope: fakedns.Scope{Transport: fakedns.TCP}})
	expectSilence(t, srv, "tcp", question("app.example", dns.TypeA))
}

func TestWrongID(t *testing.T) {
	g := expect(t)
	srv := faulty(t, fakedns.Fault{Kind: fakedns.KindWrongID})
	m := question("app.example", dns.TypeA)
	reply := new(dns.Msg)
	g.Expect(reply.Unpack(raw(t, srv, m))).To(Succeed())
	g.Expect(reply.Id).NotTo(Equal(m.Id))
	g.Expect(addressesOf(reply)).To(ConsistOf(old), "all else is right")
}

func TestWrongQuestion(t *testing.T) {
	g := expect(t)
	srv := faulty(t, fakedns.Fault{Kind: fakedns.KindWrongQuestion})
	m := question("app.example", dns.TypeA)
	reply := new(dns.Msg)
	g.Expect(reply.Unpack(raw(t, srv, m))).To(Succeed())
	g.Expect(reply.Id).To(Equal(m.Id))
	g.Expect(reply.Question[0].Name).To(Equal("wrong-question.invalid."))
	g.Expect(reply.Answer[0].Header().Name).To(Equal("wrong-question.invalid."))
	log := queries(t, srv, fakedns.Filter{})
	g.Expect(log[0].Name).To(Equal("app.example"), "the log has what was asked")
}

func TestGarbage(t *testing.T) {
	g := expect(t)
	clean := start(t, fakedns.Config{Names: []fakedns.Name{elb("app.example", old)}})
	srv := faulty(t, fakedns.Fault{Kind: fakedns.KindGarbage})
	again := faulty(t, fakedns.Fault{Kind: fakedns.KindGarbage})
	m := question("app.example", dns.TypeA)
	good, bad := raw(t, clean, m), raw(t, srv, m)
	g.Expect(bad[:12]).To(Equal(good[:12]), "the header is good, so the client reads on")
	g.Expect(bad[12:]).NotTo(Equal(good[12:]))
	g.Expect(bad).To(HaveLen(len(good)))
	g.Expect(raw(t, again, m)).To(Equal(bad), "the same seed makes the same noise")
	g.Expect(raw(t, srv, m)).NotTo(Equal(bad), "another answer, other noise")
	g.Expect(queries(t, srv, fakedns.Filter{})[0].Answers).To(BeEmpty())
}

func TestThrottleLetsSoManyPerSecondThrough(t *testing.T) {
	t.Attr("aws-fact", "5.2")
	g := expect(t)
	srv := faulty(t, fakedns.Fault{Kind: fakedns.KindThrottle})
	g.Expect(srv.Faults()[0].Fault.PerSecond).To(Equal(1024), "the VPC resolver's limit is the default")

	putFault(t, srv, fakedns.Fault{ID: "f", Kind: fakedns.KindThrottle, PerSecond: 5})
	conn, err := net.Dial("udp", srv.Addrs()[0].String())
	g.Expect(err).NotTo(HaveOccurred())
	defer func() { _ = conn.Close() }()
	packet, err := question("app.example", dns.TypeA).Pack()
	g.Expect(err).NotTo(HaveOccurred())
	const sent = 20
	for range sent {
		_, err := conn.Write(packet)
		g.Expect(err).NotTo(HaveOccurred())
	}
	g.Eventually(srv.LastSeq, patience).Should(BeEquivalentTo(sent))
	answered, began := 0, time.Time{}
	for _, q := range queries(t, srv, fakedns.Filter{}) {
		if began.IsZero() {
			began = q.ReceivedAt
		}
		g.Expect(q.ReceivedAt.Sub(began)).To(BeNumerically("<", time.Second), "this machine is too slow to judge")
		dropped := q.RCode == ""
		g.Expect(dropped).To(Equal(len(q.Faults) == 1), "what is dropped names the fault")
		if !dropped {
			answered++
		}
	}
	g.Expect(answered).To(Equal(5))
	g.Expect(srv.Faults()[0].Hits).To(BeEquivalentTo(sent - 5))

	other := &dns.Client{Timeout: patience, Dialer: &net.Dialer{LocalAddr: &net.UDPAddr{IP: net.ParseIP("127.0.53.77")}}}
	_, _, err = other.Exchange(question("app.example", dns.TypeA), srv.Addrs()[0].String())
	g.Expect(err).NotTo(HaveOccurred(), "another client has its own allowance")
	g.Eventually(func() error {
		c := &dns.Client{Timeout: 50 * time.Millisecond}
		_, _, err := c.Exchange(question("app.example", dns.TypeA), srv.Addrs()[0].String())
		return err
	}, patience).Should(Succeed(), "the next second begins anew")
}

func TestStaleKeepsAnsweringWhatWas(t *testing.T) {
	t.Attr("aws-fact", "5.3")
	g := expect(t)
	srv := start(t, fakedns.Config{Names: []fakedns.Name{elb("app.example", old)}})
	putFault(t, srv, fakedns.Fault{ID: "f", Kind: fakedns.KindStale, TTL: 30 * time.Second})
	put(t, srv, elb("app.example", fresh), elb("new.example", fresh))
	reply := askA(t, srv, "app.example")
	g.Expect(addressesOf(reply)).To(ConsistOf(old))
	g.Expect(reply.Answer[0].Header().Ttl).To(BeEquivalentTo(30))
	g.Expect(askA(t, srv, "new.example").Rcode).To(Equal(dns.RcodeNameError))
	g.Expect(queries(t, srv, fakedns.Filter{})[0].Stale).To(BeTrue())
	_, err := srv.DeleteFault("f")
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(addressesOf(askA(t, srv, "app.example"))).To(ConsistOf(fresh))
	g.Expect(queries(t, srv, fakedns.Filter{After: 2})[0].Stale).To(BeFalse())
}

func TestNegativeTTL(t *testing.T) {
	g := expect(t)
	srv := start(t, fakedns.Config{NegativeTTL: 15 * time.Second})
	ttl := func() uint32 { return askA(t, srv, "nowhere.example").Ns[0].Header().Ttl }
	g.Expect(ttl()).To(BeEquivalentTo(15))
	putFault(t, srv, fakedns.Fault{ID: "f", Kind: fakedns.KindNXDomain, TTL: 3 * time.Second})
	g.Expect(ttl()).To(BeEquivalentTo(3))
	g.Expect(queries(t, srv, fakedns.Filter{After: 1})[0].TTL).To(Equal(3 * time.Second))
}

func TestFaultParametersBelongToTheirKinds(t *testing.T) {
	srv := start(t, fakedns.Config{})
	for message, f := range map[string]fakedns.Fault{
		`ttl_seconds: given, but kind "servfail" has no such parameter`: {Kind: fakedns.KindServFail, TTL: time.Second},
		`per_second: given, but kind "delay" has no such parameter`:     {Kind: fakedns.KindDelay, Delay: 1, PerSecond: 1},
		`delay_seconds: given, but kind "nodata" has no such parameter`: {Kind: fakedns.KindNoData, Delay: 1},
		`delay_seconds: got 7200, want more than 0 and at most 3600`:    {Kind: fakedns.KindDelay, Delay: 2 * time.Hour},
		`per_second: got -1, want 1 or more`:                            {Kind: fakedns.KindThrottle, PerSecond: -1},
		`ttl_seconds: got 1.5, want whole seconds`:                      {Kind: fakedns.KindStale, TTL: 1500 * time.Millisecond},
		`after_seconds: given, but kind "stale" begins when it is put`:  {Kind: fakedns.KindStale, After: 1},
		`kind: got "", want one of delay, garbage, nodata`:              {},
	} {
		t.Run(message, func(t *testing.T) {
			f.ID = "f"
			_, err := srv.PutFault(f)
			expect(t).Expect(err).To(MatchError(ContainSubstring(message)))
		})
	}
}

// Every kind, in scope for one client only, leaves the others alone.
func TestNoKindLeavesItsScope(t *testing.T) {
	for _, kind := range fakedns.AllKinds() {
		t.Run(string(kind), func(t *testing.T) {
			f := fakedns.Fault{Kind: kind, Scope: fakedns.Scope{Clients: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}}}
			if kind == fakedns.KindDelay {
				f.Delay = time.Hour
			}
			g := expect(t)
			srv := faulty(t, f)
			put(t, srv, elb("app.example", fresh))
			g.Expect(addressesOf(askA(t, srv, "app.example"))).To(ConsistOf(fresh))
			g.Expect(queries(t, srv, fakedns.Filter{})[0].Faults).To(BeEmpty())
		})
	}
}
