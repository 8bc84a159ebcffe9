package scenarios

import (
	"github.com/proxychaos/proxychaos/fakealb"
	"github.com/proxychaos/proxychaos/harness"
	"github.com/proxychaos/proxychaos/harness/fault"
	"github.com/proxychaos/proxychaos/harness/judge"
	"github.com/proxychaos/proxychaos/harness/recording"
	"github.com/proxychaos/proxychaos/harness/world"
)

// HTTPSBackend is a balancer with HTTPS to its members (article 004), one of whose addresses
// was given to somebody else. Encryption alone does not show that; a verified certificate does.
var HTTPSBackend = harness.Scenario{
	Name:    "https-backend",
	Summary: "A stranger's server answers over HTTPS at the address of one of the members of a balancer for 5 s, with its own site and certificate.",
	World:   four,
	Timeline: []harness.Step{
		harness.Do(fault.StrikeNodes{Kind: fakealb.FaultStranger, Nodes: world.Numbers(1)}),
		harness.After("5s", fault.BringBack{Nodes: world.Struck}),
	},
	Budget: harness.Budget{Recovery: true},
}

var httpsBackend = expectations{
	"apache/cluster-https":                   fails(status(recording.WrongBody), judge.StruckNodes),
	"nginx/cluster-https":                    fails(status(recording.WrongBody), judge.StruckNodes),
	"nginx/cluster-https-verified":           passes(judge.StruckNodes),
	"haproxy/cluster-https@testing":          fails(status(recording.WrongBody), judge.StruckNodes),
	"haproxy/cluster-https-verified@testing": passes(judge.StruckNodes),
	"goproxy/members-https":                  passes(judge.StruckNodes),
}
