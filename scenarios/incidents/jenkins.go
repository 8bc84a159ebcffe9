package incidents

import (
	"github.com/proxychaos/proxychaos/harness/judge"
	"github.com/proxychaos/proxychaos/harness/recording"
	"github.com/proxychaos/proxychaos/scenarios"
)

// jenkins: a name with an IPv6 address that is dead beside an IPv4 address that serves.
var jenkins = Incident{
	Name: "jenkins-2023",
	Told: "get.jenkins.io, from which Jenkins is updated, had got an AAAA record, and nothing answered there. Who prefers IPv6 waited up to a minute " +
		"before he tried IPv4, which worked, or gave up before it. The AAAA record was taken away again.",
	Sources: []string{
		"https://github.com/jenkins-infra/helpdesk/issues/3639",
		"https://github.com/jenkins-infra/azure/pull/417",
	},
	Acts: []Act{{
		Scenario: scenarios.IPv6Appears,
		Broke:    []string{"apache/disablereuse", "haproxy/one-server@testing"},
		As:       judge.Expectation{Verdict: judge.Fail, Outcomes: []string{recording.Timeout}, Findings: []string{judge.StruckNodes}},
		Held:     []string{"nginx/ipv6-off", "haproxy/prefer-ipv4@testing", "goproxy/default"},
	}},
}
