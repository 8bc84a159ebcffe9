package scenarios

import (
	"github.com/proxychaos/proxychaos/fakealb"
	"github.com/proxychaos/proxychaos/harness"
	"github.com/proxychaos/proxychaos/harness/fault"
	"github.com/proxychaos/proxychaos/harness/judge"
	"github.com/proxychaos/proxychaos/harness/world"
)

// Weights is a balancer whose members are not of one size (article 004, loadfactor). Does each
// get its share, and the same again after it was away?
var Weights = harness.Scenario{
	Name:    "weights",
	Summary: "Members of weights 10, 10 and 5; one of them refuses for 5 s, serves again, and is to get its share again.",
	World:   four,
	Timeline: []harness.Step{
		harness.Do(fault.StrikeNodes{Kind: fakealb.FaultRefuse, Nodes: world.Numbers(1)}),
		harness.After("5s", fault.BringBack{Nodes: world.Struck}),
	},
	Budget: harness.Budget{Recovery: true, Shares: []float64{0.4, 0.4, 0.2}},
}

var weights = expectations{
	"apache/weights":             fails(nil, judge.UnevenShares),
	"apache/weights-retry":       passes(judge.StruckNodes),
	"apache/weights-bytraffic":   fails(nil, judge.UnevenShares),
	"nginx/weights":              fails(nil, judge.UnevenShares),
	"nginx/weights-fail-timeout": passes(judge.StruckNodes),
	"haproxy/weights@testing":    passes(judge.StruckNodes),
	"goproxy/weights":            passes(judge.StruckNodes),
}
