package scenarios_test

import (
	"slices"
	"testing"

	. "github.com/onsi/gomega"

	"github.com/proxychaos/proxychaos/fakealb/cloud"
	"github.com/proxychaos/proxychaos/harness"
	"github.com/proxychaos/proxychaos/harness/judge"
	"github.com/proxychaos/proxychaos/harness/recording"
	"github.com/proxychaos/proxychaos/harness/world"
	"github.com/proxychaos/proxychaos/reports"
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

// Each scenario is run on a cloud whose load balancers keep one address, or refused with the reason:
// one about a part of the addresses has nothing to be about, and a load balancer in front is AWS's.
func TestEveryScenarioOnACloudWithOneAddress(t *testing.T) {
	part := []string{
		"alb-scale-out", "alb-partial-rotate", "zone-flap", "alb-node-silent", "alb-node-blink", "ipv6-appears", "dns-ttl-churn", "post-not-replayed",
		"member-flap", "sticky-node-drop", "websocket-node-drop", "weights", "failonstatus", "slow-node", "https-backend", "sni-missing",
		"tls-alert", "tls-hang", "tls-reset", "tls-wrong-name", "tls-expired", "tls-self-signed", "tls-wrong-chain", "tls-root-expired",
	}
	front := []string{"keepalive-race", "nlb-silent-idle", "deregister-then-kill", "deregister-then-stop", "proxy-rolling-replace", "alb-tls-flap"}
	for _, of := range []cloud.Name{"gcp", "gcp-classic", "gcp-internal", "azure"} {
		ran := 0
		for _, s := range scenarios.All {
			g := NewWithT(t)
			there, err := s.OnCloud(of)
			switch {
			case slices.Contains(part, s.Name):
				g.Expect(err).To(MatchError(And(HavePrefix("CLOUD="+string(of)+": "+s.Name+" is about a part of a load balancer's addresses"), HaveSuffix("has one: give CLOUD=aws, or another scenario"))))
			case slices.Contains(front, s.Name):
				g.Expect(err).To(MatchError("CLOUD=" + string(of) + ": " + s.Name + " has a load balancer in front of the proxy, which is one of AWS: give CLOUD=aws, or another scenario"))
			default:
				ran++
				g.Expect(err).NotTo(HaveOccurred(), s.Name)
				g.Expect(there.Check()).To(Succeed(), s.Name)
				g.Expect(there.Summary).To(ContainSubstring("is in the ALB's place"), s.Name)
				for _, b := range there.World.Balancers {
					g.Expect([]int{b.Nodes, b.Spare, b.SpareIPv6}).To(HaveEach(BeNumerically("<=", 1)), s.Name)
				}
			}
		}
		NewWithT(t).Expect(ran+len(part)+len(front)).To(Equal(len(scenarios.All)), "no name stands here that is none")
	}
}

// What is made of many runs is of one cloud, and a baseline of AWS.
func TestCloudsAreNotMixed(t *testing.T) {
	g := NewWithT(t)
	on := func(of string) reports.Cell {
		m := recording.Manifest{Scenario: "alb-ip-rotate"}
		m.World.Cloud = of
		return reports.Cell{Manifest: m}
	}
	for _, cells := range [][]reports.Cell{nil, {on("")}, {on(""), on("")}} {
		g.Expect(scenarios.OfOneCloud(cells)).To(BeEmpty())
		g.Expect(scenarios.OfAWS(cells)).To(Succeed())
	}
	azure := []reports.Cell{on("azure"), on("azure")}
	g.Expect(scenarios.OfOneCloud(azure)).To(BeEquivalentTo("azure"))
	g.Expect(scenarios.OfAWS(azure)).To(MatchError("alb-ip-rotate ran with CLOUD=azure: want runs with AWS's load balancers"))
	for _, cells := range [][]reports.Cell{{on(""), on("gcp")}, {on("gcp"), on("")}} {
		_, err := scenarios.OfOneCloud(cells)
		g.Expect(err).To(MatchError(And(ContainSubstring("CLOUD=aws"), ContainSubstring("CLOUD=gcp"), ContainSubstring("want runs with one cloud's"))))
		g.Expect(scenarios.OfAWS(cells)).To(MatchError(err))
	}
}

// A cell that was not run is stored with its cloud, and read back with it.
func TestAStoredCellKeepsItsCloud(t *testing.T) {
	g := NewWithT(t)
	dir := t.TempDir()
	m := recording.Manifest{Scenario: "alb-ip-rotate", Subject: recording.Subject{ID: "nginx/static", Kind: "nginx"}}
	m.World.Cloud = "azure"
	suite := reports.Suite{Cells: []reports.Cell{{Manifest: m, NotRun: "image not available"}}}
	_, err := scenarios.Write(dir, scenarios.Files(suite)...)
	g.Expect(err).NotTo(HaveOccurred())
	cells, err := scenarios.Stored(dir)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(scenarios.OfOneCloud(cells)).To(BeEquivalentTo("azure"))
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
	g.Expect(expect("alias-switch", "gcp").Outcomes).To(ConsistOf("503"))
	g.Expect(expect("alias-switch", "gcp-classic").Outcomes).To(ConsistOf("503", "502"))
	g.Expect(expect("alias-switch", "gcp-internal").Outcomes).To(ConsistOf("503"))
	pooled := recording.Manifest{Scenario: "alb-ip-abrupt", Subject: recording.Subject{ID: "apache/pooled"}}
	g.Expect(scenarios.Expectation(pooled).Verdict).To(Equal(judge.Fail))
	pooled.World.Cloud = "gcp"
	g.Expect(scenarios.Expectation(pooled).Verdict).To(Equal(judge.Either), "with one address it heals in time")
	pooled.Subject.ID = "apache/pooled@2.4.58"
	g.Expect(scenarios.Expectation(pooled).Verdict).To(Equal(judge.Fail), "it never asks again")
	g.Expect(expect("alb-ip-rotate", "").Log).NotTo(BeEmpty())
	g.Expect(expect("alb-ip-rotate", "gcp").Log).To(BeEmpty())
}
