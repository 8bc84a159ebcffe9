package scenarios

import (
	"github.com/proxychaos/proxychaos/fakealb"
	"github.com/proxychaos/proxychaos/harness"
	"github.com/proxychaos/proxychaos/harness/fault"
	"github.com/proxychaos/proxychaos/harness/judge"
	"github.com/proxychaos/proxychaos/harness/recording"
	"github.com/proxychaos/proxychaos/harness/world"
)

// ALBReassigned is the worst end of a released address: somebody else's load balancer gets it
// (aws-facts 1.10). No request fails by its status: users are shown another site.
var ALBReassigned = harness.Scenario{
	Name:    "alb-reassigned",
	Summary: "The ALB's name moves to new nodes; after a grace a stranger's server answers at the addresses of the old ones, with its own site and certificate.",
	World:   replaced,
	Timeline: []harness.Step{
		harness.Do(fault.ChangeDNS{To: world.Spare}),
		harness.After("grace", fault.StrikeNodes{Kind: fakealb.FaultStranger, Nodes: world.Left}),
	},
}

// strangers: users are shown the stranger's site.
var strangers = fails(status(recording.WrongBody), judge.ResolvedOnce)

// strangersOrNone: while an address changes hands it refuses connections, for longer if there are
// handshakes to end (65 ms in one run on a busy machine). nginx that meets that at both addresses
// considers them down for fail_timeout, and answers 502 instead.
var strangersOrNone = fails(status(recording.WrongBody, recording.BadGateway), judge.ResolvedOnce)

var albReassigned = expectations{
	"nginx/static":    strangers,
	"nginx/tls-once":  strangersOrNone,
	"nginx/variable":  passes(judge.FollowedDNS, judge.ConnectionPerRequest),
	"apache/pooled":   strangers,
	"goproxy/default": passes(judge.FollowedDNS),
}
