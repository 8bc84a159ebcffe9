package scenarios

import (
	"github.com/proxychaos/proxychaos/fakealb"
	"github.com/proxychaos/proxychaos/harness"
	"github.com/proxychaos/proxychaos/harness/fault"
	"github.com/proxychaos/proxychaos/harness/judge"
	"github.com/proxychaos/proxychaos/harness/recording"
	"github.com/proxychaos/proxychaos/harness/world"
)

// IPv6Appears is an ALB that becomes dual-stack: its name gets AAAA records beside its A
// records (aws-facts 1.14). IPv6 works at first, and then no packet of it arrives any more, as
// after a change of a route or of a network ACL that forgot it. Nothing happens to IPv4.
var IPv6Appears = harness.Scenario{
	Name:    "ipv6-appears",
	Summary: "The ALB's name gets two IPv6 addresses beside its two IPv4 ones; after a grace those with IPv6 go silent, and DNS keeps them.",
	World:   world.World{Balancers: []world.Balancer{{Name: "backend", Nodes: 2, SpareIPv6: 2, Targets: targets}}},
	Timeline: []harness.Step{
		harness.Do(fault.ChangeDNS{To: world.Numbers(1, 2, 3, 4)}),
		harness.After("grace", fault.StrikeNodes{Kind: fakealb.FaultSilence, Nodes: world.Numbers(3, 4)}),
	},
}

var ipv6Appears = expectations{
	// The C library has IPv6 addresses first, and two dead ones are more than a client waits for.
	"apache/disablereuse": fails(timeout, judge.StruckNodes),
	// All four addresses in turn, and none is remembered to be dead.
	"nginx/variable": fails(timeout, judge.StruckNodes),
	"nginx/ipv6-off": passes(judge.StruckNodes),
	// IPv6 is preferred unless resolve-prefer says otherwise, as long as DNS has it.
	"haproxy/one-server@testing":  fails([]string{recording.Timeout, recording.Unavailable}, judge.StruckNodes),
	"haproxy/prefer-ipv4@testing": passes(judge.StruckNodes),
	"goproxy/default":             passes(judge.StruckNodes),
}
