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

// LongRequest is the monthly report: nothing is wrong with it, and it takes its time. What a
// configuration does against slow servers cuts it off.
var LongRequest = harness.Scenario{
	Name:    "long-request",
	Summary: "For 7 s, every request takes the application 6 s; clients wait for 20 s, and none may fail.",
	World:   four,
	Load:    harness.Load{Rate: 20, Patience: "20s"},
	Timeline: []harness.Step{
		harness.Do(fault.StrikeNodes{Kind: fakealb.FaultSlowResponse, Delay: fakealb.Duration(6 * time.Second), Nodes: world.Named}),
		harness.After("7s", fault.BringBack{Nodes: world.Named}),
	},
}

var longRequest = expectations{
	"apache/member-timeout":             fails(status(recording.BadGateway, recording.GatewayTimeout), judge.CutShort),
	"apache/connectiontimeout":          passes(),
	"nginx/cluster":                     passes(),
	"nginx/cluster-read-timeout":        fails(status(recording.BadGateway, recording.GatewayTimeout), judge.CutShort),
	"haproxy/server-timeout@testing":    fails(status(recording.GatewayTimeout), judge.CutShort),
	"haproxy/server-timeout-60@testing": passes(),
	"haproxy/cluster-retry@testing":     fails(status(recording.GatewayTimeout), judge.CutShort),
	"haproxy/cluster-timeouts@testing":  fails(status(recording.Unavailable), judge.CutShort),
	"caddy/write-timeout@testing":       fails([]string{recording.Connection}, judge.CutShort),
	"goproxy/members":                   passes(),
}
