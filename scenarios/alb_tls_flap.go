package scenarios

import (
	"time"

	"github.com/proxychaos/proxychaos/fakealb"
	"github.com/proxychaos/proxychaos/harness"
	"github.com/proxychaos/proxychaos/harness/fault"
	"github.com/proxychaos/proxychaos/harness/judge"
	"github.com/proxychaos/proxychaos/harness/recording"
	"github.com/proxychaos/proxychaos/harness/world"
)

// ALBTLSFlap is article 001: two proxies are the TLS targets of an ALB, and have fewer workers
// than requests take at a time, since the application answers late. The ALB's health checks
// need a worker too, and get none.
var ALBTLSFlap = harness.Scenario{
	Name:    "alb-tls-flap",
	Summary: "Two proxies are the TLS targets of an ALB; for 40 s the application behind them takes 0.25 s for each request.",
	World:   watchedPair,
	// A client waits longer than an ALB does for a connection and a handshake, 10 s each
	// (aws-facts 3.1.3), so that it gets what the ALB answers then.
	Load: harness.Load{Patience: "21s"},
	Timeline: []harness.Step{
		harness.Do(fault.StrikeNodes{Kind: fakealb.FaultSlowResponse, Delay: fakealb.Duration(250 * time.Millisecond), Nodes: world.Named}),
		harness.After("40s", fault.BringBack{Nodes: world.Named}),
	},
}

var albTLSFlap = expectations{
	"apache/prefork-few":                fails(status(recording.GatewayTimeout), judge.TargetFlap),
	"apache/prefork-keepalive-requests": fails(status(recording.GatewayTimeout), judge.TargetFlap),
	"apache/prefork-many":               passes(),
}
