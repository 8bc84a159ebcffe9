package scenarios

import (
	"github.com/proxychaos/proxychaos/harness"
	"github.com/proxychaos/proxychaos/harness/judge"
)

// XFFChain is about the client that the application sees. The load balancer in front of the
// proxy says so in X-Forwarded-For; the proxy has to pass it on, and the application's own load
// balancer appends to it.
var XFFChain = harness.Scenario{
	Name:     "xff-chain",
	Summary:  "As alb-ip-rotate, and each request has to reach a node with the address of its client in X-Forwarded-For.",
	World:    ALBIPRotate.World,
	Timeline: ALBIPRotate.Timeline,
	Budget:   harness.Budget{Client: true},
}

var xffChain = expectations{
	"apache/addressttl":               passes(judge.FollowedDNS),
	"nginx/variable":                  passes(judge.FollowedDNS, judge.ConnectionPerRequest),
	"nginx/xff-remote-addr":           fails(nil, judge.ClientLost),
	"haproxy/server-template@testing": passes(judge.FollowedDNS),
	"haproxy/xff-src@testing":         fails(nil, judge.ClientLost),
	"caddy/dynamic-a@testing":         fails(nil, judge.ClientLost),
	"caddy/trusted-proxies@testing":   passes(judge.FollowedDNS),
	"goproxy/default":                 passes(judge.FollowedDNS),
}
