package scenarios

import (
	"github.com/proxychaos/proxychaos/fakealb"
	"github.com/proxychaos/proxychaos/harness"
	"github.com/proxychaos/proxychaos/harness/fault"
	"github.com/proxychaos/proxychaos/harness/world"
)

// ALBNodeSilent is a zone that has died before DNS says so: the answer still
// has its nodes, and only half of the connections reach anything.
var ALBNodeSilent = harness.Scenario{
	Name:     "alb-node-silent",
	Summary:  "Half of the ALB's nodes go silent and the name keeps them: no proxy learns it from DNS.",
	World:    four,
	Timeline: []harness.Step{harness.Do(fault.StrikeNodes{Kind: fakealb.FaultSilence, Nodes: world.Half})},
	Budget:   harness.Budget{Recovery: true},
}
