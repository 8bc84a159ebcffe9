package scenarios

import (
	"github.com/proxychaos/proxychaos/harness"
	"github.com/proxychaos/proxychaos/harness/judge"
	"github.com/proxychaos/proxychaos/harness/recording"
)

// UpstreamReuse is what a form of the directive costs (article 003): a connection to the
// load balancer for each request, with a handshake and a port each, or none. No status shows it.
var UpstreamReuse = harness.Scenario{
	Name:     "upstream-reuse",
	Summary:  "As alb-ip-refuse, for paths of several lengths without a query, and ten requests may open at most one connection to the nodes.",
	World:    ALBIPRefuse.World,
	Load:     harness.Load{Paths: []string{"/", "/t", "/ab", "/app/users/1234"}, Bare: true},
	Timeline: ALBIPRefuse.Timeline,
	Budget:   harness.Budget{Connections: 0.1},
}

var upstreamReuse = expectations{
	"apache/pooled":                  {Verdict: judge.Either, Outcomes: status(recording.BadGateway), Most: raced, Findings: keptOld},
	"apache/match":                   fails(nil, judge.OpensConnections),
	"apache/match-reuse":             fails(nil, judge.OpensConnections),
	"apache/disablereuse":            fails(nil, judge.OpensConnections),
	"apache/addressttl":              passes(judge.FollowedDNS),
	"nginx/variable":                 fails(nil, judge.OpensConnections),
	"nginx/upstream-resolve@testing": passes(judge.FollowedDNS),
	"goproxy/default":                passes(judge.FollowedDNS),
}
