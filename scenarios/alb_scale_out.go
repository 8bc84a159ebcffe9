package scenarios

import (
	"github.com/proxychaos/proxychaos/fakealb"
	"github.com/proxychaos/proxychaos/harness"
	"github.com/proxychaos/proxychaos/harness/fault"
	"github.com/proxychaos/proxychaos/harness/world"
)

// ALBScaleOut is an ALB under growing load: it adds larger nodes, both generations
// serve for a while, and then the old ones end (aws-facts 1.6).
var ALBScaleOut = harness.Scenario{
	Name:    "alb-scale-out",
	Summary: "The ALB scales out from two nodes to four, then its name keeps only the new two; after a grace the old ones go silent.",
	World:   replaced,
	Timeline: []harness.Step{
		harness.Do(fault.ChangeDNS{To: world.Numbers(1, 2, 3, 4)}),
		harness.After("grace", fault.ChangeDNS{To: world.Numbers(3, 4)}),
		harness.After("grace", fault.StrikeNodes{Kind: fakealb.FaultSilence, Nodes: world.Left}),
	},
}
