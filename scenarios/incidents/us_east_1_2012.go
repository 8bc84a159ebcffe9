package incidents

import (
	"github.com/proxychaos/proxychaos/harness/judge"
	"github.com/proxychaos/proxychaos/harness/recording"
	"github.com/proxychaos/proxychaos/scenarios"
)

// usEast1Storm: a zone loses its power, and the names of load balancers keep its addresses.
var usEast1Storm = Incident{
	Name: "us-east-1-2012-06-29",
	Told: "A data centre lost its power in a storm, and with it the nodes that load balancers had there. The program that takes such nodes " +
		"out of DNS was busy with its own recovery, so that the names kept addresses at which nothing answered, beside those of healthy zones.",
	Sources: []string{"https://aws.amazon.com/message/67457/"},
	Acts: []Act{{
		Scenario: scenarios.ALBNodeSilent,
		Broke:    []string{"nginx/variable"},
		As:       judge.Expectation{Verdict: judge.Fail, Outcomes: []string{recording.Timeout}, Findings: []string{judge.StruckNodes}},
		Held:     []string{"nginx/upstream-resolve@testing", "goproxy/default"},
	}},
}
