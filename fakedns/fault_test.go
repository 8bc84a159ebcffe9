package fakedns_test

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/miekg/dns"
	. "github.com/onsi/gomega"

	"github.com/proxychaos/proxychaos/fakedns"
)

// expectSilence asks and wants no answer, which the log proves was received.
func expectSilence(t *testing.T, srv *fakedns.Server, network string, m *dns.Msg) {
	t.Helper()
	g := expect(t)
	after := srv.LastSeq()
	c := &dns.Client{Net: network, Timeout: 200 * time.Millisecond}
	_, _, err := c.Exchange(m, srv.Addrs()[0].String())
	var timeout net.Error
	g.Expect(errors.As(err, &timeout) && timeout.Timeout()).To(BeTrue(), "got %v, want a timeout", err)
	asked := queries(t, srv, fakedns.Filter{After: after})
	g.Expect(asked).To(HaveLen(1))
	g.Expect(asked[0].RCode).To(BeEmpty())
	g.Expect(asked[0].AnsweredAt).To(BeZero())
}

func TestFaultKindsThatAnswer(t *testing.T) {
	t.Attr("aws-fact", "5.13")
	for kind, want := range map[fakedns.Kind]struct {
		rcode, ns int
	}{
		fakedns.KindNoData:   {dns.RcodeSuccess, 1},
		fakedns.KindNXDomain: {dns.RcodeNameError, 1},
		fakedns.KindServFail: {dns.RcodeServerFailure, 0},
		fakedns.KindRefused:  {dns.RcodeRefused, 0},
	} {
		t.Run(string(kind), func(t *testing.T) {
			srv := start(t, fakedns.Config{Names: []fakedns.Name{elb("app.example", old)}})
			putFault(t, srv, fakedns.Fault{ID: "f", Kind: kind})
			for _, network := range []string{"udp", "tcp"} {
				g := expect(t)
				m := question("app.example", dns.TypeA)
				m.SetEdns0(4096, false)
				reply := ask(t, srv, network, m)
				g.Expect(reply.Rcode).To(Equal(want.rcode))
				g.Expect(reply.Answer).To(BeEmpty())
				g.Expect(reply.Ns).To(HaveLen(want.ns))
				g.Expect(reply.IsEdns0()).NotTo(BeNil())
			}
			g := expect(t)
			for _, q := range queries(t, srv, fakedns.Filter{}) {
				g.Expect(q.Faults).To(Equal([]string{"f"}))
				g.Expect(q.RCode).To(Equal(dns.RcodeToString[want.rcode]))
			}
			if _, err := srv.DeleteFault("f"); err != nil {
				t.Fatal(err)
			}
			g.Expect(addressesOf(askA(t, srv, "app.example"))).To(ConsistOf(old))
		})
	}
}

func TestSilence(t *testing.T) {
	srv := start(t, fakedns.Config{Names: []fakedns.Name{elb("app.example", old)}})
	putFault(t, srv, fakedns.Fault{ID: "quiet", Kind: fakedns.KindSilence})
	expectSilence(t, srv, "udp", question("app.example", dns.TypeA))
	expectSilence(t, srv, "tcp", question("app.example", dns.TypeA))
}

func TestDelayIsLoggedOnArrivalAndWhenAnswered(t *testing.T) {
	const late = 300 * time.Millisecond
	for _, network := range []string{"udp", "tcp"} {
		t.Run(network, func(t *testing.T) {
			g := expect(t)
			srv := start(t, fakedns.Config{Names: []fakedns.Name{elb("app.example", old)}})
			putFault(t, srv, fakedns.Fault{ID: "slow", Kind: fakedns.KindDelay, Delay: late})
			answered := make(chan *dns.Msg, 1)
			go func() {
				c := &dns.Client{Net: network, Timeout: patience}
				m, _, _ := c.Exchange(question("app.example", dns.TypeA), srv.Addrs()[0].String())
				answered <- m
			}()
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			q, err := srv.WaitQuery(ctx, fakedns.Filter{Name: "app.example"})
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(q.AnsweredAt).To(BeZero(), "it is known that somebody asked before the answer goes out")
			reply := <-answered
			g.Expect(addressesOf(reply)).To(ConsistOf(old))
			q = queries(t, srv, fakedns.Filter{})[0]
			g.Expect(q.AnsweredAt.Sub(q.ReceivedAt)).To(BeNumerically(">=", late))
		})
	}
}

func TestCloseDoesNotWaitForDelayedAnswers(t *testing.T) {
	g := expect(t)
	srv := start(t, fakedns.Config{Names: []fakedns.Name{elb("app.example", old)}})
	putFault(t, srv, fakedns.Fault{ID: "slow", Kind: fakedns.KindDelay, Delay: time.Hour})
	conn, err := net.Dial("udp", srv.Addrs()[0].String())
	g.Expect(err).NotTo(HaveOccurred())
	defer func() { _ = conn.Close() }()
	packet, err := question("app.example", dns.TypeA).Pack()
	g.Expect(err).NotTo(HaveOccurred())
	_, err = conn.Write(packet)
	g.Expect(err).NotTo(HaveOccurred())
	_, err = srv.WaitQuery(t.Context(), fakedns.Filter{})
	g.Expect(err).NotTo(HaveOccurred())
	closed := make(chan error, 1)
	go func() { closed <- srv.Close() }()
	g.Eventually(closed, patience).Should(Receive(BeNil()))
}

func TestScope(t *testing.T) {
	srv := start(t, fakedns.Config{Names: []fakedns.Name{elb("*", old)}})
	prefix := netip.MustParsePrefix
	for name, c := range map[string]struct {
		scope   fakedns.Scope
		network string
		hit     bool
	}{
		"any":             {fakedns.Scope{}, "udp", true},
		"name":            {fakedns.Scope{Name: "App.Example."}, "udp", true},
		"other name":      {fakedns.Scope{Name: "example"}, "udp", false},
		"type":            {fakedns.Scope{Type: "a"}, "udp", true},
		"other type":      {fakedns.Scope{Type: "AAAA"}, "udp", false},
		"client":          {fakedns.Scope{Clients: []netip.Prefix{prefix("10.0.0.0/8"), prefix("127.0.0.0/8")}}, "udp", true},
		"other client":    {fakedns.Scope{Clients: []netip.Prefix{prefix("10.0.0.0/8")}}, "udp", false},
		"resolver":        {fakedns.Scope{Resolvers: addrs("10.0.0.2", "127.0.0.1")}, "tcp", true},
		"other resolver":  {fakedns.Scope{Resolvers: addrs("10.0.0.2")}, "tcp", false},
		"transport":       {fakedns.Scope{Transport: fakedns.TCP}, "tcp", true},
		"other transport": {fakedns.Scope{Transport: fakedns.TCP}, "udp", false},
		"all but one":     {fakedns.Scope{Name: "app.example", Type: "A", Transport: fakedns.TCP}, "udp", false},
	} {
		t.Run(name, func(t *testing.T) {
			g := expect(t)
			putFault(t, srv, fakedns.Fault{ID: "f", Kind: fakedns.KindServFail, Scope: c.scope})
			reply := ask(t, srv, c.network, question("app.example", dns.TypeA))
			failed := reply.Rcode == dns.RcodeServerFailure
			g.Expect(failed).To(Equal(c.hit))
		})
	}
}

func TestCountEndsAFault(t *testing.T) {
	g := expect(t)
	srv := start(t, fakedns.Config{Names: []fakedns.Name{elb("app.example", old)}})
	blip := fakedns.Fault{ID: "blip", Kind: fakedns.KindNXDomain, Count: 2}
	at := putFault(t, srv, blip)
	g.Expect(askA(t, srv, "app.example").Rcode).To(Equal(dns.RcodeNameError))
	g.Expect(putFault(t, srv, blip)).To(BeTemporally("==", at), "PUT is idempotent: the count does not start anew")
	g.Expect(askA(t, srv, "app.example").Rcode).To(Equal(dns.RcodeNameError))
	g.Expect(askA(t, srv, "app.example").Rcode).To(Equal(dns.RcodeSuccess))
	status := srv.Faults()[0]
	g.Expect(status.Hits).To(BeEquivalentTo(2))
	g.Expect(status.InForce).To(BeFalse())
}

func TestWindow(t *testing.T) {
	g := expect(t)
	srv := start(t, fakedns.Config{Names: []fakedns.Name{elb("app.example", old)}})
	const after, lasts = 300 * time.Millisecond, 300 * time.Millisecond
	from := putFault(t, srv, fakedns.Fault{ID: "f", Kind: fakedns.KindServFail, After: after, For: lasts})
	status := srv.Faults()[0]
	g.Expect(status.InForceAt).To(BeTemporally("==", from))
	g.Expect(status.Until).To(BeTemporally("==", from.Add(lasts)))
	var codes []int
	g.Eventually(func() int {
		rcode := askA(t, srv, "app.example").Rcode
		if len(codes) == 0 || codes[len(codes)-1] != rcode {
			codes = append(codes, rcode)
		}
		return len(codes)
	}, patience, 5*time.Millisecond).Should(Equal(3))
	g.Expect(codes).To(Equal([]int{dns.RcodeSuccess, dns.RcodeServerFailure, dns.RcodeSuccess}))
	for _, q := range queries(t, srv, fakedns.Filter{}) {
		inside := !q.ReceivedAt.Before(from) && q.ReceivedAt.Before(status.Until)
		hit := len(q.Faults) > 0
		g.Expect(hit).To(Equal(inside), "query at %s, window %s to %s", q.ReceivedAt, from, status.Until)
	}
}

func TestFaultsCombineInTheOrderOfTheirFirstPut(t *testing.T) {
	g := expect(t)
	srv := start(t, fakedns.Config{Names: []fakedns.Name{elb("app.example", old)}})
	putFault(t, srv, fakedns.Fault{ID: "b", Kind: fakedns.KindDelay, Delay: 50 * time.Millisecond})
	putFault(t, srv, fakedns.Fault{ID: "a", Kind: fakedns.KindNoData})
	putFault(t, srv, fakedns.Fault{ID: "b", Kind: fakedns.KindDelay, Delay: 60 * time.Millisecond})
	g.Expect(askA(t, srv, "app.example").Answer).To(BeEmpty())
	q := queries(t, srv, fakedns.Filter{})[0]
	g.Expect(q.Faults).To(Equal([]string{"b", "a"}))
	g.Expect(q.AnsweredAt.Sub(q.ReceivedAt)).To(BeNumerically(">=", 60*time.Millisecond))
}
