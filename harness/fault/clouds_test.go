package fault

import (
	"testing"

	. "github.com/onsi/gomega"

	"github.com/proxychaos/proxychaos/fakealb"
	"github.com/proxychaos/proxychaos/fakealb/cloud"
	"github.com/proxychaos/proxychaos/harness/world"
)

// What is said of a fault is true of every cloud's load balancer: only one of them is an ALB.
func TestNamesOfFaultsAreOfNoCloud(t *testing.T) {
	g := NewWithT(t)
	for want, f := range map[string]Fault{
		"alias moves to another load balancer":          SwitchAlias{To: "other"},
		"old load balancer loses its targets":           LoseTargets{Nodes: world.Left},
		"the load balancer of node 1 loses its targets": LoseTargets{Nodes: world.Numbers(1)},
	} {
		g.Expect(f.Name()).To(Equal(want))
	}
}

// A load balancer without targets is known by its own answer, which is another one on every
// cloud, and by no other cloud's.
func TestProofOfNoTargetsOnEveryCloud(t *testing.T) {
	for _, c := range []struct {
		of           cloud.Name
		status       int
		server       string
		wrong        int
		wrongServers []string
	}{
		{"aws", 503, "awselb/2.0", 502, []string{"", "nginx"}},
		{"gcp", 503, "", 502, []string{"awselb/2.0", "Microsoft-Azure-Application-Gateway/v2"}},
		{"gcp-classic", 502, "", 503, []string{"awselb/2.0", "Microsoft-Azure-Application-Gateway/v2"}},
		{"gcp-internal", 503, "", 502, []string{"awselb/2.0", "Microsoft-Azure-Application-Gateway/v2"}},
		{"azure", 502, "Microsoft-Azure-Application-Gateway/v2", 503, []string{"", "awselb/2.0"}},
	} {
		for _, f := range []Fault{LoseTargets{Nodes: world.Left}, StrikeNodes{Kind: fakealb.FaultLinger, Nodes: world.Left}} {
			g := NewWithT(t)
			proved := func(status int, server string) bool {
				w := moved(&prober{answer: Answer{Result: Answered, Status: status, Server: server}})
				w.Topology.Cloud = string(c.of)
				proofs := f.Prove(t.Context(), w)
				g.Expect(proofs).To(HaveLen(2))
				return proofs[0].OK && proofs[1].OK
			}
			g.Expect(proved(c.status, c.server)).To(BeTrue(), "%s, %s", c.of, f.Name())
			g.Expect(proved(c.wrong, c.server)).To(BeFalse(), "%s, %s", c.of, f.Name())
			for _, server := range c.wrongServers {
				g.Expect(proved(c.status, server)).To(BeFalse(), "%s, %s, %q", c.of, f.Name(), server)
			}
		}
	}
}
