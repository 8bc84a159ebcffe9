package scenarios

import (
	"github.com/proxychaos/proxychaos/harness"
	"github.com/proxychaos/proxychaos/harness/fault"
	"github.com/proxychaos/proxychaos/harness/recording"
)

// ALBNodeBlink is a zone that goes away and comes back: what was held against
// its nodes must not outlive the trouble, nor come back with them.
var ALBNodeBlink = harness.Scenario{
	Name:    "alb-node-blink",
	Summary: "Half of the ALB's nodes go silent, the name keeps them, and after OUTAGE they are back.",
	Stays:   true,
	OldEnd:  fault.EndSilence,
	Timeline: []harness.Step{
		{At: harness.AtFlip, Fault: fault.EndOld{How: fault.EndSilence}},
		{At: harness.AfterOutage, Fault: fault.BringBack{}},
	},
	Budget: harness.Budget{Recovery: true},
	Proofs: []string{recording.ProofOldSilent, recording.ProofNodesBack},
}
