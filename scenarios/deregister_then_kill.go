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

// takesLong has every request take the application 3 s from then on.
var takesLong = fault.StrikeNodes{Kind: fakealb.FaultSlowResponse, Delay: fakealb.Duration(3 * time.Second), Nodes: world.Named}

// DeregisterThenKill is a deploy that takes a proxy out of the load balancer and ends it a
// moment later. It gets no new requests; those that it is working on are lost, whatever its config.
var DeregisterThenKill = harness.Scenario{
	Name:    "deregister-then-kill",
	Summary: "Two proxies are targets of an ALB, and every request takes the application 3 s; one proxy is taken out, and killed 1 s later.",
	World:   pair,
	Load:    harness.Load{Rate: 20, Patience: "10s"},
	Timeline: []harness.Step{
		harness.Do(takesLong),
		harness.After("5s", fault.Deregister{Proxy: 2}),
		harness.After("1s", fault.StopProxy{Proxy: 2, AtOnce: true}),
		harness.After("4s", fault.BringBack{Nodes: world.Named}),
	},
}

var deregisterThenKill = expectations{
	"apache/keepalive-65":          fails(status(recording.BadGateway), judge.StoppedInHand),
	"nginx/keepalive-75":           fails(status(recording.BadGateway), judge.StoppedInHand),
	"haproxy/keepalive-65@testing": fails(status(recording.BadGateway), judge.StoppedInHand),
}
