package scenarios

import (
	"github.com/proxychaos/proxychaos/harness"
	"github.com/proxychaos/proxychaos/harness/fault"
	"github.com/proxychaos/proxychaos/harness/recording"
)

// ALBIPRotate is the outage this project began from: days after a deploy the
// ALB scales, and the proxy goes on sending to addresses that are gone.
var ALBIPRotate = harness.Scenario{
	Name:    "alb-ip-rotate",
	Summary: "The ALB's name moves to new nodes; after a grace the old ones go silent: new and established packets are dropped.",
	OldEnd:  fault.EndSilence,
	Timeline: []harness.Step{
		{At: harness.AtFlip, Fault: fault.Rotate{}},
		{At: harness.AfterGrace, Fault: fault.EndOld{How: fault.EndSilence}},
	},
	Proofs: []string{recording.ProofNameMoved, recording.ProofOldSilent},
}
