package fakedns_test

import (
	"context"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/miekg/dns"
	. "github.com/onsi/gomega"

	"github.com/proxychaos/proxychaos/fakedns"
)

func TestQueryLogTellsEverything(t *testing.T) {
	g := expect(t)
	srv := start(t, fakedns.Config{Names: []fakedns.Name{elb("app.example", old)}})
	before := time.Now()
	reply := ask(t, srv, "tcp", question("APP.example", dns.TypeA))
	found := queries(t, srv, fakedns.Filter{})
	g.Expect(found).To(HaveLen(1))
	q := found[0]
	g.Expect(q.Seq).To(BeEquivalentTo(1))
	g.Expect(q.ReceivedAt).To(BeTemporally(">=", before))
	g.Expect(q.AnsweredAt).To(BeTemporally(">=", q.ReceivedAt))
	g.Expect(q.AnsweredAt).To(BeTemporally("<=", time.Now()))
	g.Expect(q.Client.Addr()).To(Equal(netip.MustParseAddr("127.0.0.1")))
	g.Expect(q.Client.Port()).NotTo(BeZero())
	g.Expect(q.Resolver).To(Equal(srv.Addrs()[0]))
	g.Expect(q.Transport).To(Equal(fakedns.TCP))
	g.Expect(q.Name).To(Equal("app.example"))
	g.Expect(q.Type).To(Equal("A"))
	g.Expect(q.RCode).To(Equal("NOERROR"))
	g.Expect(q.Answers).To(Equal(addressesOf(reply)), "in the order that was sent")
	g.Expect(q.TTL).To(Equal(time.Minute))
	g.Expect(q.Faults).To(BeEmpty())
}

func TestFilters(t *testing.T) {
	srv := start(t, fakedns.Config{Names: []fakedns.Name{elb("*", old)}})
	askA(t, srv, "one.example")
	ask(t, srv, "udp", question("one.example", dns.TypeAAAA))
	between := put(t, srv, elb("three.example", fresh))
	askA(t, srv, "two.example")
	for name, c := range map[string]struct {
		filter fakedns.Filter
		want   []uint64
	}{
		"all":          {fakedns.Filter{}, []uint64{1, 2, 3}},
		"name":         {fakedns.Filter{Name: "One.Example."}, []uint64{1, 2}},
		"type":         {fakedns.Filter{Type: "aaaa"}, []uint64{2}},
		"name, type":   {fakedns.Filter{Name: "one.example", Type: "A"}, []uint64{1}},
		"after":        {fakedns.Filter{After: 2}, []uint64{3}},
		"since":        {fakedns.Filter{Since: between}, []uint64{3}},
		"client":       {fakedns.Filter{Client: netip.MustParsePrefix("127.9.9.9/8")}, []uint64{1, 2, 3}},
		"other client": {fakedns.Filter{Client: netip.MustParsePrefix("10.0.0.0/8")}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			g := expect(t)
			var got []uint64
			for _, q := range queries(t, srv, c.filter) {
				got = append(got, q.Seq)
			}
			g.Expect(got).To(Equal(c.want))
		})
	}
	g := expect(t)
	_, err := srv.Queries(fakedns.Filter{Type: "NONSENSE"})
	g.Expect(err).To(MatchError(ContainSubstring("type: got \"NONSENSE\"")))
	_, err = srv.Queries(fakedns.Filter{Name: "two..dots"})
	g.Expect(err).To(MatchError(ContainSubstring("name: got \"two..dots\"")))
}

func TestWaitQueryReturnsWhenSomebodyAsks(t *testing.T) {
	g := expect(t)
	srv := start(t, fakedns.Config{Names: []fakedns.Name{elb("*", old)}})
	askA(t, srv, "app.example")
	f := fakedns.Filter{Name: "app.example", Type: "A", After: srv.LastSeq()}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	found := make(chan fakedns.Query, 1)
	go func() {
		q, err := srv.WaitQuery(ctx, f)
		if err != nil {
			t.Errorf("WaitQuery: %v", err)
		}
		found <- q
	}()
	askA(t, srv, "other.example")
	ask(t, srv, "udp", question("app.example", dns.TypeAAAA))
	g.Consistently(found, 50*time.Millisecond).ShouldNot(Receive(), "neither the other name nor the other type")
	askA(t, srv, "app.example")
	var q fakedns.Query
	g.Eventually(found, patience).Should(Receive(&q))
	g.Expect(q.Seq).To(BeEquivalentTo(4))
}

func TestWaitQueryEndsWithItsContext(t *testing.T) {
	g := expect(t)
	srv := start(t, fakedns.Config{})
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	_, err := srv.WaitQuery(ctx, fakedns.Filter{Name: "app.example", Type: "A"})
	g.Expect(err).To(MatchError(context.DeadlineExceeded))
	g.Expect(err).To(MatchError(ContainSubstring("nobody asked for app.example, A")))
}

// A log of several chunks, cleared in between, keeps its numbers and loses nothing.
func TestLongLog(t *testing.T) {
	g := expect(t)
	srv := start(t, fakedns.Config{Names: []fakedns.Name{elb("*", old)}})
	const each, workers = 700, 4
	flood := func() {
		var wg sync.WaitGroup
		for range workers {
			wg.Go(func() {
				conn, err := dns.Dial("udp", srv.Addrs()[0].String())
				if err != nil {
					t.Error(err)
					return
				}
				defer func() { _ = conn.Close() }()
				for range each {
					_ = conn.WriteMsg(question("app.example", dns.TypeA))
					if _, err := conn.ReadMsg(); err != nil {
						t.Error(err)
						return
					}
				}
			})
		}
		wg.Wait()
	}
	flood()
	srv.Reset()
	put(t, srv, elb("*", old))
	g.Expect(queries(t, srv, fakedns.Filter{})).To(BeEmpty())
	flood()
	found := queries(t, srv, fakedns.Filter{})
	g.Expect(found).To(HaveLen(each * workers))
	g.Expect(found[0].Seq).To(BeEquivalentTo(each*workers + 1))
	g.Expect(slices.IsSortedFunc(found, func(a, b fakedns.Query) int { return int(a.Seq) - int(b.Seq) })).To(BeTrue())
	g.Expect(found[len(found)-1].Seq).To(Equal(srv.LastSeq()))
}
