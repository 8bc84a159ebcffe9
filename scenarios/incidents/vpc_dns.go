package incidents

import (
	"github.com/proxychaos/proxychaos/fakedns"
	"github.com/proxychaos/proxychaos/harness/judge"
	"github.com/proxychaos/proxychaos/harness/recording"
)

// vpcDNS: more questions than the resolver of a VPC answers.
var vpcDNS = Incident{
	Name: "vpc-dns-limit",
	Told: "For some minutes of every hour Stripe's look-ups failed. Its name servers asked the resolver of the VPC, which answers 1,024 packets " +
		"a second of a network interface, and a job that looked up addresses, with the repetitions of those that got no answer, asked more.",
	Sources: []string{
		"https://stripe.com/blog/secret-life-of-dns",
		"https://www.awsadvent.com/2018/12/07/working-with-aws-limits/",
		"https://repost.aws/knowledge-center/vpc-find-cause-of-failed-dns-queries",
	},
	Acts: []Act{{
		Scenario: dnsFails(fakedns.KindThrottle),
		Broke:    []string{"apache/disablereuse"},
		As:       judge.Expectation{Verdict: judge.Fail, Outcomes: []string{recording.Timeout}, Findings: []string{judge.DNSOutage}},
		Held:     []string{"apache/addressttl"},
	}},
}
