package scenarios

import (
	"github.com/proxychaos/proxychaos/fakealb"
	"github.com/proxychaos/proxychaos/harness"
	"github.com/proxychaos/proxychaos/harness/fault"
	"github.com/proxychaos/proxychaos/harness/judge"
	"github.com/proxychaos/proxychaos/harness/recording"
	"github.com/proxychaos/proxychaos/harness/world"
)

// StickyNodeDrop is one application server of several that restarts while users have their
// sessions on it: are they held to it, or moved, and are the others left where they are
// (article 004, nofailover)?
var StickyNodeDrop = harness.Scenario{
	Name:    "sticky-node-drop",
	Summary: "Clients keep cookies; one of the members of a balancer refuses for 5 s, then it serves again.",
	World:   fourTomcats,
	Load:    harness.Load{Sessions: true},
	Timeline: []harness.Step{
		harness.Do(fault.StrikeNodes{Kind: fakealb.FaultRefuse, Nodes: world.Numbers(1)}),
		harness.After("5s", fault.BringBack{Nodes: world.Struck}),
	},
	Budget: harness.Budget{Recovery: true, Sessions: true},
}

var stickyNodeDrop = expectations{
	"apache/sticky":            passes(judge.MovedSessions),
	"apache/sticky-nofailover": fails(status(recording.Unavailable), judge.LostSessions),
	"apache/routeid-alone":     fails(nil, judge.MovedSessions),
	// The members themselves begin sessions, as Tomcat does with a jvmRoute.
	"apache/jsessionid":                 passes(judge.MovedSessions),
	"apache/jsessionid-nofailover":      fails(status(recording.Unavailable), judge.LostSessions),
	"nginx/hash-jsessionid":             fails(nil, judge.MovedSessions),
	"haproxy/jsessionid-prefix@testing": passes(judge.MovedSessions),
	"goproxy/jsessionid":                passes(judge.MovedSessions),
	"haproxy/sticky@testing":            passes(judge.MovedSessions),
	"goproxy/sticky":                    passes(judge.MovedSessions),
}
