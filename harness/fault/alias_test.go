package fault

import (
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/proxychaos/proxychaos/harness/world"
)

// An alias leads to what the other balancer's name has, which is not its spare nodes.
func TestAnAliasDoesNotLeadToSpareNodes(t *testing.T) {
	g := NewWithT(t)
	w := world.World{Balancers: []world.Balancer{{Name: "backend", Nodes: 1}, {Name: "other", Nodes: 1, Spare: 1}}}
	topology := w.Place(address)
	after := topology.Start().With(SwitchAlias{To: "other"}.Effects(topology.Start())...)
	for _, name := range Names(topology, time.Second) {
		for _, n := range after.Nodes {
			if name.Name == dnsName("other", n.Upstream) && n.Balancer == "other" {
				inName := len(name.A) > 0 && name.A[0] == n.Addr
				g.Expect(n.Named).To(Equal(inName), "%+v", n)
			}
		}
	}
}
