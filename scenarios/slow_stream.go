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

// SlowStream is an answer that goes on for long: a download over a slow line, events as they
// come. It is never silent for as long as the timeouts of a proxy; only what limits the whole
// cuts it off.
var SlowStream = harness.Scenario{
	Name:    "slow-stream",
	Summary: "For 7 s, every answer begins at once and comes in pieces for 6.3 s; clients wait for 20 s, and none may fail.",
	World:   four,
	Load:    harness.Load{Rate: 20, Patience: "20s"},
	Timeline: []harness.Step{
		harness.Do(fault.StrikeNodes{Kind: fakealb.FaultSlowBody, Delay: fakealb.Duration(6300 * time.Millisecond), Nodes: world.Named}),
		harness.After("7s", fault.BringBack{Nodes: world.Named}),
	},
}

var slowStream = expectations{
	"apache/member-timeout":          passes(),
	"nginx/cluster":                  passes(),
	"haproxy/server-timeout@testing": passes(),
	"caddy/write-timeout@testing":    fails([]string{recording.Connection}, judge.CutShort),
	"goproxy/members":                passes(),
}
