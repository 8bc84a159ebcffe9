package scenarios

import (
	"github.com/proxychaos/proxychaos/harness"
	"github.com/proxychaos/proxychaos/harness/fault"
	"github.com/proxychaos/proxychaos/harness/world"
)

// AliasSwitch is the experiment of the first article: the Route 53 alias is
// pointed at another ALB, and the proxy goes on using the old one, which lives
// but has no targets any more.
var AliasSwitch = harness.Scenario{
	Name:    "alias-switch",
	Summary: "The name moves to another ALB; the old one lives on, and after a grace has no targets: 503 from awselb/2.0.",
	World: world.World{Balancers: []world.Balancer{
		{Name: "backend", Nodes: 2, Targets: targets},
		{Name: "other", Nodes: 2, Targets: targets},
	}},
	Timeline: []harness.Step{
		harness.Do(fault.SwitchAlias{To: "other"}),
		harness.After("grace", fault.LoseTargets{Nodes: world.Left}),
	},
}
