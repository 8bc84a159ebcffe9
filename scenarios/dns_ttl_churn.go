package scenarios

import (
	"github.com/proxychaos/proxychaos/fakealb"
	"github.com/proxychaos/proxychaos/harness"
	"github.com/proxychaos/proxychaos/harness/fault"
	"github.com/proxychaos/proxychaos/harness/judge"
	"github.com/proxychaos/proxychaos/harness/recording"
	"github.com/proxychaos/proxychaos/harness/world"
)

// DNSTTLChurn is a name whose answer is another one each time that its TTL is over, as that of
// a busy ALB during a scale-out (aws-facts 1.6). A proxy that follows it once has to do so
// every time.
var DNSTTLChurn = harness.Scenario{
	Name:    "dns-ttl-churn",
	Summary: "With every TTL the ALB's name moves to two other nodes, eight times; a grace after the last move all nodes that it has left go silent.",
	World:   world.World{Balancers: []world.Balancer{{Name: "backend", Nodes: 2, Spare: 6, Targets: targets}}},
	Timeline: []harness.Step{
		harness.Do(fault.ChangeDNS{To: world.Numbers(3, 4)}),
		harness.After("ttl", fault.ChangeDNS{To: world.Numbers(5, 6)}),
		harness.After("ttl", fault.ChangeDNS{To: world.Numbers(7, 8)}),
		harness.After("ttl", fault.ChangeDNS{To: world.Numbers(1, 2)}),
		harness.After("ttl", fault.ChangeDNS{To: world.Numbers(3, 4)}),
		harness.After("ttl", fault.ChangeDNS{To: world.Numbers(5, 6)}),
		harness.After("ttl", fault.ChangeDNS{To: world.Numbers(7, 8)}),
		harness.After("ttl", fault.ChangeDNS{To: world.Numbers(3, 4)}),
		harness.After("grace", fault.StrikeNodes{Kind: fakealb.FaultSilence, Nodes: world.Left}),
	},
}

var dnsTTLChurn = expectations{
	"nginx/static":                    fails(status(recording.BadGateway), judge.ResolvedOnce),
	"nginx/variable":                  passes(judge.FollowedDNS),
	"nginx/upstream-resolve@testing":  passes(judge.FollowedDNS),
	"apache/pooled":                   fails(timeout, keptOld...),
	"apache/addressttl":               passes(judge.FollowedDNS),
	"haproxy/server-template@testing": passes(judge.FollowedDNS),
	"caddy/host-name@testing":         fails(timeout, keptOld...),
	"goproxy/default":                 passes(judge.FollowedDNS),
}
