package scenarios

import (
	"github.com/proxychaos/proxychaos/fakealb"
	"github.com/proxychaos/proxychaos/harness"
	"github.com/proxychaos/proxychaos/harness/fault"
	"github.com/proxychaos/proxychaos/harness/world"
)

// ALBPartialRotate replaces one node of two: half of what a proxy knows is still true, so
// that it notices nothing until the other half ends.
var ALBPartialRotate = harness.Scenario{
	Name:    "alb-partial-rotate",
	Summary: "One of the ALB's two addresses changes; after a grace the old one goes silent.",
	World:   world.World{Balancers: []world.Balancer{{Name: "backend", Nodes: 2, Spare: 1, Targets: targets}}},
	Timeline: []harness.Step{
		harness.Do(fault.ChangeDNS{To: world.Numbers(2, 3)}),
		harness.After("grace", fault.StrikeNodes{Kind: fakealb.FaultSilence, Nodes: world.Left}),
	},
}
