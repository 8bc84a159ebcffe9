package scenarios

import (
	"time"

	"github.com/proxychaos/proxychaos/fakealb"
	"github.com/proxychaos/proxychaos/harness"
	"github.com/proxychaos/proxychaos/harness/fault"
	"github.com/proxychaos/proxychaos/harness/judge"
	"github.com/proxychaos/proxychaos/harness/world"
)

// SlowNode is an application server that is up and slow: it answers every request, 2 s late.
// No health check fails and no status shows it.
var SlowNode = harness.Scenario{
	Name:    "slow-node",
	Summary: "One of the members of a balancer answers each request 2 s late for 5 s; no answer may take longer than 1 s.",
	World:   four,
	Timeline: []harness.Step{
		harness.Do(fault.StrikeNodes{Kind: fakealb.FaultSlowResponse, Delay: fakealb.Duration(2 * time.Second), Nodes: world.Numbers(1)}),
		harness.After("5s", fault.BringBack{Nodes: world.Numbers(1)}),
	},
	Budget: harness.Budget{Within: "1s"},
}

var slowNode = expectations{
	"apache/cluster":                fails(nil, judge.SlowAnswers),
	"nginx/cluster":                 fails(nil, judge.SlowAnswers),
	"nginx/cluster-read-timeout":    passes(),
	"haproxy/cluster@testing":       fails(nil, judge.SlowAnswers),
	"haproxy/cluster-retry@testing": passes(),
	"goproxy/members":               passes(),
}
