package scenarios

import (
	"github.com/proxychaos/proxychaos/fakealb"
	"github.com/proxychaos/proxychaos/harness"
	"github.com/proxychaos/proxychaos/harness/fault"
	"github.com/proxychaos/proxychaos/harness/judge"
	"github.com/proxychaos/proxychaos/harness/recording"
	"github.com/proxychaos/proxychaos/harness/world"
)

// ALBHalfOpen is an old node that drains: it ends no connection and takes no new one. A proxy
// with a pool loses nothing and notices nothing; only its stale requests show it.
var ALBHalfOpen = harness.Scenario{
	Name:    "alb-half-open",
	Summary: "The ALB's name moves to new nodes; after a grace the old ones refuse new connections, and keep those that are open.",
	World:   replaced,
	Timeline: []harness.Step{
		harness.Do(fault.ChangeDNS{To: world.Spare}),
		harness.After("grace", fault.StrikeNodes{Kind: fakealb.FaultRefuseNew, Nodes: world.Left}),
	},
}

var albHalfOpen = expectations{
	"nginx/static":            fails(status(recording.BadGateway), judge.ResolvedOnce),
	"apache/pooled":           passes(keptOld...),
	"caddy/host-name@testing": passes(keptOld...),
	"goproxy/default":         passes(judge.FollowedDNS),
}
