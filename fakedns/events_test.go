package fakedns_test

import (
	"context"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/proxychaos/proxychaos/fakedns"
)

func TestEventsTellQueriesAndChangesFromTheirBeginning(t *testing.T) {
	g := expect(t)
	srv := start(t, fakedns.Config{Names: []fakedns.Name{elb("app.example", old)}})
	askA(t, srv, "app.example")
	put(t, srv, elb("app.example", fresh))

	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	stream, err := fakedns.NewClient(srv.ControlURL(), nil).Events(ctx)
	g.Expect(err).NotTo(HaveOccurred())
	defer func() { g.Expect(stream.Close()).To(Succeed()) }()
	sub := srv.Subscribe()
	sources := map[string]func() (fakedns.Event, error){
		"stream":       stream.Next,
		"subscription": func() (fakedns.Event, error) { return sub.Next(ctx) },
	}

	putFault(t, srv, fakedns.Fault{ID: "f", Kind: fakedns.KindNoData})
	for name, next := range sources {
		e, err := next()
		g.Expect(err).NotTo(HaveOccurred(), name)
		g.Expect(e.Query).To(BeNil())
		g.Expect(e.Change.Action).To(Equal(fakedns.ActionPutFault), "%s: nothing from before", name)
		g.Expect(e.Change.Fault.ID).To(Equal("f"))
	}
	askA(t, srv, "app.example")
	for name, next := range sources {
		e, err := next()
		g.Expect(err).NotTo(HaveOccurred(), name)
		g.Expect(e.Change).To(BeNil())
		g.Expect(e.Query.Seq).To(BeEquivalentTo(2))
		g.Expect(e.Query.Faults).To(Equal([]string{"f"}))
	}
	srv.Reset()
	for name, next := range sources {
		e, err := next()
		g.Expect(err).NotTo(HaveOccurred(), name)
		g.Expect(e.Change.Action).To(Equal(fakedns.ActionReset))
	}
}

func TestEventsLoseNothingWhenTheReaderIsSlow(t *testing.T) {
	g := expect(t)
	srv := start(t, fakedns.Config{Names: []fakedns.Name{elb("app.example", old)}})
	sub := srv.Subscribe()
	const n = 600
	for range n {
		askA(t, srv, "app.example")
	}
	put(t, srv, elb("app.example", fresh))
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	changes, seq := 0, uint64(0)
	for range n + 1 {
		e, err := sub.Next(ctx)
		g.Expect(err).NotTo(HaveOccurred())
		if e.Change != nil {
			changes++
			continue
		}
		seq++
		g.Expect(e.Query.Seq).To(Equal(seq))
	}
	g.Expect(changes).To(Equal(1))
}

func TestEventsEndWithTheServer(t *testing.T) {
	g := expect(t)
	srv := start(t, fakedns.Config{})
	stream, err := fakedns.NewClient(srv.ControlURL(), nil).Events(t.Context())
	g.Expect(err).NotTo(HaveOccurred())
	defer func() { _ = stream.Close() }()
	ended := make(chan error, 1)
	go func() {
		_, err := stream.Next()
		ended <- err
	}()
	g.Expect(srv.Close()).To(Succeed())
	g.Eventually(ended, patience).Should(Receive(HaveOccurred()))

	_, err = srv.Subscribe().Next(t.Context())
	g.Expect(err).To(MatchError(ContainSubstring("the server is closed")))
	short, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	_, err = start(t, fakedns.Config{}).Subscribe().Next(short)
	g.Expect(err).To(MatchError(context.DeadlineExceeded))
}
