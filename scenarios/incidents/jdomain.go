package incidents

import (
	"github.com/proxychaos/proxychaos/harness/judge"
	"github.com/proxychaos/proxychaos/harness/recording"
	"github.com/proxychaos/proxychaos/scenarios"
)

// jdomain: look-ups that fail while a name moves.
var jdomain = Incident{
	Name: "jdomain-2023",
	Told: "An nginx with a module that looks names up in the background logged that its resolver failed, and stayed with addresses that " +
		"the name had left. Another such module had gone on failing after DNS was well again. nginx's own \"server ... resolve\" does not give up, " +
		"but waits for resolver_timeout, 30 s unless it is set, before it asks again.",
	Sources: []string{
		"https://github.com/nicholaschiasson/ngx_upstream_jdomain/issues/82",
		"https://github.com/GUI/nginx-upstream-dynamic-servers/issues/24",
	},
	Acts: []Act{{
		Scenario: scenarios.DNSFaultThenRotate,
		Broke:    []string{"nginx/upstream-resolve@testing"},
		As:       judge.Expectation{Verdict: judge.Fail, Outcomes: []string{recording.BadGateway}, Findings: []string{judge.ResolvedOnce}},
		Held:     []string{"nginx/upstream-resolve-timeout@testing", "goproxy/default"},
	}},
}
