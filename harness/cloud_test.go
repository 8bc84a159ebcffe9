package harness_test

import (
	"encoding/json"
	"testing"

	. "github.com/onsi/gomega"

	"github.com/proxychaos/proxychaos/fakealb"
	"github.com/proxychaos/proxychaos/fakealb/cloud"
	"github.com/proxychaos/proxychaos/harness"
	"github.com/proxychaos/proxychaos/harness/fault"
	"github.com/proxychaos/proxychaos/harness/world"
)

// moved is a scenario in which the name moves and the old nodes go silent.
func moved() harness.Scenario {
	return harness.Scenario{
		Name: "moved", Summary: "The name moves.",
		World: world.World{Balancers: []world.Balancer{{Name: "backend", Nodes: 2, Spare: 3, Targets: 1}}},
		Timeline: []harness.Step{
			harness.Do(fault.ChangeDNS{To: world.Spare}),
			harness.After("grace", fault.StrikeNodes{Kind: fakealb.FaultSilence, Nodes: world.Left}),
		},
	}
}

// With another cloud a name has one address, and the scenario says what it means that
// this one changes.
func TestAddressesOfClouds(t *testing.T) {
	for _, fact := range []string{"gcp.1", "gcp-classic.5", "gcp-internal.2", "azure.1"} {
		t.Attr("cloud-fact", fact)
	}
	for name, says := range map[cloud.Name]string{
		"gcp":          "Google Cloud global external Application Load Balancer is in the ALB's place: without targets it answers 503. Its address is anycast",
		"gcp-classic":  "Google Cloud classic Application Load Balancer is in the ALB's place: without targets it answers 502. Its address is anycast",
		"gcp-internal": "Google Cloud internal Application Load Balancer is in the ALB's place: without targets it answers 503. It has one internal address",
		"azure":        "Azure Application Gateway v2 is in the ALB's place: without targets it answers 502 from Microsoft-Azure-Application-Gateway/v2. Its address is static",
	} {
		g := NewWithT(t)
		plain := moved()
		there, err := plain.OnCloud(name)
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(there.Check()).To(Succeed())
		g.Expect(there.World).To(Equal(world.World{Cloud: string(name), Balancers: []world.Balancer{{Name: "backend", Nodes: 1, Spare: 1, Targets: 1}}}))
		g.Expect(there.Summary).To(And(HavePrefix("The name moves. Here the "), ContainSubstring(says)))
		g.Expect(plain).To(Equal(moved()), "the scenario itself stays as it is")
		text, err := json.Marshal(there)
		g.Expect(err).NotTo(HaveOccurred())
		var read harness.Scenario
		g.Expect(json.Unmarshal(text, &read)).To(Succeed())
		g.Expect(read).To(Equal(there))
	}
}

func TestOnCloud(t *testing.T) {
	g := NewWithT(t)
	same, err := moved().OnCloud("aws")
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(same).To(Equal(moved()))

	_, err = moved().OnCloud("azur")
	g.Expect(err).To(MatchError(`CLOUD=azur: there is no such cloud: did you mean "azure"?`))

	part := moved()
	part.Timeline[0] = harness.Do(fault.ChangeDNS{To: world.Numbers(2, 3)})
	_, err = part.OnCloud("gcp")
	g.Expect(err).To(MatchError(ContainSubstring("CLOUD=gcp: moved is about a part of a load balancer's addresses, and the Google Cloud global external Application Load Balancer has one")))

	front := moved()
	front.World.Front = &world.Front{Nodes: 1}
	_, err = front.OnCloud("azure")
	g.Expect(err).To(MatchError(ContainSubstring("CLOUD=azure: moved has a load balancer in front of the proxy, which is one of AWS")))

	wrong := moved()
	wrong.World.Cloud = "gpc"
	g.Expect(wrong.Check()).To(MatchError(`scenario moved: got the cloud "gpc": did you mean "gcp"?`))
}
