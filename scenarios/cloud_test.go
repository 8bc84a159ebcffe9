package scenarios_test

import (
	"testing"

	. "github.com/onsi/gomega"

	"github.com/proxychaos/proxychaos/fakealb/cloud"
	"github.com/proxychaos/proxychaos/harness"
	"github.com/proxychaos/proxychaos/harness/judge"
	"github.com/proxychaos/proxychaos/harness/recording"
	"github.com/proxychaos/proxychaos/harness/world"
	"github.com/proxychaos/proxychaos/scenarios"
)

// The four main scenarios can be run with the load balancers of every cloud.
func TestMainScenariosOnEveryCloud(t *testing.T) {
	for _, name := range cloud.Names() {
		for _, s := range []harness.Scenario{scenarios.ALBIPRotate, scenarios.AliasSwitch, scenarios.ALBIPRefuse, scenarios.ALBIPAbrupt} {
			g := NewWithT(t)
			r, err := from(map[string]string{"NAME": s.Name, "CLOUD": string(name)})
			g.Expect(err).NotTo(HaveOccurred(), "%s on %s", s.Name, name)
			want := string(name)
			if name == cloud.AWS {
				want = ""
			}
			g.Expect(r.Scenarios).To(HaveLen(1))
			g.Expect(r.Scenarios[0].World.Cloud).To(Equal(want))
			g.Expect(r.Cells(r.Scenarios[0])).NotTo(BeEmpty())
		}
	}
}

// A scenario about what a cloud has not is refused if it was named, and left out if not.
func TestScenariosThatACloudCannotHave(t *testing.T) {
	g := NewWithT(t)
	for _, name := range []string{"zone-flap", "alb-node-silent", "keepalive-race"} {
		_, err := from(map[string]string{"NAME": name, "CLOUD": "azure"})
		g.Expect(err).To(MatchError(ContainSubstring("CLOUD=azure: "+name)), name)
	}
	r, err := from(map[string]string{"CLOUD": "azure"})
	g.Expect(err).NotTo(HaveOccurred())
	var names []string
	for _, s := range r.Scenarios {
		names = append(names, s.Name)
		g.Expect(s.World.Cloud).To(Equal("azure"))
	}
	g.Expect(names).To(And(ContainElements("alb-ip-rotate", "alb-ip-refuse", "alias-switch", "alb-ip-abrupt", "dns-servfail"), Not(ContainElements("zone-flap"))))
	_, err = from(map[string]string{"CLOUD": "azure", "BASELINE": "built-in"})
	g.Expect(err).To(MatchError(ContainSubstring("CLOUD=azure: earlier nights were with AWS's load balancers")))
	_, err = from(map[string]string{"CLOUD": "azrue"})
	g.Expect(err).To(MatchError(ContainSubstring(`did you mean "azure"?`)))
}

// What a load balancer without targets answers is expected with its own status.
func TestExpectationsOnAnotherCloud(t *testing.T) {
	g := NewWithT(t)
	expect := func(scenario, of string) *judge.Expectation {
		m := recording.Manifest{Scenario: scenario, Subject: recording.Subject{ID: "nginx/static"}}
		m.World = world.Topology{World: world.World{Cloud: of}}
		return scenarios.Expectation(m)
	}
	g.Expect(expect("alias-switch", "").Outcomes).To(ConsistOf("503"))
	g.Expect(expect("alias-switch", "azure").Outcomes).To(ConsistOf("503", "502"))
	g.Expect(expect("alias-switch", "gcp-internal").Outcomes).To(ConsistOf("503"))
	g.Expect(expect("alb-ip-rotate", "").Log).NotTo(BeEmpty())
	g.Expect(expect("alb-ip-rotate", "gcp").Log).To(BeEmpty())
}
