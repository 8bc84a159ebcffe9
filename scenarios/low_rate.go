package scenarios

import (
	"github.com/proxychaos/proxychaos/fakealb"
	"github.com/proxychaos/proxychaos/harness"
	"github.com/proxychaos/proxychaos/harness/fault"
	"github.com/proxychaos/proxychaos/harness/judge"
	"github.com/proxychaos/proxychaos/harness/world"
)

// LowRate is a proxy that is asked seldom: once within the TTL of the name. What a busy one
// finds out within seconds, at the cost of a few of many requests, costs this one request after
// request.
var LowRate = harness.Scenario{
	Name:    "low-rate",
	Summary: "As in alb-ip-rotate, but clients send one request a second (with a TTL of 60 s, one a minute).",
	World:   replaced,
	Load:    harness.Load{Rate: 1, After: "30s"},
	Timeline: []harness.Step{
		harness.Do(fault.ChangeDNS{To: world.Spare}),
		harness.After("grace", fault.StrikeNodes{Kind: fakealb.FaultSilence, Nodes: world.Left}),
	},
}

var lowRate = expectations{
	"apache/pooled":                   fails(hung, keptOld...),
	"apache/disablereuse":             passes(judge.ConnectionPerRequest),
	"apache/addressttl":               passes(judge.FollowedDNS),
	"nginx/static":                    fails(status("502", "504"), judge.ResolvedOnce),
	"nginx/variable":                  passes(judge.FollowedDNS),
	"haproxy/server-template@testing": passes(judge.FollowedDNS),
	"goproxy/default":                 passes(judge.FollowedDNS),
}
