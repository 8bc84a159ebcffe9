package ledger_test

import (
	"testing"

	. "github.com/onsi/gomega"

	"github.com/proxychaos/proxychaos/harness/ledger"
	"github.com/proxychaos/proxychaos/harness/recording"
	"github.com/proxychaos/proxychaos/harness/world"
)

// Proxy 2 is told to end at 10, and is started again at 14; the first is restarted at 20.
func TestProxiesThatEnd(t *testing.T) {
	g := NewWithT(t)
	l := of(
		step(1, 5, world.Effect{Proxy: 2, Registered: no}),
		step(2, 10, world.Effect{Proxy: 2, Runs: no}),
		step(3, 14, world.Effect{Proxy: 2, Runs: yes}),
		step(4, 20, world.Effect{Restarted: true}),
	)
	g.Expect(l.Stops()).To(Equal([]ledger.Stop{
		{Moment: ledger.Moment{Name: "step", Asked: 9.5, At: 10}, Proxy: 2},
		{Moment: ledger.Moment{Name: "step", Asked: 19.5, At: 20}, Proxy: 1},
	}))
	for at, runs := range map[recording.Seconds]bool{0: true, 9.4: true, 9.5: false, 13.9: false, 14: true, 30: true} {
		g.Expect(l.Runs(2, at)).To(Equal(runs), "at %g", at)
		g.Expect(l.Runs(1, at)).To(BeTrue(), "the other at %g", at)
	}
}
