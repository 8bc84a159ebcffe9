package scenarios

import (
	"github.com/proxychaos/proxychaos/fakealb"
	"github.com/proxychaos/proxychaos/harness"
	"github.com/proxychaos/proxychaos/harness/fault"
	"github.com/proxychaos/proxychaos/harness/world"
)

// ALBIPRotate is the outage this project began from: days after a deploy the
// ALB scales, and the proxy goes on sending to addresses that are gone.
var ALBIPRotate = harness.Scenario{
	Name:    "alb-ip-rotate",
	Summary: "The ALB's name moves to new nodes; after a grace the old ones go silent: new and established packets are dropped.",
	World:   replaced,
	Timeline: []harness.Step{
		harness.Do(fault.ChangeDNS{To: world.Spare}),
		harness.After("grace", fault.StrikeNodes{Kind: fakealb.FaultSilence, Nodes: world.Left}),
	},
}
