package incidents

import (
	"github.com/proxychaos/proxychaos/harness/judge"
	"github.com/proxychaos/proxychaos/harness/recording"
	"github.com/proxychaos/proxychaos/scenarios"
)

// deliveroo is guardian with nginx as the target, whose default would have held.
var deliveroo = Incident{
	Name: "deliveroo-2024",
	Told: "The nginx beside Deliveroo's apps had keepalive_timeout 20s, and the ALB in front of it kept idle connections for 60 s. " +
		"The ALB answered 502 whenever it used one that nginx had just closed. komoju had the same with 5 s; nginx's own default is 75 s.",
	Sources: []string{
		"https://github.com/deliveroo/nginx-sidecar/pull/50",
		"https://github.com/komoju/barcelona/pull/529",
	},
	Acts: []Act{{
		Scenario: scenarios.KeepAliveRace,
		Broke:    []string{"nginx/keepalive-15"},
		As:       judge.Expectation{Verdict: judge.Fail, Outcomes: []string{recording.BadGateway}, Findings: []string{judge.KeepAliveRace}},
		Held:     []string{"nginx/keepalive-75"},
	}},
}
