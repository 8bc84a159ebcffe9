package scenarios

import (
	"github.com/proxychaos/proxychaos/fakealb"
	"github.com/proxychaos/proxychaos/harness"
	"github.com/proxychaos/proxychaos/harness/fault"
	"github.com/proxychaos/proxychaos/harness/judge"
	"github.com/proxychaos/proxychaos/harness/recording"
	"github.com/proxychaos/proxychaos/harness/world"
)

// ALBSlowDrain is an ALB that scales in at leisure: its old nodes are out of DNS for long
// before anything changes, and end in two steps. A pool sees nothing of the first, and meets
// the second with all its connections.
var ALBSlowDrain = harness.Scenario{
	Name:    "alb-slow-drain",
	Summary: "The ALB's name moves to new nodes; after three graces the old ones refuse new connections, and one grace later they go silent.",
	World:   replaced,
	Timeline: []harness.Step{
		harness.Do(fault.ChangeDNS{To: world.Spare}),
		harness.After("3 grace", fault.StrikeNodes{Kind: fakealb.FaultRefuseNew, Nodes: world.Left}),
		harness.After("grace", fault.StrikeNodes{Kind: fakealb.FaultSilence, Nodes: world.Left}),
	},
}

var albSlowDrain = expectations{
	"nginx/static":            fails(status(recording.BadGateway), judge.ResolvedOnce),
	"nginx/variable":          passes(judge.FollowedDNS),
	"apache/pooled":           fails(timeout, keptOld...),
	"apache/addressttl":       passes(judge.FollowedDNS),
	"caddy/host-name@testing": fails(timeout, keptOld...),
	"goproxy/default":         passes(judge.FollowedDNS),
}
