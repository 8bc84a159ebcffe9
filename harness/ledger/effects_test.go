package ledger_test

import (
	"net/netip"
	"testing"

	. "github.com/onsi/gomega"

	"github.com/proxychaos/proxychaos/harness/ledger"
	"github.com/proxychaos/proxychaos/harness/recording"
	"github.com/proxychaos/proxychaos/harness/world"
)

func TestHealed(t *testing.T) {
	g := NewWithT(t)
	l := flap()
	g.Expect(l.Healed(15)).To(BeTrue())
	g.Expect(l.Healed(10)).To(BeFalse(), "a node went silent")
	g.Expect(l.Healed(16)).To(BeFalse(), "a name got a node, which had served already")
	g.Expect(l.Healed(15.1)).To(BeFalse(), "nothing came into force")
	g.Expect(of(step(1, 5, world.Effect{Resolves: no}), step(2, 9, world.Effect{Resolves: yes})).Healed(9)).To(BeTrue())
}

func TestAboutNames(t *testing.T) {
	g := NewWithT(t)
	g.Expect(flap().AboutNames()).To(BeTrue())
	g.Expect(of(step(1, 5, world.Effect{Resolves: no})).AboutNames()).To(BeTrue())
	g.Expect(of(step(1, 5, world.Effect{Node: a, Serves: no})).AboutNames()).To(BeFalse())
	g.Expect(of().AboutNames()).To(BeFalse())
}

func TestRefusedTLS(t *testing.T) {
	g := NewWithT(t)
	l := of(
		step(1, 5, world.Effect{Node: a, Serves: no, How: world.Silence}),
		step(2, 10, world.Effect{Node: b, Serves: no, How: "tls-alert"}), // asked for at 9.5
	)
	g.Expect(l.RefusedTLS()).To(Equal([]netip.Addr{b}))
	for _, c := range []struct {
		first, last recording.Seconds
		want        bool
	}{{9, 9.5, true}, {9.9, 12, true}, {8, 9.4, false}, {10, 12, false}, {4, 6, false}} {
		g.Expect(l.BeganToRefuseTLS(c.first, c.last)).To(Equal(c.want), "from %g to %g", c.first, c.last)
	}
	g.Expect(ledger.Of(&recording.Recording{}).RefusedTLS()).To(BeEmpty())
}
