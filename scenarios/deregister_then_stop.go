package scenarios

import (
	"github.com/proxychaos/proxychaos/harness"
	"github.com/proxychaos/proxychaos/harness/fault"
	"github.com/proxychaos/proxychaos/harness/world"
)

// DeregisterThenStop is the same deploy in the right order: the proxy is out of the load
// balancer for longer than any request takes, and then told to end in the way of its kind.
var DeregisterThenStop = harness.Scenario{
	Name:    "deregister-then-stop",
	Summary: "Two proxies are targets of an ALB, and every request takes the application 3 s; one proxy is taken out, and told to end 5 s later.",
	World:   pair,
	Load:    DeregisterThenKill.Load,
	Timeline: []harness.Step{
		harness.Do(takesLong),
		harness.After("5s", fault.Deregister{Proxy: 2}),
		harness.After("5s", fault.StopProxy{Proxy: 2}),
		harness.After("4s", fault.BringBack{Nodes: world.Named}),
	},
}

var deregisterThenStop = expectations{
	"apache/keepalive-65":          passes(),
	"nginx/keepalive-75":           passes(),
	"haproxy/keepalive-65@testing": passes(),
	"goproxy/keepalive-75":         passes(),
}
