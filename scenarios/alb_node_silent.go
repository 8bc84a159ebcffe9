package scenarios

import (
	"github.com/proxychaos/proxychaos/harness"
	"github.com/proxychaos/proxychaos/harness/fault"
	"github.com/proxychaos/proxychaos/harness/recording"
)

// ALBNodeSilent is a zone that has died before DNS says so: the answer still
// has its nodes, and only half of the connections reach anything.
var ALBNodeSilent = harness.Scenario{
	Name:     "alb-node-silent",
	Summary:  "Half of the ALB's nodes go silent and the name keeps them: no proxy learns it from DNS.",
	Stays:    true,
	OldEnd:   fault.EndSilence,
	Timeline: []harness.Step{{At: harness.AtFlip, Fault: fault.EndOld{How: fault.EndSilence}}},
	Budget:   harness.Budget{Recovery: true},
	Proofs:   []string{recording.ProofOldSilent},
}
