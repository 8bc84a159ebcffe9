package scenarios

import (
	"github.com/proxychaos/proxychaos/harness"
	"github.com/proxychaos/proxychaos/harness/fault"
	"github.com/proxychaos/proxychaos/harness/recording"
)

// ALBIPRefuse is alb-ip-rotate with old nodes that say so: what a proxy gets
// is an RST at once, not a wait. Apache 2.4.59 and later can heal from it.
var ALBIPRefuse = harness.Scenario{
	Name:    "alb-ip-refuse",
	Summary: "The ALB's name moves to new nodes; after a grace the old ones refuse: every packet is answered with RST.",
	OldEnd:  fault.EndRefuse,
	Timeline: []harness.Step{
		{At: harness.AtFlip, Fault: fault.Rotate{}},
		{At: harness.AfterGrace, Fault: fault.EndOld{How: fault.EndRefuse}},
	},
	Proofs: []string{recording.ProofNameMoved, recording.ProofOldRefuses},
}
