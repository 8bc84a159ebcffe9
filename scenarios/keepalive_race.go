package scenarios

import (
	"github.com/proxychaos/proxychaos/fakealb"
	"github.com/proxychaos/proxychaos/harness"
	"github.com/proxychaos/proxychaos/harness/fault"
	"github.com/proxychaos/proxychaos/harness/world"
)

// KeepAliveRace is the stray 502 of a proxy that closes idle connections sooner than the ALB in
// front of it, which keeps them for 60 s (aws-facts 2.1.1, 3.1.2): now and then a request is on
// its way as the connection ends. Here each request on a connection that the proxy has closed
// meets its end like that, and the load pauses for almost as long as the ALB keeps connections.
var KeepAliveRace = harness.Scenario{
	Name:     "keepalive-race",
	Summary:  "An ALB in front of the proxy keeps idle connections to it for 60 s, and learns too late that the proxy has closed one; no request comes for 58 s.",
	World:    inFront,
	Load:     harness.Load{Quiet: "58s"},
	Timeline: []harness.Step{harness.Do(fault.StrikeNodes{Kind: fakealb.FaultTargetKeepAliveRace, Nodes: world.Fronts})},
}
