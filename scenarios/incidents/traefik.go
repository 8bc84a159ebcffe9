package incidents

import (
	"github.com/proxychaos/proxychaos/harness/judge"
	"github.com/proxychaos/proxychaos/harness/recording"
	"github.com/proxychaos/proxychaos/scenarios"
)

// traefik: a pool of connections keeps the old load balancer busy.
var traefik = Incident{
	Name: "traefik-2018",
	Told: "Traefik stood between two ALBs. The name of the inner one was given to another ALB, and Traefik went on sending requests to the old one: " +
		"it looks the name up for a new connection only, and those that it had were never idle for long enough to be closed.",
	Sources: []string{"https://github.com/traefik/traefik/issues/3687"},
	Acts: []Act{{
		Scenario: scenarios.AliasSwitch,
		Broke:    []string{"caddy/host-name@testing"},
		As:       judge.Expectation{Verdict: judge.Fail, Outcomes: []string{recording.Unavailable}, Findings: []string{judge.PooledOld}},
		Held:     []string{"caddy/dynamic-a@testing", "goproxy/default"},
	}},
}
