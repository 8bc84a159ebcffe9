package scenarios

import (
	"github.com/proxychaos/proxychaos/harness"
	"github.com/proxychaos/proxychaos/harness/fault"
	"github.com/proxychaos/proxychaos/harness/judge"
	"github.com/proxychaos/proxychaos/harness/recording"
	"github.com/proxychaos/proxychaos/harness/world"
)

// ProxyRollingReplace is what a deploy does to proxies behind a load balancer, one after the
// other. It does not wait until a proxy has finished its requests: the proxy has to do that
// before it ends.
var ProxyRollingReplace = harness.Scenario{
	Name:    "proxy-rolling-replace",
	Summary: "Two proxies are targets of an ALB, and every request takes the application 3 s; one after the other is taken out, told to end 1 s later, and started again.",
	World:   pair,
	Load:    DeregisterThenKill.Load,
	Timeline: []harness.Step{
		harness.Do(takesLong),
		harness.After("5s", fault.Deregister{Proxy: 1}),
		harness.After("1s", fault.StopProxy{Proxy: 1}),
		harness.After("4s", fault.StartProxy{Proxy: 1}),
		harness.After("1s", fault.Register{Proxy: 1}),
		harness.After("12s", fault.Deregister{Proxy: 2}),
		harness.After("1s", fault.StopProxy{Proxy: 2}),
		harness.After("4s", fault.StartProxy{Proxy: 2}),
		harness.After("1s", fault.Register{Proxy: 2}),
		harness.After("12s", fault.BringBack{Nodes: world.Named}),
	},
}

var proxyRollingReplace = expectations{
	"apache/connectiontimeout":          passes(),
	"nginx/cluster":                     passes(),
	"nginx/shutdown-timeout":            fails(status(recording.BadGateway), judge.StoppedInHand),
	"haproxy/server-timeout-60@testing": passes(),
	"haproxy/hard-stop-after@testing":   fails(status(recording.BadGateway, recording.Unavailable, recording.GatewayTimeout), judge.StoppedInHand, judge.CutShort),
	"goproxy/members":                   passes(),
}
