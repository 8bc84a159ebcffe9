package incidents

import (
	"github.com/proxychaos/proxychaos/fakedns"
	"github.com/proxychaos/proxychaos/harness/judge"
	"github.com/proxychaos/proxychaos/harness/recording"
	"github.com/proxychaos/proxychaos/scenarios"
)

// usEast1 has two acts: a name without an address, and zones that come and go.
var usEast1 = Incident{
	Name: "us-east-1-2025-10-20",
	Told: "Two programs that kept the DNS of DynamoDB's endpoint up to date got in each other's way, and the name had no address from 23:48 to about 02:40 PDT. " +
		"From 05:30 to 14:09 health checks of Network Load Balancers failed and passed in turn: nodes left DNS and came back.",
	Sources: []string{"https://aws.amazon.com/message/101925/"},
	Acts: []Act{
		{
			Scenario: dnsFails(fakedns.KindNoData),
			Broke:    []string{"nginx/upstream-resolve@testing"},
			As: judge.Expectation{
				Verdict: judge.Fail, Outcomes: []string{recording.BadGateway}, Findings: []string{judge.DNSOutage}, Log: `no live upstreams while connecting to upstream`,
			},
			Held: []string{"goproxy/default"},
		},
		{
			Scenario: scenarios.ZoneFlap,
			Broke:    []string{"haproxy/static@testing"},
			As:       judge.Expectation{Verdict: judge.Fail, Outcomes: []string{recording.Timeout}, Findings: []string{judge.ResolvedOnce}},
			Held:     []string{"haproxy/server-template@testing", "goproxy/default"},
		},
	},
}
