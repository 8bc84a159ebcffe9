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

// ProxyReload is the change of a configuration at noon: the proxy reloads it while users wait
// for answers. New processes take over, and the old ones should finish their requests.
var ProxyReload = harness.Scenario{
	Name:    "proxy-reload",
	Summary: "Every request takes the application 4 s; meanwhile the proxy is told to reload its configuration, and no request may fail.",
	World:   four,
	Load:    harness.Load{Rate: 20, Patience: "20s"},
	Timeline: []harness.Step{
		harness.Do(fault.StrikeNodes{Kind: fakealb.FaultSlowResponse, Delay: fakealb.Duration(4 * time.Second), Nodes: world.Named}),
		harness.After("6s", fault.ReloadProxy{}),
		harness.After("6s", fault.BringBack{Nodes: world.Named}),
	},
}

var proxyReload = expectations{
	"apache/connectiontimeout":          passes(),
	"nginx/cluster":                     passes(),
	"nginx/shutdown-timeout":            fails([]string{recording.Connection}, judge.CutByReload),
	"haproxy/server-timeout-60@testing": passes(),
	"haproxy/hard-stop-after@testing":   fails(status(recording.Connection, recording.BadGateway, recording.Unavailable, recording.GatewayTimeout), judge.CutByReload),
	"goproxy/members":                   passes(),
}
