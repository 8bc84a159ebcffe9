package fault

import (
	"context"
	"net/netip"
	"sync/atomic"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/proxychaos/proxychaos/fakedns"
)

// abreast is a prober none of whose questions is sent before all have come.
type abreast struct {
	client
	missing atomic.Int32
	all     chan struct{}
}

func (p *abreast) Lookup(ctx context.Context, resolver netip.AddrPort, name, qtype string) ([]netip.Addr, error) {
	if p.missing.Add(-1) == 0 {
		close(p.all)
	}
	select {
	case <-p.all:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	return p.client.Lookup(ctx, resolver, name, qtype)
}

// A machine that takes more than a second for the questions of a proof, one after the
// other, must not find the throttle never reached.
func TestAThrottleIsProvedByQuestionsAtOnce(t *testing.T) {
	g := NewWithT(t)
	loopback := netip.MustParseAddrPort("127.0.0.1:0")
	server, err := fakedns.New(fakedns.Config{Listen: []netip.AddrPort{loopback}, Control: loopback, Seed: 1})
	g.Expect(err).NotTo(HaveOccurred())
	run(t, server.Run)
	throttle := FailDNS{Kind: fakedns.KindThrottle, PerSecond: 20}
	probe := &abreast{all: make(chan struct{})}
	probe.missing.Store(int32(throttle.questions()))
	w := live(replaced, nil)
	w.Probe, w.Resolvers, w.DNS = probe, server.Addrs()[:1], fakedns.NewClient(server.ControlURL(), nil)
	_, err = w.DNS.PutNames(t.Context(), Names(w.Topology, w.TTL)...)
	g.Expect(err).NotTo(HaveOccurred())
	_, err = throttle.Apply(t.Context(), w)
	g.Expect(err).NotTo(HaveOccurred())
	ctx, cancel := context.WithTimeout(t.Context(), patience*time.Second)
	defer cancel()
	g.Expect(throttle.Prove(ctx, w)).To(ConsistOf(HaveField("OK", true)))
}
