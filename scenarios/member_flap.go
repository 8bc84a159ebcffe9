package scenarios

import (
	"github.com/proxychaos/proxychaos/fakealb"
	"github.com/proxychaos/proxychaos/harness"
	"github.com/proxychaos/proxychaos/harness/fault"
	"github.com/proxychaos/proxychaos/harness/judge"
	"github.com/proxychaos/proxychaos/harness/world"
)

// MemberFlap is an application server that hangs, comes back and hangs again, behind a
// balancer whose configuration has the addresses of its members (article 004).
var MemberFlap = harness.Scenario{
	Name:    "member-flap",
	Summary: "Twice, one of the members of a balancer goes silent for 5 s and serves again for 5 s.",
	World:   four,
	Timeline: []harness.Step{
		harness.Do(fault.StrikeNodes{Kind: fakealb.FaultSilence, Nodes: world.Numbers(1)}),
		harness.After("5s", fault.BringBack{Nodes: world.Struck}),
		harness.After("5s", fault.StrikeNodes{Kind: fakealb.FaultSilence, Nodes: world.Numbers(1)}),
		harness.After("5s", fault.BringBack{Nodes: world.Struck}),
	},
	Budget: harness.Budget{Recovery: true},
}

var memberFlap = expectations{
	"apache/cluster":                   passes(judge.StruckNodes),
	"nginx/cluster":                    passes(judge.StruckNodes),
	"haproxy/cluster@testing":          fails(hung, judge.StruckNodes),
	"haproxy/cluster-timeouts@testing": passes(judge.StruckNodes),
	"goproxy/members":                  passes(judge.StruckNodes),
}
