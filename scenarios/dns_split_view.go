package scenarios

import (
	"net/netip"

	"github.com/proxychaos/proxychaos/fakealb"
	"github.com/proxychaos/proxychaos/harness"
	"github.com/proxychaos/proxychaos/harness/fault"
	"github.com/proxychaos/proxychaos/harness/judge"
	"github.com/proxychaos/proxychaos/harness/world"
)

// forwarder is a resolver of one's own beside that of the VPC.
var forwarder = netip.AddrFrom4([4]byte{10, 0, 8, 53})

// DNSSplitView is a name for which two resolvers give different answers: the one of the VPC
// follows it, a forwarder of one's own has a copy of the zone. A proxy that asks both goes back
// and forth.
var DNSSplitView = harness.Scenario{
	Name:    "dns-split-view",
	Summary: "The ALB's name moves to new nodes, except at the resolver 10.0.8.53, which goes on with the old ones; after a grace those go silent.",
	World:   replaced,
	Timeline: []harness.Step{
		harness.Do(fault.ChangeDNS{To: world.Spare, Except: forwarder}),
		harness.After("grace", fault.StrikeNodes{Kind: fakealb.FaultSilence, Nodes: world.Left}),
	},
}

// untilAsked is how many requests come at most from one question to the next, a TTL later.
const untilAsked = 100

var dnsSplitView = expectations{
	"nginx/two-resolvers": fails(timeout, judge.StaleAnswers),
	"nginx/variable":      passes(judge.FollowedDNS),
	// Which of the two answers counts may change with every question, once a second here. Health
	// checks and redispatch hide that, unless the old nodes end in a second in which it has no other.
	"haproxy/two-nameservers@testing": {Verdict: judge.Either, Outcomes: timeout, Most: untilAsked, Findings: []string{judge.StaleAnswers}},
	"haproxy/server-template@testing": passes(judge.FollowedDNS),
	"goproxy/default":                 passes(judge.FollowedDNS),
}
