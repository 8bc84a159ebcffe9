package scenarios

import (
	"github.com/proxychaos/proxychaos/harness"
	"github.com/proxychaos/proxychaos/harness/fault"
	"github.com/proxychaos/proxychaos/harness/recording"
)

// ALBIPAbrupt leaves no grace: what a proxy cannot know it may lose, for as
// long as TTL, its own refresh and one second allow.
var ALBIPAbrupt = harness.Scenario{
	Name:    "alb-ip-abrupt",
	Summary: "The ALB's name moves to new nodes and the old ones go silent in the same instant.",
	OldEnd:  fault.EndSilence,
	Timeline: []harness.Step{
		{At: harness.AtFlip, Fault: fault.Rotate{}},
		{At: harness.AtFlip, Fault: fault.EndOld{How: fault.EndSilence}},
	},
	Budget: harness.Budget{Recovery: true},
	Proofs: []string{recording.ProofNameMoved, recording.ProofOldSilent},
}
