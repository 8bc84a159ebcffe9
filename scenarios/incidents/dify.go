package incidents

import (
	"github.com/proxychaos/proxychaos/harness/judge"
	"github.com/proxychaos/proxychaos/harness/recording"
	"github.com/proxychaos/proxychaos/scenarios"
)

// dify: what GOV.UK met with ELBs, with containers that are restarted.
var dify = Incident{
	Name: "dify-2026",
	Told: "Dify's nginx looked up the containers behind it at its start. One that was restarted got another address, and what was left of the old one " +
		"refused: 502 until nginx was restarted too. Where DNS had no answer at its start it ended, and where a search domain of the host led it " +
		"to a stranger's address, it kept that.",
	Sources: []string{
		"https://github.com/langgenius/dify/issues/40448",
		"https://github.com/langgenius/dify/issues/17004",
		"https://github.com/langgenius/dify/pull/39155",
	},
	Acts: []Act{
		{
			Scenario: scenarios.ALBIPRefuse,
			Broke:    []string{"nginx/static"},
			As: judge.Expectation{
				Verdict: judge.Fail, Outcomes: []string{recording.BadGateway}, Findings: []string{judge.ResolvedOnce}, Log: `connect\(\) failed \(111: Connection refused\)`,
			},
			Held: []string{"nginx/variable"},
		},
		{
			Scenario: scenarios.StartWithoutDNS,
			Broke:    []string{"nginx/static"},
			As: judge.Expectation{
				Verdict: judge.Fail, Outcomes: []string{recording.Connection}, Findings: []string{judge.NotStarted}, Log: `host not found in upstream`,
			},
			Held: []string{"nginx/variable"},
		},
	},
}
