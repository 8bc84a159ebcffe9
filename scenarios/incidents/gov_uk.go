package incidents

import (
	"github.com/proxychaos/proxychaos/harness/judge"
	"github.com/proxychaos/proxychaos/harness/recording"
	"github.com/proxychaos/proxychaos/scenarios"
)

// govUK: nginx with pinned addresses, and the fix that was no fix.
var govUK = Incident{
	Name: "govuk-2018",
	Told: "GOV.UK moved to AWS with nginx in front of ELBs. nginx looked their names up at its start and kept the addresses, " +
		"so requests failed whenever an ELB had others. A resolver line, added in 2017, changed nothing; a variable in proxy_pass, in 2018, did.",
	Sources: []string{
		"https://github.com/alphagov/govuk-puppet/pull/6321",
		"https://github.com/alphagov/govuk-puppet/pull/7505",
	},
	Acts: []Act{{
		Scenario: scenarios.ALBIPRotate,
		Broke:    []string{"nginx/static", "nginx/resolver-only"},
		As: judge.Expectation{
			Verdict: judge.Fail, Outcomes: []string{recording.BadGateway}, Findings: []string{judge.ResolvedOnce}, Log: `no live upstreams while connecting to upstream`,
		},
		Held: []string{"nginx/variable"},
	}},
}
