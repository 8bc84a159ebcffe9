package incidents

import (
	"github.com/proxychaos/proxychaos/fakedns"
	"github.com/proxychaos/proxychaos/harness/judge"
	"github.com/proxychaos/proxychaos/harness/recording"
)

// slack: resolvers that take answers for forged ones say SERVFAIL.
var slack = Incident{
	Name: "slack-2021-09-30",
	Told: "Slack turned DNSSEC on for slack.com, and off again when some of its users could not look the name up. Resolvers had kept the record that " +
		"says that the zone is signed, so that for up to 24 hours they took its answers for forged, and said SERVFAIL. Slack itself was up.",
	Sources: []string{
		"https://slack.engineering/what-happened-during-slacks-dnssec-rollout/",
		"https://indico.dns-oarc.net/event/40/contributions/896/",
	},
	Acts: []Act{{
		Scenario: dnsFails(fakedns.KindServFail),
		Broke:    []string{"nginx/variable"},
		As: judge.Expectation{
			Verdict: judge.Fail, Outcomes: []string{recording.BadGateway}, Findings: []string{judge.DNSOutage}, Log: `could not be resolved \(2: Server failure\)`,
		},
		Held: []string{"nginx/upstream-resolve@testing", "goproxy/default"},
	}},
}
