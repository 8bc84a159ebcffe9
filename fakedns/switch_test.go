package fakedns_test

import (
	"context"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/miekg/dns"
	. "github.com/onsi/gomega"

	"github.com/proxychaos/proxychaos/fakedns"
)

// Names and a fault are switched 1,000 times each while four clients ask: no answer
// may hold addresses of two sets, each is what the state it names gives, and none may
// come from before a change that was already reported as in force when the query was
// received.
func TestNoAnswerMixesTwoStates(t *testing.T) {
	g := expect(t)
	srv := start(t, fakedns.Config{Names: []fakedns.Name{elb("app.example", old), {Name: "www.example", Alias: "app.example"}}})
	sets := map[string][]netip.Addr{"old": old, "fresh": fresh}
	setOf := func(got []netip.Addr) string {
		for name, set := range sets {
			if len(got) == len(set) && !slices.ContainsFunc(got, func(a netip.Addr) bool { return !slices.Contains(set, a) }) {
				return name
			}
		}
		return ""
	}
	var stop atomic.Bool
	var load sync.WaitGroup
	for _, network := range []string{"udp", "udp", "tcp", "tcp"} {
		load.Go(func() {
			conn, err := dns.Dial(network, srv.Addrs()[0].String())
			if err != nil {
				t.Error(err)
				return
			}
			defer func() { _ = conn.Close() }()
			for i := 0; !stop.Load(); i++ {
				name := []string{"app.example", "www.example"}[i%2]
				_ = conn.WriteMsg(question(name, dns.TypeA))
				_ = conn.SetReadDeadline(time.Now().Add(patience))
				reply, err := conn.ReadMsg()
				if err != nil {
					t.Errorf("%s: %v", network, err)
					return
				}
				got := addressesOf(reply)
				if setOf(got) == "" && reply.Rcode != dns.RcodeServerFailure {
					t.Errorf("%s: %s %v is neither the old nor the new set", network, dns.RcodeToString[reply.Rcode], got)
					return
				}
				if reply.Rcode == dns.RcodeServerFailure && len(got) > 0 {
					t.Errorf("%s: SERVFAIL with addresses %v", network, got)
					return
				}
			}
		})
	}
	switches := 0
	fault := fakedns.Fault{ID: "f", Kind: fakedns.KindServFail}
	for i := range 1000 {
		set := []string{"fresh", "old"}[i%2]
		put(t, srv, elb("app.example", sets[set]))
		switches++
		awaitMore(t, srv, 1)
		if i%2 == 0 {
			putFault(t, srv, fault)
		} else if _, err := srv.DeleteFault("f"); err != nil {
			t.Fatal(err)
		}
		awaitMore(t, srv, 1)
	}
	stop.Store(true)
	load.Wait()

	history := map[uint64]fakedns.Change{}
	want, failing := "old", false
	setAt, failingAt := map[uint64]string{0: want}, map[uint64]bool{}
	for _, c := range srv.History() {
		switch c.Action {
		case fakedns.ActionPutNames:
			want = setOf(c.Names[0].A)
		default:
			failing = c.Action == fakedns.ActionPutFault
		}
		history[c.Revision], setAt[c.Revision], failingAt[c.Revision] = c, want, failing
	}
	g.Expect(history).To(HaveLen(2 * switches))
	answered, failed := 0, 0
	for _, q := range queries(t, srv, fakedns.Filter{}) {
		next, isNext := history[q.Revision+1]
		g.Expect(isNext && !q.ReceivedAt.Before(next.InForceAt)).To(BeFalse(),
			"query %d was received after revision %d was in force and answered from %d", q.Seq, q.Revision+1, q.Revision)
		if failingAt[q.Revision] {
			failed++
			g.Expect(q.RCode).To(Equal("SERVFAIL"), "query %d, revision %d", q.Seq, q.Revision)
			g.Expect(q.Answers).To(BeEmpty())
		} else {
			answered++
			g.Expect(setOf(q.Answers)).To(Equal(setAt[q.Revision]), "query %d, revision %d", q.Seq, q.Revision)
		}
	}
	g.Expect(switches).To(Equal(1000))
	g.Expect(min(answered, failed)).To(BeNumerically(">", switches/2), "too few answers to show anything")
}

// awaitMore waits until that many more queries have come.
func awaitMore(t *testing.T, srv *fakedns.Server, more uint64) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if _, err := srv.WaitQuery(ctx, fakedns.Filter{After: srv.LastSeq() + more - 1}); err != nil {
		t.Error(err)
	}
}

// Two names put in one call change in the same instant: a client that reads both in
// turn never sees the second of a change without the first having changed.
func TestNamesPutTogetherChangeTogether(t *testing.T) {
	g := expect(t)
	pair := func(a []netip.Addr) []fakedns.Name {
		return []fakedns.Name{elb("a.example", a), elb("b.example", a)}
	}
	srv := start(t, fakedns.Config{Names: pair(old)})
	done := make(chan struct{})
	go func() {
		defer close(done)
		for i := range 300 {
			put(t, srv, pair([][]netip.Addr{fresh, old}[i%2])...)
			awaitMore(t, srv, 3)
		}
	}()
	for asking := true; asking; {
		select {
		case <-done:
			asking = false
		default:
		}
		askA(t, srv, "a.example")
		askA(t, srv, "b.example")
	}
	bySet := map[uint64]netip.Addr{}
	for _, q := range queries(t, srv, fakedns.Filter{}) {
		network := netip.PrefixFrom(q.Answers[0], 16).Masked().Addr()
		if seen, ok := bySet[q.Revision]; ok {
			g.Expect(network).To(Equal(seen), "revision %d", q.Revision)
		}
		bySet[q.Revision] = network
	}
	g.Expect(len(bySet)).To(BeNumerically(">", 2))
}
