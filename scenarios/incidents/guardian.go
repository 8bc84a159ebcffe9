package incidents

import (
	"github.com/proxychaos/proxychaos/harness/judge"
	"github.com/proxychaos/proxychaos/harness/recording"
	"github.com/proxychaos/proxychaos/scenarios"
)

// guardian: a target that closes idle connections before the load balancer does. Node's
// default of 5 s is Apache's too.
var guardian = Incident{
	Name: "guardian-2024",
	Told: "The Guardian's rendering apps kept idle connections for 5 s, the default of Node, and the load balancer in front of them for 60 s. " +
		"Now and then a request met a connection that the app had just closed: 504 with the classic load balancer, 502 with the new one, and no line in the app's log.",
	Sources: []string{
		"https://github.com/guardian/dotcom-rendering/pull/10450",
		"https://github.com/guardian/dotcom-rendering/issues/10392",
	},
	Acts: []Act{{
		Scenario: scenarios.KeepAliveRace,
		Broke:    []string{"apache/keepalive-5"},
		As:       judge.Expectation{Verdict: judge.Fail, Outcomes: []string{recording.BadGateway}, Findings: []string{judge.KeepAliveRace}},
		Held:     []string{"apache/keepalive-65"},
	}},
}
