package scenarios

import (
	"github.com/proxychaos/proxychaos/fakealb"
	"github.com/proxychaos/proxychaos/harness"
	"github.com/proxychaos/proxychaos/harness/fault"
	"github.com/proxychaos/proxychaos/harness/judge"
	"github.com/proxychaos/proxychaos/harness/world"
)

// PostNotReplayed is what a retry must not do: send a POST again that a node has carried out
// and not answered. A proxy that does so loses fewer requests, and its users order twice.
var PostNotReplayed = harness.Scenario{
	Name:    "post-not-replayed",
	Summary: "All requests are POSTs; for 1.5 s half of the nodes carry requests out and then reset instead of answering.",
	World:   four,
	Load:    harness.Load{Posts: 100},
	Timeline: []harness.Step{
		harness.Do(fault.StrikeNodes{Kind: fakealb.FaultResetRequest, Nodes: world.Half}),
		harness.After("1.5s", fault.BringBack{Nodes: world.Struck}),
	},
	Budget: harness.Budget{Recovery: true},
}

var postNotReplayed = expectations{
	"nginx/static":              passes(judge.PostLost),
	"nginx/non-idempotent":      fails(nil, judge.PostTwice),
	"haproxy/retry-all@testing": fails(nil, judge.PostTwice),
	"goproxy/default":           passes(judge.PostLost),
}
