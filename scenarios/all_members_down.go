package scenarios

import (
	"github.com/proxychaos/proxychaos/fakealb"
	"github.com/proxychaos/proxychaos/harness"
	"github.com/proxychaos/proxychaos/harness/fault"
	"github.com/proxychaos/proxychaos/harness/judge"
	"github.com/proxychaos/proxychaos/harness/recording"
	"github.com/proxychaos/proxychaos/harness/world"
)

// AllMembersDown is a deploy that restarts every application server at once. What fails
// meanwhile nobody can save; what fails afterwards is the proxy's own doing, because it still
// considers the members down.
var AllMembersDown = harness.Scenario{
	Name:    "all-members-down",
	Summary: "Every member of a balancer refuses for 5 s, then all serve again.",
	World:   four,
	Timeline: []harness.Step{
		harness.Do(fault.StrikeNodes{Kind: fakealb.FaultRefuse, Nodes: world.Named}),
		harness.After("5s", fault.BringBack{Nodes: world.Struck}),
	},
	Budget: harness.Budget{Recovery: true},
}

var allMembersDown = expectations{
	"apache/cluster":          passes(judge.StruckNodes), // if all are in error it tries them all the same
	"nginx/cluster":           fails(status(recording.BadGateway), judge.HeldDown),
	"nginx/cluster-max-fails": passes(judge.StruckNodes),
	// Whether its checks, every 2 s, have taken all members out by then is chance.
	"haproxy/cluster@testing": passesOrFails(status(recording.Unavailable), judge.StruckNodes, judge.HeldDown),
}
