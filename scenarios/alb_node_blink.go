package scenarios

import (
	"github.com/proxychaos/proxychaos/fakealb"
	"github.com/proxychaos/proxychaos/harness"
	"github.com/proxychaos/proxychaos/harness/fault"
	"github.com/proxychaos/proxychaos/harness/world"
)

// ALBNodeBlink is a zone that goes away and comes back: a proxy must not avoid its nodes for
// longer than they fail, nor begin to when they are back.
var ALBNodeBlink = harness.Scenario{
	Name:    "alb-node-blink",
	Summary: "Half of the ALB's nodes go silent, the name keeps them, and after OUTAGE they are back.",
	World:   four,
	Timeline: []harness.Step{
		harness.Do(fault.StrikeNodes{Kind: fakealb.FaultSilence, Nodes: world.Half}),
		harness.After("outage", fault.BringBack{Nodes: world.Struck}),
	},
	Budget: harness.Budget{Recovery: true},
}
