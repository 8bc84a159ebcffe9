package scenarios

import (
	"github.com/proxychaos/proxychaos/harness"
	"github.com/proxychaos/proxychaos/harness/judge"
)

// QueryStringKept is the price of the fix for the first of these outages: with a variable in
// proxy_pass nginx sends what is written there, and no longer the path and query that came.
var QueryStringKept = harness.Scenario{
	Name:     "query-string-kept",
	Summary:  "As alb-ip-rotate, and each request has to reach a node with the query string that its client sent.",
	World:    ALBIPRotate.World,
	Timeline: ALBIPRotate.Timeline,
	Budget:   harness.Budget{Query: true},
}

var queryStringKept = expectations{
	"nginx/variable":         passes(judge.FollowedDNS, judge.ConnectionPerRequest),
	"nginx/variable-and-uri": fails(nil, judge.QueryLost),
	"goproxy/default":        passes(judge.FollowedDNS),
}
