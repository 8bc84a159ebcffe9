package incidents

import (
	"github.com/proxychaos/proxychaos/harness/judge"
	"github.com/proxychaos/proxychaos/harness/recording"
	"github.com/proxychaos/proxychaos/scenarios"
)

// elbWrongHost: an address that was given up is another customer's, and the old clients
// are answered by his site.
var elbWrongHost = Incident{
	Name: "elb-wrong-host-2011",
	Told: "An ELB began to get 15,000 requests a minute for a site of somebody else: one of its addresses had been the other's, and clients that " +
		"ignored the TTL went on asking there, for hours. They got answers, of the wrong site; nothing logged an error.",
	Sources: []string{
		"https://www.greenhills.co.uk/posts/elb-traffic-for-the-wrong-host/",
		"https://shlomoswidler.com/2009/08/elastic-load-balancer-elasticity-gotcha/",
	},
	Acts: []Act{{
		Scenario: scenarios.ALBReassigned,
		Broke:    []string{"nginx/static"},
		As:       judge.Expectation{Verdict: judge.Fail, Outcomes: []string{recording.WrongBody}, Findings: []string{judge.ResolvedOnce}},
		Held:     []string{"nginx/variable"},
	}},
}
