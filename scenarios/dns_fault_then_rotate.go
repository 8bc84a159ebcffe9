package scenarios

import (
	"github.com/proxychaos/proxychaos/fakealb"
	"github.com/proxychaos/proxychaos/fakedns"
	"github.com/proxychaos/proxychaos/harness"
	"github.com/proxychaos/proxychaos/harness/fault"
	"github.com/proxychaos/proxychaos/harness/judge"
	"github.com/proxychaos/proxychaos/harness/recording"
	"github.com/proxychaos/proxychaos/harness/world"
)

// DNSFaultThenRotate asks both questions in one run: does a proxy go on with the addresses that
// it has while DNS fails, and does it leave them once DNS tells it to? A proxy that never asks
// passes the first, one that asks for each request the second.
var DNSFaultThenRotate = harness.Scenario{
	Name:    "dns-fault-then-rotate",
	Summary: "Every resolver answers SERVFAIL for OUTAGE; meanwhile the ALB's name moves to new nodes; a grace after DNS is back the old ones go silent.",
	World:   replaced,
	Timeline: []harness.Step{
		harness.Do(fault.FailDNS{Kind: fakedns.KindServFail}),
		harness.After("0.5 outage", fault.ChangeDNS{To: world.Spare}),
		harness.After("0.5 outage", fault.HealDNS{}),
		harness.After("grace", fault.StrikeNodes{Kind: fakealb.FaultSilence, Nodes: world.Left}),
	},
}

var dnsFaultThenRotate = expectations{
	"nginx/static":   fails(status(recording.BadGateway), judge.ResolvedOnce),
	"nginx/variable": fails(status(recording.BadGateway), judge.DNSOutage),
	// After an answer that fails nginx asks again when resolver_timeout is over, 30 s by
	// default.
	"nginx/upstream-resolve@testing":         fails(status(recording.BadGateway), judge.ResolvedOnce),
	"nginx/upstream-resolve-timeout@testing": passes(judge.FollowedDNS),
	"apache/addressttl":                      fails(status(internalError), judge.DNSOutage),
	"haproxy/server-template@testing":        passes(judge.FollowedDNS),
	"goproxy/default":                        passes(judge.DNSOutage),
}
