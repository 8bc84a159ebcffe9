package scenarios

import (
	"github.com/proxychaos/proxychaos/fakealb"
	"github.com/proxychaos/proxychaos/harness"
	"github.com/proxychaos/proxychaos/harness/fault"
	"github.com/proxychaos/proxychaos/harness/world"
)

// ALBIPRefuse is alb-ip-rotate with old nodes that refuse: a proxy gets an RST at once and need
// not wait. Apache 2.4.59 and later can heal from it.
var ALBIPRefuse = harness.Scenario{
	Name:    "alb-ip-refuse",
	Summary: "The ALB's name moves to new nodes; after a grace the old ones refuse: every packet is answered with RST.",
	World:   replaced,
	Timeline: []harness.Step{
		harness.Do(fault.ChangeDNS{To: world.Spare}),
		harness.After("grace", fault.StrikeNodes{Kind: fakealb.FaultRefuse, Nodes: world.Left}),
	},
}
