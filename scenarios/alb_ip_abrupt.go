package scenarios

import (
	"github.com/proxychaos/proxychaos/fakealb"
	"github.com/proxychaos/proxychaos/harness"
	"github.com/proxychaos/proxychaos/harness/fault"
	"github.com/proxychaos/proxychaos/harness/world"
)

// ALBIPAbrupt leaves no grace: what a proxy cannot know it may lose, for as
// long as TTL, its own refresh and one second allow.
var ALBIPAbrupt = harness.Scenario{
	Name:    "alb-ip-abrupt",
	Summary: "The ALB's name moves to new nodes and the old ones go silent in the same instant.",
	World:   replaced,
	Timeline: []harness.Step{
		harness.Do(fault.ChangeDNS{To: world.Spare}, fault.StrikeNodes{Kind: fakealb.FaultSilence, Nodes: world.Left}),
	},
	Budget: harness.Budget{Recovery: true},
}
